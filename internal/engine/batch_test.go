package engine

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// herd is a list of two animals, a null and a third.
func herd() fields {
	return fields{"list": []any{animal("1"), animal("2"), nil, animal("3")}}
}

// everywhere is an error at every animal of the herd.
func everywhere(field, message string) string {
	var lines []string
	for _, i := range []int{0, 1, 3} {
		lines = append(lines, fmt.Sprintf("list[%d].%s: %s", i, field, message))
	}
	return strings.Join(lines, "\n")
}

type batch = func(ctx context.Context, objs []any, args map[string]any) ([]any, error)

func TestBatchErrors(t *testing.T) {
	shared := gqlerror.Errorf("shared")
	for name, c := range map[string]struct {
		batch    batch
		data     string
		problems string
	}{
		"as a whole": {func(context.Context, []any, map[string]any) ([]any, error) { return nil, errBad },
			`{"list":[{"mate":null},{"mate":null},null,{"mate":null}]}`, everywhere("mate", "bad")},
		"as a whole, one of gqlgen's": {func(context.Context, []any, map[string]any) ([]any, error) { return nil, shared },
			`{"list":[{"mate":null},{"mate":null},null,{"mate":null}]}`, everywhere("mate", "shared")},
		"the same one in every place": {func(context.Context, []any, map[string]any) ([]any, error) {
			return make([]any, 3), graphql.BatchErrorList{shared, shared, shared}
		}, `{"list":[{"mate":null},{"mate":null},null,{"mate":null}]}`, everywhere("mate", "shared")},
		"of some places": {func(context.Context, []any, map[string]any) ([]any, error) {
			return []any{animal("4"), animal("5"), nil}, graphql.BatchErrorList{nil, errBad, nil}
		}, `{"list":[{"mate":{"cry":"wau"}},{"mate":null},null,{"mate":null}]}`, "list[1].mate: bad"},
		"wrapped": {func(context.Context, []any, map[string]any) ([]any, error) {
			return make([]any, 3), fmt.Errorf("all: %w", graphql.BatchErrorList{nil, errBad, nil})
		}, `{"list":[{"mate":null},{"mate":null},null,{"mate":null}]}`, "list[1].mate: bad"},
		"too few values": {func(context.Context, []any, map[string]any) ([]any, error) { return []any{nil}, nil },
			`{"list":[{"mate":null},{"mate":null},null,{"mate":null}]}`, everywhere("mate", errShort.Error())},
		"too many values": {func(context.Context, []any, map[string]any) ([]any, error) { return make([]any, 4), nil },
			`{"list":[{"mate":null},{"mate":null},null,{"mate":null}]}`, everywhere("mate", errShort.Error())},
		"too few errors": {func(context.Context, []any, map[string]any) ([]any, error) {
			return make([]any, 3), graphql.BatchErrorList{errBad}
		}, `{"list":[{"mate":null},{"mate":null},null,{"mate":null}]}`, everywhere("mate", "batch resolver returned errors")},
		"a panic": {func(context.Context, []any, map[string]any) ([]any, error) { panic("oh") },
			`{"list":[{"mate":null},{"mate":null},null,{"mate":null}]}`, everywhere("mate", "panic: oh")},
		"a panic with an error of gqlgen's": {func(context.Context, []any, map[string]any) ([]any, error) { panic(shared) },
			`{"list":[{"mate":null},{"mate":null},null,{"mate":null}]}`, everywhere("mate", "panic: input: shared")},
	} {
		t.Run(name, func(t *testing.T) {
			z := newZoo(t, herd())
			z.batches["Animal.mate"] = c.batch
			z.batches["Animal.cry"] = func(_ context.Context, objs []any, _ map[string]any) ([]any, error) {
				if len(objs) != 1 {
					t.Errorf("%d parents are asked for below an error", len(objs)-1)
				}
				return []any{"wau", "wau", "wau"}[:len(objs)], nil
			}
			z.expect(t, Run{}, `{list{mate{cry}}}`, nil, c.data, c.problems)
			if shared.Path != nil || shared.Locations != nil {
				t.Errorf("an error of a resolver was changed: %v", shared)
				shared.Path, shared.Locations = nil, nil
			}
		})
	}
}

// A value that comes with an error is none: nothing is asked of it.
func TestValueBesideAnError(t *testing.T) {
	z := newZoo(t, nil)
	z.singles["Query.a"] = func(context.Context, any, map[string]any) (any, error) { return animal("1"), errBad }
	z.expect(t, Run{}, `{a{mate{id}}}`, nil, `{"a":null}`, "a: bad")
	if z.sizes["Animal.mate"] != nil {
		t.Error("a field of a value that came with an error was resolved")
	}
}

func TestPanics(t *testing.T) {
	wrong := &Type{Name: "Wrong"}
	for name, c := range map[string]struct {
		spoil func(*zoo)
		query string
		data  string
		want  string
	}{
		"Resolve":                          {func(z *zoo) { z.root.fields["a"] = boom("oh") }, `{a{id} sum}`, `{"a":null,"sum":null}`, "a: panic: oh"},
		"Get":                              {func(z *zoo) { z.root.fields["list"].([]any)[1].(*thing).fields["home"] = boom("oh") }, `{list{home{id}}}`, `{"list":[{"home":null},{"home":null},null,{"home":null}]}`, "list[1].home: panic: oh"},
		"Items":                            {func(z *zoo) { z.root.fields["list"].([]any)[1].(*thing).fields["young"] = "no list" }, `{list{young{id}}}`, `{"list":[{"young":null},{"young":null},null,{"young":null}]}`, ""},
		"Of":                               {func(z *zoo) { z.Type("Node").Of = func(any) (*Type, any) { panic("oh") } }, `{nodes{id}}`, `{"nodes":null}`, "nodes: panic: oh"},
		"of a type that has no such field": {func(z *zoo) { z.Type("Node").Of = func(v any) (*Type, any) { return wrong, v } }, `{nodes{id}}`, `{"nodes":null}`, ""},
		"Args": {func(z *zoo) {
			z.Type("Animal").Fields["sound"].Args = func(context.Context, map[string]any) (map[string]any, error) { panic("oh") }
		}, `{list{sound cry2: sound slow}}`, `{"list":[{"sound":null,"cry2":null,"slow":null},{"sound":null,"cry2":null,"slow":null},null,{"sound":null,"cry2":null,"slow":null}]}`,
			"list[0].sound: panic: oh\nlist[0].cry2: panic: oh\nlist[1].sound: panic: oh\nlist[1].cry2: panic: oh\nlist[3].sound: panic: oh\nlist[3].cry2: panic: oh"},
	} {
		t.Run(name, func(t *testing.T) {
			root := herd()
			root["nodes"] = []any{animal("1")}
			z := newZoo(t, root)
			c.spoil(z)
			data, problems := z.run(t, Run{}, c.query, nil)
			if data != c.data || (c.want != "" && problems != c.want) || problems == "" {
				t.Errorf("data\n%s\nwant\n%s\nerrors\n%s\nwant\n%s", data, c.data, problems, c.want)
			}
		})
	}
}

// What panics while the answer is written panics out of Execute, on its caller's goroutine, when no field runs any more.
func TestPanicWhileWriting(t *testing.T) {
	for _, field := range []string{"name", "slow", "cry"} {
		root := herd()
		root["list"].([]any)[1].(*thing).fields[field] = boom("oh")
		z := newZoo(t, root)
		pass := func(_ context.Context, objs []any, _ map[string]any) ([]any, error) { return objs, nil }
		z.batches["Animal.cry"] = pass
		z.singles["Animal.slow"] = func(context.Context, any, map[string]any) (any, error) { return boom("oh"), nil }
		if field == "cry" {
			z.Type("Animal").Fields["cry"].Value = func([]byte, any) ([]byte, bool) { panic("oh") }
		}
		if field == "name" {
			z.Type("Animal").Fields["name"].Append = func([]byte, any) ([]byte, bool) { panic("oh") }
		}
		got := func() (v any) {
			defer func() { v = recover() }()
			z.run(t, Run{}, `{list{`+field+` mate{id}}}`, nil)
			return nil
		}()
		if got != "oh" {
			t.Errorf("%s: recovered %v, want oh", field, got)
		}
	}
}

// A batch over several lists knows the place of each of its parents.
func TestParentPath(t *testing.T) {
	z := newZoo(t, fields{"a": animal("0", fields{"mate": animal("m")}), "list": []any{
		animal("1", fields{"young": []any{animal("2"), animal("3")}}), nil,
		animal("4", fields{"young": []any{}}), animal("5", fields{"young": []any{animal("6")}}),
	}})
	var paths []string
	z.batches["Animal.sound"] = func(ctx context.Context, objs []any, _ map[string]any) ([]any, error) {
		for i := range objs {
			path, ok := ParentPath(ctx, i)
			paths = append(paths, fmt.Sprint(path, ok))
		}
		if _, ok := ParentPath(ctx, len(objs)); ok {
			t.Error("there is a path for a parent too many")
		}
		if got := graphql.GetPath(ctx).String(); !strings.HasSuffix(got, "g") {
			t.Errorf("the field's own path is %s", got)
		}
		return make([]any, len(objs)), nil
	}
	z.run(t, Run{}, `{list{y: young{g: sound}}}`, nil)
	if got, want := strings.Join(paths, " "), "list[0].y[0].g true list[0].y[1].g true list[3].y[0].g true"; got != want {
		t.Errorf("paths %s\nwant %s", got, want)
	}
	paths = nil
	z.run(t, Run{}, `{a{mate{g: sound}}}`, nil)
	if got := strings.Join(paths, " "); got != "a.mate.g true" {
		t.Errorf("paths %s", got)
	}
	if _, ok := ParentPath(t.Context(), 0); ok {
		t.Error("there is a path outside of the engine")
	}
}

// An argument that cannot be coerced fails at every place, with the place in its path.
func TestArgumentErrors(t *testing.T) {
	z := newZoo(t, herd())
	z.Type("Animal").Fields["sound"].Args = func(ctx context.Context, _ map[string]any) (map[string]any, error) {
		return nil, graphql.ErrorOnPath(graphql.WithPathContext(ctx, graphql.NewPathWithField("loud")), errBad)
	}
	z.expect(t, Run{}, `{list{sound(loud: 1)}}`, nil,
		`{"list":[{"sound":null},{"sound":null},null,{"sound":null}]}`, everywhere("sound.loud", "bad"))
}

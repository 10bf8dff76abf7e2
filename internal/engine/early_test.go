package engine

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// keyedZoo has a root field `keyed(id:)` whose edges cry, mate and young begin early; "none" and what fails has no object.
func keyedZoo(t *testing.T, real any) *zoo {
	t.Helper()
	z := newZoo(t, fields{"keyed": real, "a": animal("7"), "list": []any{animal("7")}})
	z.Early("Query", "keyed", func(_ context.Context, args map[string]any) (any, bool) {
		id, ok := args["id"].(string)
		return animal(id), ok
	})
	z.ByKey("Animal", "cry", "mate", "young")
	return z
}

// waitFor ends the test when nothing comes.
func waitFor(t *testing.T, what string, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(10 * time.Second):
		t.Error(what)
	}
}

func TestEdgesBeginBesideTheirParent(t *testing.T) {
	z := keyedZoo(t, nil)
	asked := make(chan struct{})
	z.batches["Animal.mate"] = func(ctx context.Context, objs []any, _ map[string]any) ([]any, error) {
		if len(graphql.GetPath(ctx)) > 2 {
			return []any{animal("3")}, nil
		}
		close(asked)
		if id := objs[0].(*thing).fields["id"]; id != "1" {
			t.Errorf("asked for the mate of %v", id)
		}
		if path, _ := ParentPath(ctx, 0); path.String() != "keyed.mate" {
			t.Errorf("the path is %s", path)
		}
		return []any{animal("2")}, nil
	}
	z.singles["Query.keyed"] = func(context.Context, any, map[string]any) (any, error) {
		waitFor(t, "mate has not begun", asked)
		return animal("1", fields{"slow": "s"}), nil
	}
	z.expect(t, Run{}, `{ keyed(id: "1") { id mate { id mate { id slow } } slow } }`, nil,
		`{"keyed":{"id":"1","mate":{"id":"2","mate":{"id":"3","slow":null}},"slow":"s"}}`, "")
}

// TestNothingIsLeftOfADroppedStart has edges of an object that does not exist wait until they are dropped.
func TestNothingIsLeftOfADroppedStart(t *testing.T) {
	for name, real := range map[string]any{"null": nil, "failed": errors.New("no"), "panicked": boom("no"), "of another type": stone("1", 3)} {
		t.Run(name, func(t *testing.T) {
			z := keyedZoo(t, real)
			z.Type("Query").Fields["keyed"].Type = z.Type("Node")
			var went []string
			z.batches["Animal.mate"] = func(ctx context.Context, objs []any, _ map[string]any) ([]any, error) {
				waitFor(t, "the start is not dropped", ctx.Done())
				graphql.AddError(ctx, errors.New("by itself"))
				graphql.RegisterExtension(ctx, "mate", 1)
				went = append(went, "mate")
				return []any{animal("2")}, nil
			}
			z.batches["Animal.cry"] = func(context.Context, []any, map[string]any) ([]any, error) { panic("cry") }
			z.batches["Animal.young"] = func(context.Context, []any, map[string]any) ([]any, error) { return nil, errors.New("young") }
			z.singles["Animal.slow"] = func(context.Context, any, map[string]any) (any, error) { went = append(went, "slow"); return nil, nil }
			query := `{ keyed(id: "1") { ... on Animal { mate { slow } cry young { id } } } }`
			plans, _ := z.plans(t, query, nil)
			plan, err := plans.For(nil)
			if err != nil {
				t.Fatal(err)
			}
			ctx := inOperation(t.Context(), nil)
			data := string(plan.Execute(ctx, Run{Fork: func(ctx context.Context, _ any) (context.Context, func(context.Context)) {
				return ctx, func(context.Context) { t.Error("it is adopted") }
			}}))
			want := map[string]string{"failed": "keyed: no", "panicked": "keyed: panic: no"}[name]
			wantData := `{"keyed":null}`
			if name == "of another type" {
				wantData = `{"keyed":{}}`
			}
			if errs := reported(ctx); data != wantData || errs != want || len(graphql.GetExtensions(ctx)) > 0 {
				t.Errorf("%s with %q and %v", data, errs, graphql.GetExtensions(ctx))
			}
			if strings.Join(went, " ") != "mate" { // waited for, and nothing below begun
				t.Errorf("went %v", went)
			}
		})
	}
}

func TestErrorsOfAnEarlyStartAreTheFields(t *testing.T) {
	z := keyedZoo(t, animal("1"))
	z.batches["Animal.mate"] = func(ctx context.Context, _ []any, _ map[string]any) ([]any, error) {
		graphql.AddError(ctx, errors.New("by itself"))
		graphql.RegisterExtension(ctx, "mate", 1)
		return []any{animal("2", fields{"nick": nil})}, nil
	}
	z.batches["Animal.cry"] = func(context.Context, []any, map[string]any) ([]any, error) { panic("cry") }
	z.batches["Animal.young"] = func(context.Context, []any, map[string]any) ([]any, error) {
		return []any{nil}, graphql.BatchErrorList{errors.New("young")}
	}
	adopted := 0
	z.expect(t, Run{Fork: func(ctx context.Context, obj any) (context.Context, func(context.Context)) {
		return ctx, func(context.Context) { adopted++ }
	}}, `{ keyed(id: "1") { young { id } mate { nick } } }`, nil, `{"keyed":{"young":null,"mate":null}}`,
		"keyed.mate: by itself\nkeyed.young: young\nkeyed.mate.nick: the requested element is null which the schema does not allow")
	z.expect(t, Run{}, `{ keyed(id: "1") { young { id } cry } }`, nil, `{"keyed":null}`, "keyed.young: young\nkeyed.cry: panic: cry")
	if adopted != 1 {
		t.Errorf("adopted %d times", adopted)
	}
}

// TestWhatBeginsEarly holds that nothing begins early where it could cost a further call, or may not be read.
func TestWhatBeginsEarly(t *testing.T) {
	deny := func(object, field string) error {
		if object+"."+field == "Animal.young" {
			return errors.New("denied")
		}
		return nil
	}
	for _, c := range []struct {
		query string
		early string // the edges that begin before the object is there
	}{
		{`{ keyed(id: "1") { mate { id } cry } }`, "cry mate"},
		{`query($id: ID = "1") { keyed(id: $id) { mate { id } } }`, "mate"},
		{`{ keyed(id: "1") { mate { id } young { id } } }`, "mate"},       // young is denied
		{`{ keyed { mate { id } } }`, ""},                                 // nobody knows whose
		{`{ keyed(id: "1") { mate { id } parent { id } } }`, "mate"},      // parent leads no further
		{`{ keyed(id: "1") { mate { id } parent { mate { id } } } }`, ""}, // its mates would have come with those of other parents
		{`{ keyed(id: "1") { mate { id } parent { ...F } } } fragment F on Animal { sound }`, ""},
		{`{ keyed(id: "1") { mate { id } parent { ...F } } } fragment F on Animal { sound @skip(if: true) }`, "mate"},
		{`{ keyed(id: "1") { mate { id } home { of { id } } } }`, ""},
		{`{ keyed(id: "1") { mate { id } } a { id } }`, "mate"},
		{`{ keyed(id: "1") { mate { id } } a { mate { id } } }`, ""},
		{`{ keyed(id: "1") { mate { id } } list { home { id of { id } } } }`, ""},
		{`{ keyed(id: "1") { mate { id } } b: keyed(id: "2") { cry } }`, "cry mate"},
		{`{ keyed(id: "1") { mate { id } } b: keyed { cry } }`, ""},
		{`{ keyed(id: "1") { mate { id } } b: keyed { id } }`, "mate"},
	} {
		t.Run(c.query, func(t *testing.T) {
			z := keyedZoo(t, nil)
			begun := make(chan string, 10)
			for _, name := range []string{"mate", "cry", "young"} {
				z.batches["Animal."+name] = func(ctx context.Context, _ []any, _ map[string]any) ([]any, error) {
					begun <- name
					<-ctx.Done() // comes when it is dropped
					return []any{nil}, nil
				}
			}
			n := len(strings.Fields(c.early))
			got := map[string]bool{}
			var mu sync.Mutex // the first of several fields waits
			z.singles["Query.keyed"] = func(_ context.Context, _ any, args map[string]any) (any, error) {
				mu.Lock()
				defer mu.Unlock()
				for ; n > 0; n-- {
					select {
					case name := <-begun:
						got[name] = true
					case <-time.After(10 * time.Second):
						t.Errorf("not all has begun: %v", got)
					}
				}
				return nil, nil
			}
			z.singles["Query.a"] = func(context.Context, any, map[string]any) (any, error) { return nil, nil }
			z.singles["Query.list"] = z.singles["Query.a"]
			z.run(t, Run{Denied: deny}, c.query, nil)
			close(begun)
			for name := range begun {
				got[name] = true
			}
			var names []string
			for _, name := range []string{"cry", "mate", "young"} {
				if got[name] {
					names = append(names, name)
				}
			}
			if strings.Join(names, " ") != c.early {
				t.Errorf("%v began early", names)
			}
		})
	}
}

func TestDeclarationsAreChecked(t *testing.T) {
	z := newZoo(t, nil)
	tell := func(context.Context, map[string]any) (any, bool) { return nil, false }
	for name, declare := range map[string]func(){
		"no type": func() { z.Early("Nothing", "a", tell) }, "no field": func() { z.Early("Query", "nothing", tell) },
		"a list": func() { z.Early("Query", "list", tell) }, "a leaf": func() { z.Early("Query", "sum", tell) },
		"in its object": func() { z.ByKey("Animal", "mate", "home") }, "no edge": func() { z.ByKey("Animal", "nothing") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: taken", name)
				}
			}()
			declare()
		}()
	}
}

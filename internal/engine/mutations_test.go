package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"
)

type scopeKey struct{}

// The fields of a mutation run one after the other, each to its leaves, and each in a context of its own.
func TestMutationsAreSerial(t *testing.T) {
	z := newZoo(t, nil)
	var log []string // without a lock: what does not run in series is a race
	note := func(ctx context.Context, what string) {
		log = append(log, fmt.Sprint(what, " in ", ctx.Value(scopeKey{}), " of ", graphql.GetRootFieldContext(ctx).Field.Alias))
	}
	set := func(ctx context.Context, _ any, args map[string]any) (any, error) {
		note(ctx, fmt.Sprint("set ", args["n"]))
		if args["n"] == int64(2) {
			return nil, errBad
		}
		return animal(fmt.Sprint(args["n"]), fields{"mate": animal("m")}), nil
	}
	z.singles["Mutation.set"], z.singles["Mutation.force"] = set, set
	z.batches["Animal.mate"] = func(ctx context.Context, objs []any, _ map[string]any) ([]any, error) {
		note(ctx, "mate of "+objs[0].(*thing).fields["id"].(string))
		return objs, nil
	}
	scopes := 0
	renew := func(ctx context.Context) context.Context {
		scopes++
		return context.WithValue(ctx, scopeKey{}, scopes)
	}
	z.expect(t, Run{Renew: renew}, `mutation{__typename x: set(n: 1){mate{id}} y: set(n: 2){mate{id}} z: force(n: 3){mate{id}}}`, nil,
		`{"__typename":"Mutation","x":{"mate":{"id":"1"}},"y":null,"z":{"mate":{"id":"3"}}}`, "y: bad")
	want := "set 1 in 1 of x, mate of 1 in 1 of x, set 2 in 2 of y, set 3 in 3 of z, mate of 3 in 3 of z"
	if got := strings.Join(log, ", "); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	log = nil
	z.expect(t, Run{Renew: renew}, `mutation{force(n: 2){id} set(n: 4){id}}`, nil, `null`, "force: bad")
	if len(log) != 2 {
		t.Errorf("after a null that rises: %v", log)
	}
}

func TestDenied(t *testing.T) {
	denied := func(object, field string) error {
		if field == "name" || field == "nick" || field == "home" || field == "mate" || field == "slow" || field == "weight" {
			return errors.New("no " + object + "." + field)
		}
		return nil
	}
	z := newZoo(t, fields{"list": []any{animal("1", fields{"home": stone("s", 1), "name": "A"}), animal("2", fields{"stones": []any{stone("t", 1)}})}})
	asked := false
	z.batches["Animal.mate"] = func(_ context.Context, objs []any, _ map[string]any) ([]any, error) {
		asked = true
		return objs, nil
	}
	z.singles["Animal.slow"] = func(context.Context, any, map[string]any) (any, error) {
		asked = true
		return "", nil
	}
	z.expect(t, Run{Denied: denied}, `{list{id name home{id} mate{id} slow}}`, nil,
		`{"list":[{"id":"1","name":null,"home":null,"mate":null,"slow":null},{"id":"2","name":null,"home":null,"mate":null,"slow":null}]}`,
		"list[0].name: no Animal.name\nlist[0].home: no Animal.home\nlist[0].mate: no Animal.mate\nlist[0].slow: no Animal.slow\n"+
			"list[1].name: no Animal.name\nlist[1].home: no Animal.home\nlist[1].mate: no Animal.mate\nlist[1].slow: no Animal.slow")
	z.expect(t, Run{Denied: denied}, `{list{nick id}}`, nil, `{"list":[null,null]}`, "list[0].nick: no Animal.nick\nlist[1].nick: no Animal.nick")
	if asked {
		t.Error("a resolver of a denied field was called")
	}
	z.expect(t, Run{Denied: func(string, string) error { panic("oh") }}, `{list{id} a{id}}`, nil, `{"list":null,"a":null}`, "list: panic: oh\na: panic: oh")
}

// Around stands around resolvers alone, knows their fields and arguments, and may answer in their place.
func TestAround(t *testing.T) {
	z := newZoo(t, herd())
	var mu sync.Mutex
	var seen []string
	around := func(ctx context.Context, next graphql.Resolver) (any, error) {
		fc := graphql.GetFieldContext(ctx)
		mu.Lock()
		seen = append(seen, fmt.Sprint(fc.Object, ".", fc.Field.Name, " at ", fc.Path(), fc.Args, fc.IsResolver))
		mu.Unlock()
		if fc.Field.Name == "sound" {
			panic("oh")
		}
		return next(ctx)
	}
	z.expect(t, Run{Around: around}, `{list{id home{id} slow sound(loud: 1)}}`, nil,
		`{"list":[{"id":"1","home":null,"slow":null,"sound":null},{"id":"2","home":null,"slow":null,"sound":null},null,{"id":"3","home":null,"slow":null,"sound":null}]}`,
		everywhere("sound", "panic: oh"))
	slices.Sort(seen)
	want := []string{
		"Animal.slow at list[0].slow map[] true", "Animal.slow at list[1].slow map[] true", "Animal.slow at list[3].slow map[] true",
		"Animal.sound at list.sound map[loud:1] true", "Query.list at list map[] true",
	}
	if !slices.Equal(seen, want) {
		t.Errorf("%q\nwant %q", seen, want)
	}
}

// Fields of one level run side by side: each of these waits for the other.
func TestFieldsSideBySide(t *testing.T) {
	z := newZoo(t, fields{"list": []any{animal("1"), animal("2")}})
	meet := make(chan string)
	var running atomic.Int32
	z.batches["Animal.mate"] = func(_ context.Context, objs []any, _ map[string]any) ([]any, error) {
		running.Add(1)
		meet <- "wau"
		return objs, nil
	}
	z.batches["Animal.cry"] = func(_ context.Context, objs []any, _ map[string]any) ([]any, error) {
		running.Add(1)
		return slices.Repeat([]any{<-meet}, len(objs)), nil
	}
	z.expect(t, Run{}, `{list{mate{id} cry}}`, nil, `{"list":[{"mate":{"id":"1"},"cry":"wau"},{"mate":{"id":"2"},"cry":"wau"}]}`, "")
	if running.Load() != 2 {
		t.Errorf("%d calls for two fields of two objects", running.Load())
	}
}

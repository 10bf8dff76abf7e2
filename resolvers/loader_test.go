package resolvers

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"go.uber.org/goleak"

	"tributary/clients"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// fieldContext is the context of a field of a response, as gqlgen makes it.
func fieldContext(t *testing.T, r *Resolver) context.Context {
	t.Helper()
	ctx := graphql.WithResponseContext(t.Context(), r.Present, r.Recover)
	ctx = context.WithValue(ctx, scopeKey{}, &scope{report: &report{}})
	return graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Query", Field: graphql.CollectedField{Field: &ast.Field{Name: "x", Alias: "x"}}})
}

func testLoader(t *testing.T, fetch func(context.Context, []int) map[int]clients.Answer[string], visible func(string) bool) (context.Context, *loader[int, string]) {
	t.Helper()
	r := &Resolver{Logger: slog.New(slog.DiscardHandler)}
	ctx := fieldContext(t, r)
	l := new(loader[int, string])
	l.setUp(&loading{ctx: ctx, wait: 5 * time.Millisecond, recover: r.Recover}, without(fetch), visible)
	return ctx, l
}

// without reads without clients.
func without[K comparable, V any](fetch func(context.Context, []K) map[K]clients.Answer[V]) read[K, V] {
	return func(ctx context.Context, _ *clients.Clients, keys []K) map[K]clients.Answer[V] {
		return fetch(ctx, keys)
	}
}

func itself(k int) (int, bool) { return k, k != 0 }

func TestOneKeyFailsAlone(t *testing.T) {
	broken := errors.New("broken")
	ctx, l := testLoader(t, func(_ context.Context, keys []int) map[int]clients.Answer[string] {
		return map[int]clients.Answer[string]{1: {Value: "one"}, 2: {Err: broken}, 4: {Value: "hidden"}}
	}, func(v string) bool { return v != "hidden" })
	got, err := each(ctx, l, []int{1, 2, 3, 4, 0, 1}, itself, same)
	failed, ok := err.(graphql.BatchErrorList)
	if !ok || len(failed) != 6 || !errors.Is(failed[1], broken) {
		t.Fatalf("errors %v", err)
	}
	for i, e := range failed {
		if (e != nil) != (i == 1) {
			t.Errorf("key %d: %v", i, e)
		}
	}
	if want := []string{"one", "", "", "", "", "one"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestKeysOfOneLevelAreOneBatch(t *testing.T) {
	var batches atomic.Int32
	var asked []int
	ctx, l := testLoader(t, func(_ context.Context, keys []int) map[int]clients.Answer[string] {
		batches.Add(1)
		asked = append(asked, keys...)
		return nil
	}, nil)
	var fields sync.WaitGroup
	for list := range 10 {
		fields.Go(func() {
			if _, err := each(ctx, l, []int{list + 1, list + 2, list + 3}, itself, same); err != nil {
				t.Error(err)
			}
		})
	}
	fields.Wait()
	if slices.Sort(asked); batches.Load() != 1 || !slices.Equal(asked, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}) {
		t.Errorf("%d batches for %v", batches.Load(), asked)
	}
}

func TestAPanicFailsItsKeysOnly(t *testing.T) {
	ctx, l := testLoader(t, func(context.Context, []int) map[int]clients.Answer[string] { panic("secret") }, nil)
	_, _, err := one(ctx, l, 1)
	if !errors.Is(err, errPanic) || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v", err)
	}
	reads := listed(func(context.Context, *clients.Clients, []int, listArgs) map[int]clients.Answer[string] {
		panic("secret")
	})
	var lists loader[listOf[int], string]
	lists.setUp(&loading{ctx: ctx, recover: func(context.Context, any) error { return errPanic }}, reads, nil)
	answers := lists.guarded(ctx, []listOf[int]{{1, listArgs{TopLevel: true}}, {1, listArgs{}}})
	if len(answers) != 2 || !errors.Is(answers[listOf[int]{1, listArgs{}}].Err, errPanic) {
		t.Errorf("answers %v", answers)
	}
}

// TestAFieldsEndHarmsNoOther has the field that asks first give up while the others wait.
func TestAFieldsEndHarmsNoOther(t *testing.T) {
	ctx, l := testLoader(t, func(ctx context.Context, keys []int) map[int]clients.Answer[string] {
		if ctx.Err() != nil {
			return map[int]clients.Answer[string]{1: {Err: ctx.Err()}, 2: {Err: ctx.Err()}}
		}
		return map[int]clients.Answer[string]{1: {Value: "one"}, 2: {Value: "two"}}
	}, nil)
	first, cancel := context.WithCancel(ctx)
	thunk := l.ask(first, 1)
	cancel()
	if v, _, err := one(ctx, l, 2); v != "two" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	if f, err := thunk(); f.Value != "one" || err != nil {
		t.Errorf("%q, %v", f.Value, err)
	}
}

func TestListsAreReadOncePerArguments(t *testing.T) {
	var mu sync.Mutex
	calls := map[listArgs][]int{}
	fetch := listed(func(_ context.Context, _ *clients.Clients, ids []int, a listArgs) map[int]clients.Answer[string] {
		mu.Lock()
		defer mu.Unlock()
		calls[a] = append(calls[a], ids...)
		answers := map[int]clients.Answer[string]{}
		for _, id := range ids {
			answers[id] = clients.Answer[string]{Value: string(a.Visibility)}
		}
		return answers
	})
	public, own := listArgs{Visibility: clients.VisibilityPublic}, listArgs{Visibility: clients.VisibilityAuthor}
	answers := fetch(t.Context(), nil, []listOf[int]{{1, public}, {2, own}, {3, public}})
	if len(calls) != 2 || !slices.Equal(calls[public], []int{1, 3}) || !slices.Equal(calls[own], []int{2}) {
		t.Errorf("calls %v", calls)
	}
	if answers[listOf[int]{2, own}].Value != "author" || answers[listOf[int]{3, public}].Value != "public" || len(answers) != 3 {
		t.Errorf("answers %v", answers)
	}
}

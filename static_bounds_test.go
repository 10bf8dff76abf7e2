package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"

	"tributary/internal/engine"
	"tributary/internal/limit"
	"tributary/internal/operation"
)

// TestNothingExceedsItsStaticBound runs drawn operations and counts, place by place, the objects in their answers, and the calls of resolvers.
func TestNothingExceedsItsStaticBound(t *testing.T) {
	worlds := map[string]func(t *testing.T) map[string]string{
		"demo":                    func(t *testing.T) map[string]string { return startUpstream(t, startDemo(t, seededDir(t))).urls },
		"one where services fail": startWorld,
	}
	for name, world := range worlds {
		t.Run(name, func(t *testing.T) {
			urls := world(t)
			b := &bounded{contest: newContest(t, urls, openStores(t, urls), shipped)}
			b.inner = b.other.(*operation.Planned)
			b.inner.Stock.Around = func(context.Context) graphql.FieldMiddleware { return b.count }
			b.pipeline.Executor = b
			first := oracleSeed(t)
			for seed := first; seed < first+oracleOperations(t) && !t.Failed(); seed++ {
				b.round(t, seed)
			}
			t.Logf("%d objects of at most %d, %d calls of at most %d", b.objects, b.most.objects, b.called, b.most.calls)
			if b.objects == 0 || b.called == 0 {
				t.Error("there was nothing to count")
			}
		})
	}
}

// bounded stands in for an executor: it runs operations and holds their answers to what was told of them before.
type bounded struct {
	*contest
	inner           *operation.Planned
	calls           atomic.Int64 // of the operation under way
	err             error
	objects, called int64
	most            struct{ objects, calls int64 }
}

func (b *bounded) round(t *testing.T, seed uint64) {
	drawn, err := b.generator.Draw(seed)
	if err != nil {
		t.Fatal(err)
	}
	request := drawn.Request
	request.Query = typed(t, request.Query)
	prepared, errs := b.pipeline.Prepare(b.view, request)
	if errs != nil {
		return // __typename everywhere is more than the bounds allow
	}
	b.err, b.panics = nil, seed%8 == 0
	b.pipeline.Run(t.Context(), prepared, operation.Call{Viewer: viewerOf(seed), RequestID: fmt.Sprint("world-", seed)})
	if b.err != nil {
		t.Errorf("seed %d: %v in\n%s\nwith %v", seed, b.err, request.Query, request.Variables)
	}
}

// typed asks for the type of every object.
func typed(t *testing.T, query string) string {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		t.Fatal(err)
	}
	var walk func(set ast.SelectionSet) ast.SelectionSet
	walk = func(set ast.SelectionSet) ast.SelectionSet {
		for _, selection := range set {
			switch s := selection.(type) {
			case *ast.Field:
				if len(s.SelectionSet) > 0 {
					s.SelectionSet = walk(s.SelectionSet)
				}
			case *ast.InlineFragment:
				s.SelectionSet = walk(s.SelectionSet)
			}
		}
		return append(set, &ast.Field{Alias: "__typename", Name: "__typename"})
	}
	for _, op := range doc.Operations {
		op.SelectionSet = walk(op.SelectionSet)
	}
	for _, fragment := range doc.Fragments {
		fragment.SelectionSet = walk(fragment.SelectionSet)
	}
	var text bytes.Buffer
	formatter.NewFormatter(&text).FormatQueryDocument(doc)
	return text.String()
}

func (b *bounded) count(ctx context.Context, next graphql.Resolver) (any, error) {
	b.calls.Add(1)
	return next(ctx)
}

// Execute runs an operation as the shipped executor does, and has in err what it came to more than was told.
func (b *bounded) Execute(ctx context.Context, op *operation.Prepared, denied operation.Denied) *operation.Result {
	ctx = limit.WithCharge(ctx, limit.Charge{Decision: &limit.Decision{Buckets: []limit.BucketState{{Name: "user", Unit: "points", Size: 100, Available: 93, RestoreRate: 1.5}}}})
	b.calls.Store(0)
	result := steady{b.contest, b.inner}.Execute(ctx, op, denied)
	static, err := sketched(b.inner.Tables, &operation.Outline{Prepared: op})
	if err != nil {
		b.err = err
		return result
	}
	total := static.Totals()
	calls := b.calls.Load()
	b.called, b.most.calls, b.most.objects = b.called+calls, b.most.calls+total.Calls, b.most.objects+total.Objects
	if calls > total.Calls {
		b.err = fmt.Errorf("%d calls, more than %d", calls, total.Calls)
	}
	var data map[string]any
	if err := json.Unmarshal(result.Data, &data); err != nil || static.Plan.Cut {
		b.err = fmt.Errorf("%w, cut: %v", err, static.Plan.Cut)
	}
	if data != nil {
		b.hold(nil, []any{data}, static.Plan.Places, op.Cost.Sizes(op.Variables))
	}
	return result
}

// hold compares the objects at every place below some objects, which are of one type.
func (b *bounded) hold(path []string, parents []any, places []engine.Place, sizes limit.Sizes) {
	for _, place := range places {
		if place.Type == "" || strings.HasPrefix(place.Name, "__") {
			continue
		}
		byType, n := map[string][]any{}, int64(0)
		for _, parent := range parents {
			for _, object := range objectsIn(parent.(map[string]any)[place.Key]) {
				typ := object.(map[string]any)["__typename"].(string)
				byType[typ] = append(byType[typ], object)
				n++
			}
		}
		at := append(path[:len(path):len(path)], place.Key)
		if b.objects += n; n > sizes.Values(place.Key) {
			b.err = fmt.Errorf("%d objects at %v, more than %d", n, at, sizes.Values(place.Key))
		}
		for _, branch := range place.Below {
			below, ok := sizes.Below(place.Key, branch.Type)
			if !ok {
				b.err = fmt.Errorf("nothing is known of %s at %v", branch.Type, at)
			}
			b.hold(at, byType[branch.Type], branch.Places, below)
			delete(byType, branch.Type)
		}
		if len(byType) > 0 {
			b.err = fmt.Errorf("other types at %v than were told: %v", at, byType)
		}
	}
}

// objectsIn are the objects that a field came to.
func objectsIn(value any) []any {
	switch value := value.(type) {
	case nil:
		return nil
	case []any:
		var all []any
		for _, element := range value {
			all = append(all, objectsIn(element)...)
		}
		return all
	}
	return []any{value}
}

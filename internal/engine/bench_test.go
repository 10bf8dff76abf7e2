package engine

import (
	"context"
	"strconv"
	"testing"
)

// hundred is a list of objects, each with five leaves that are read and a sixth behind a batch edge.
func hundred(t testing.TB) (*Plan, fields) {
	var animals []any
	for i := range 100 {
		animals = append(animals, animal(strconv.Itoa(i), fields{"name": "a name of some length"}))
	}
	z := newZoo(t, fields{"all": animals})
	mates := make([]any, len(animals))
	for i := range mates {
		mates[i] = animals[i%7]
	}
	z.Type("Animal").Fields["mate"].Batch = func(context.Context, []any, map[string]any) ([]any, error) { return mates, nil }
	plans, vars := z.plans(t, `{all{id name nick x: id y: name mate{id}}}`, nil)
	plan, err := plans.For(vars)
	if err != nil {
		t.Fatal(err)
	}
	return plan, vars
}

func BenchmarkExecute(b *testing.B) {
	plan, vars := hundred(b)
	ctx := inOperation(b.Context(), vars)
	b.SetBytes(int64(len(plan.Execute(ctx, Run{}))))
	b.ReportAllocs()
	for b.Loop() {
		plan.Execute(ctx, Run{})
	}
}

// TestAllocations holds what an answer costs: a number for each field, none for each object.
func TestAllocations(t *testing.T) {
	plan, vars := hundred(t)
	ctx := inOperation(t.Context(), vars)
	if n := testing.AllocsPerRun(50, func() { plan.Execute(ctx, Run{}) }); n > 60 {
		t.Errorf("%v allocations for 100 objects", n)
	}
}

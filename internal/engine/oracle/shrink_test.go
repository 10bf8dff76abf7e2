package oracle

import (
	"strings"
	"testing"

	"tributary/internal/operation"
)

func TestShrinkLeavesWhatDiffers(t *testing.T) {
	_, prepare := prepared(t, zoo)
	large := operation.Request{
		Query: `query Q($on: Boolean! = true, $ids: [ID!]!, $k: Kind) {
  thing { __typename ... on Stone { weight sound } }
  animals(ids: $ids, kind: $k) @include(if: $on) { id ...F friends(first: 2) { id ... @skip(if: false) { ... on Named { id nick name } } } }
}
fragment F on Animal { name ... on Dog { barks ...G } }
fragment G on Dog { sound barks }`,
		Variables: map[string]any{"ids": []any{"1"}, "k": "DOG", "on": true},
	}
	runs := 0
	small := Shrink(large, func(r operation.Request) bool {
		runs++
		_, errs := prepare(r)
		return errs == nil && strings.Contains(r.Query, "nick")
	})
	const want = "query Q ($ids: [ID!]!) { animals(ids: $ids) { friends { ... on Named { nick } } } }"
	if got := strings.Join(strings.Fields(small.Query), " "); got != want {
		t.Errorf("%d runs left\n%s, want\n%s", runs, got, want)
	}
	if len(small.Variables) != 1 {
		t.Errorf("variables %v", small.Variables)
	}
}

// TestShrinkOfDrawnOperations holds that each step can be prepared or is refused, and that it ends.
func TestShrinkOfDrawnOperations(t *testing.T) {
	g := zooGenerator(t)
	for seed := range uint64(60) {
		drawn, err := g.Draw(seed)
		if err != nil {
			t.Fatal(err)
		}
		runs := 0
		small := Shrink(drawn.Request, func(r operation.Request) bool {
			runs++
			_, errs := g.Prepare(r)
			return errs == nil
		})
		if runs > shrinkRuns || strings.Count(small.Query, "\n") > 5 {
			t.Errorf("seed %d: %d runs left\n%s", seed, runs, small.Query)
		}
	}
}

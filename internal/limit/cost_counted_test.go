package limit

import (
	"fmt"
	"strings"
	"testing"
)

// located reads places such as "user User 1, .posts PostConnection 1, ..nodes Post 10": as many dots in front as there are places
// between one and the root.
func located(t *testing.T, text string) []Place {
	t.Helper()
	places := []Place{{Above: -1, Type: "Query", Objects: 1}}
	last := map[int]int{0: 0} // of each depth
	for part := range strings.SplitSeq(text, ", ") {
		bare := strings.TrimLeft(part, ".")
		depth := len(part) - len(bare) + 1
		place := Place{Above: last[depth-1]}
		if _, err := fmt.Sscan(bare, &place.Key, &place.Type, &place.Objects); err != nil {
			t.Fatalf("%q: %v", part, err)
		}
		last[depth] = len(places)
		places = append(places, place)
	}
	return places
}

func TestCounted(t *testing.T) {
	plan := planner(t, costSchema)
	const some = `query($x: Boolean!)`
	for _, tt := range []struct {
		query, places string
		want          int64 // below 0: counts do not tell
	}{
		{`{user{posts(first: 10){nodes{id author{age}}}}}`, "user User 1, .posts PostConnection 1, ..nodes Post 3, ...author User 2", 2 + 3 + 2*3},
		{`{user{id}}`, "user User 1", 1},
		{`{users{age}}`, "users User 0", 0},
		{`{matrix{id}}`, "matrix User 4", 4},
		{`{a: user{id} b: user{age}}`, "b User 1", 3},
		{`{a: search user{age}}`, "user User 1", 6 + 3},
		{`{__schema{description} users{id}}`, "__schema __Schema 1, users User 2", 10 + 2},

		// types
		{`{things{... on User{age} ... on Robot{serial} ... on Post{title}}}`, "things User 2, things Robot 1, things Post 3", 16}, // 2 × 3 + 6.5 + 3
		{`{things{__typename ... on Post{name: title} ... on Robot{name}}}`, "things Post 1, things Robot 2", 1 + 2*8},
		{`{things{... on Post{name: title} ... on Robot{name}}}`, "things Post 1, things Robot 2", -1},
		{`{things{... on Post{t: __typename} ... on Robot{t: serial}}}`, "things Post 1", -1},
		{some + `{things{__typename @include(if: $x) ... on Post{name: title} ... on Robot{name}}}`, "things Post 1", -1},
		{some + `{things{id: __typename ... on Post{title @skip(if: $x)} ... on Robot{name @include(if: $x)}}}`, "things Post 2, things Robot 1", 2 + 8},
		{some + `{things{... on Post{title @skip(if: $x)} ... on Robot{name}}}`, "things Post 1", -1}, // a user without fields may be a post

		// weights of values
		{`{user{mood}}`, "user User 1", -1},
		{`{blobs}`, "user User 0", -1},
	} {
		places := located(t, tt.places)
		got, ok := plan(tt.query).Counted(vars{"x": true}, len(places), func(i int) Place { return places[i] })
		if ok != (tt.want >= 0) || ok && got != tt.want {
			t.Errorf("%s with %s: %d, %t, want %d", tt.query, tt.places, got, ok, tt.want)
		}
	}
	undecided := plan(`query($x: Boolean = true){users{age @include(if: $x)}}`)
	places := located(t, "users User 2")
	if got, ok := undecided.Counted(nil, len(places), func(i int) Place { return places[i] }); ok {
		t.Errorf("counts tell of a variable that is not there: %d", got)
	}
}

// TestCountabilityHasABound holds that telling many large selections apart ends early.
func TestCountabilityHasABound(t *testing.T) {
	var sdl, query strings.Builder
	sdl.WriteString("type Query { n: N } interface N { x: Int }")
	query.WriteString("{n{")
	const fields = 100
	for i := range 30 {
		fmt.Fprintf(&sdl, " type T%d implements N @cost(weight: \"%d\") { x: Int }", i, i)
		fmt.Fprintf(&query, "... on T%d{", i)
		for j := range fields {
			fmt.Fprintf(&query, "a%d: x ", (j*7+i*13)%fields)
		}
		query.WriteString("}")
	}
	plan := planner(t, Directives+sdl.String())(query.String() + "}}")
	if c := (countability{plan, maxCompared}); c.Plan.countable() {
		t.Error("types with the same response keys are told apart")
	}
	if c := (countability{plan, fields}); c.apart(plan.steps[len(plan.steps)-1].shapes[0], plan.steps[len(plan.steps)-1].shapes[1]) || c.spare >= 0 {
		t.Error("compared all the same")
	}
}

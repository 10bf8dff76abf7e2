package limit

import (
	"math"
	"strings"
	"testing"
)

func TestSizes(t *testing.T) {
	plan := planner(t, costSchema)
	for _, c := range []struct {
		query     string
		variables vars
		path      string // key:Type and so on, the last one a key
		want      int64
	}{
		{`{user{id}}`, nil, "user", 1},
		{`{user{id}}`, nil, "user:User.best", 0},
		{`{users{id}}`, nil, "users", 10},
		{`{users(max: -4){id}}`, nil, "users", 0},
		{`query($n: Int){users(max: $n){best{id}}}`, vars{"n": int64(7)}, "users:User.best", 7},
		{`query($n: Int){users(max: $n){best{id}}}`, nil, "users:User.best", 10},
		{`query($b: Boolean!){users @include(if: $b){id}}`, vars{"b": false}, "users", 0},
		{`query($b: Boolean!){users @include(if: $b){id}}`, nil, "users", 10},
		{`{users{open: best{id} best{best{id}}}}`, nil, "users:User.best:User.best", 10},
		{`{open{id}}`, nil, "open", 100},
		{`{matrix{id}}`, nil, "matrix", 200},
		{`{user{posts(first: 10){nodes{similar{id}}}}}`, nil, "user:User.posts:PostConnection.nodes:Post.similar", 30},
		{`{__schema{types{name}}}`, nil, "__schema:__Schema.types", 0},
		{`{open(limit: 2147483647){a: friends(first: 2147483647){a: friends(first: 2147483647){id}}}}`, nil, "open:User.a:User.a", math.MaxInt64},
	} {
		at := plan(c.query).Sizes(c.variables)
		steps := strings.Split(c.path, ".")
		for _, step := range steps[:len(steps)-1] {
			key, typ, _ := strings.Cut(step, ":")
			at, _ = at.Below(key, typ)
		}
		if got := at.Values(steps[len(steps)-1]); got != c.want {
			t.Errorf("%s with %v has %d of %s, want %d", c.query, c.variables, got, c.path, c.want)
		}
	}
}

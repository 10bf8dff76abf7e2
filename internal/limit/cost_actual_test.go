package limit

import (
	"math"
	"reflect"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// at makes a path of names and indices.
func at(elements ...any) ast.Path {
	var path ast.Path
	for _, element := range elements {
		switch element := element.(type) {
		case string:
			path = append(path, ast.PathName(element))
		case int:
			path = append(path, ast.PathIndex(element))
		}
	}
	return path
}

func failed(elements ...any) Failure  { return Failure{Path: at(elements...)} }
func refused(elements ...any) Failure { return Failure{Path: at(elements...), Free: true} }

func TestActual(t *testing.T) {
	plan := planner(t, costSchema)
	const (
		posts  = `{user{posts(first: 10){nodes{id author{age}}}}}` // 1 + 1 + 10 × (1 + 1 + 2) = 42
		things = `{things{... on User{age} ... on Robot{serial} ... on Post{title}}}`
		same   = `{things{... on Post{name: title} ... on Robot{name}}}`
		told   = `{things{__typename ... on Post{name: title} ... on Robot{name}}}`
		mixed  = `{things{... on Post{t: __typename} ... on Robot{t: serial}}}`
	)
	tests := []struct {
		query, data string
		failures    []Failure
		want        int64
	}{
		// counting
		{`{__typename}`, `{"__typename":"Query"}`, nil, 0},
		{`{__schema{types{name}}}`, `{"__schema":{"types":[]}}`, nil, 10},
		{`{user{id}}`, `{"user":{"id":"1"}}`, nil, 1},
		{`{user{id}}`, `{"user":null}`, nil, 0},
		{`mutation{touch}`, `{"touch":null}`, nil, 10},
		{`mutation{heavy{id}}`, `{"heavy":null}`, nil, 20},
		{`{user{age}}`, `{"user":{"age":null}}`, nil, 3},
		{`{users{age}}`, `{"users":[{"age":1},null,{"age":2}]}`, nil, 6},
		{`{users{age}}`, `{"users":[]}`, nil, 0},
		{`{matrix{id}}`, `{"matrix":[[{"id":"1"},{"id":"2"}],null,[]]}`, nil, 2},
		{`{blobs}`, `{"blobs":["a",null,{"b":["c"]},["]"],1.5e3,true,false]}`, nil, 2}, // 6 × 0.25
		{`{search}`, `{"search":["a","b"]}`, nil, 6},
		{`{a: user{id} b: user{id}}`, `{"b":{"id":"1"},"a":null}`, nil, 1},
		{`{user{best{best{age}}}}`, ` { "user" : { "best" : { "best" : { "age" : 7 } } } } `, nil, 5},
		{`{user{name best{id}}}`, `{"user":{"name":"\"}\\\\\"\\","best":{"id":"]"}}}`, nil, 2},
		{posts, `{"user":{"posts":{"nodes":[]}}}`, nil, 2},
		{posts, `{"user":{"posts":{"nodes":[{"id":"1","author":null},{"id":"2","author":{"age":3}}]}}}`, nil, 2 + 1 + 4},
		{posts, `{"user":{"posts":null}}`, nil, 1},

		// failures
		{posts, `{"user":{"posts":null}}`, []Failure{failed("user", "posts")}, 42},
		{posts, `{"user":{"posts":null}}`, []Failure{failed("user", "posts", "nodes", 3, "author")}, 42},
		{posts, `{"user":{"posts":null}}`, []Failure{refused("user", "posts")}, 1},
		{posts, `{"user":{"posts":null}}`, []Failure{refused("user", "posts"), failed("user", "posts")}, 42},
		{posts, `{"user":{"posts":null}}`, []Failure{failed("user"), failed("user", "post"), failed("user", "posts2"), failed("users", "posts"), failed()}, 1},
		{posts, `{"user":{"posts":{"nodes":[{"id":"1","author":null},{"id":"2","author":null},{"id":"3","author":null}]}}}`,
			[]Failure{failed("user", "posts", "nodes", 2, "author"), refused("user", "posts", "nodes", 0, "author")}, 2 + 1 + 1 + (1 + 3)},
		{posts, `{"user":null}`, []Failure{failed("user")}, 42},
		{`{user{age}}`, `{"user":{"age":null}}`, []Failure{refused("user", "age")}, 1},
		{`{users{age}}`, `{"users":[null,null,null]}`, []Failure{failed("users", 1, "age"), refused("users", 2, "age")}, 3},
		{`{matrix{id}}`, `{"matrix":[null,[null]]}`, []Failure{failed("matrix", 0, 5), failed("matrix", 1, 0, "id")}, 100 + 1},
		{`{search}`, `{"search":null}`, []Failure{failed("search")}, 6},
		{`{search}`, `{"search":null}`, []Failure{refused("search")}, 0},
		{`{search}`, `{"search":["a"]}`, []Failure{failed("search", 1)}, 6},
		{`{a: search user{age}}`, `null`, []Failure{refused("a")}, 3},
		{`{a: search user{age}}`, `null`, []Failure{failed("user")}, 9},
		{`{a: search user{age}}`, `null`, nil, 9},

		// types
		{things, `{"things":[{"age":1},{"serial":"x"}]}`, nil, 3 + 7}, // 6.5
		{things, `{"things":[{"title":"x"},{}]}`, nil, 1 + 5},         // what has no key that tells may be a robot
		{same, `{"things":[{"name":"x"}]}`, nil, 5 + 3},
		{told, `{"things":[{"__typename":"Post","name":"x"},{"name":"x","__typename":"Robot"}]}`, nil, 1 + 8},
		{told, `{"things":[{"__typename":"User"}]}`, nil, 1},
		{told, `{"things":[{"__typename":"Ghost","name":"x"}]}`, nil, 8},
		{mixed, `{"things":[{"t":"Post"}]}`, nil, 7}, // the serial of a robot
		{`{things{...T ... on User{best{...T}}}} fragment T on User{age best{id}}`, `{"things":[{"age":1,"best":{"id":"1","age":2,"best":null}}]}`, nil, 3 + 3},

		// what is no answer costs the estimate
		{posts, ``, nil, 42},
		{posts, `{`, nil, 42},
		{posts, `{"user"`, nil, 42},
		{posts, `{"user":{"posts":{"nodes":[{"id":"1","auth`, nil, 42},
		{posts, `{"user":{"posts":{"nodes":[]}}`, nil, 42},
		{posts, `{"user":{"posts":{"nodes":[]}}}}`, nil, 42},
		{posts, `{"user":{"posts":{"nodes":[]}}} {}`, nil, 42},
		{posts, `{"user":{"posts":{"nodes":{}}}}`, nil, 42},
		{posts, `{"user":[]}`, nil, 42},
		{posts, `{"user":nul}`, nil, 42},
		{posts, `{"user":{"posts":{"nodes":[{"id":x}]}}}`, nil, 42},
		{posts, `{"user":{"posts":{"nodes":[,]}}}`, nil, 42},
		{posts, `[]`, nil, 42},
		{posts, `7`, nil, 42},
	}
	for _, test := range tests {
		p := plan(test.query)
		if got := p.Actual(nil, []byte(test.data), test.failures); got != test.want {
			t.Errorf("%s returned %s, failed %v: %d, want %d of %d", test.query, test.data, test.failures, got, test.want, p.Estimate(nil))
		}
	}
}

func TestActualTakesVariables(t *testing.T) {
	plan := planner(t, costSchema)
	const data = `{"users":[{"age":1},{"age":2}]}`
	p := plan(`query($n: Int, $x: Boolean!){users(max: $n){age @include(if: $x)}}`)
	for x, want := range map[bool]int64{true: 6, false: 2} {
		if got := p.Actual(vars{"n": int64(5), "x": x}, []byte(data), nil); got != want {
			t.Errorf("with %v: %d, want %d", x, got, want)
		}
	}
	if got := p.Actual(vars{"n": int64(4), "x": true}, []byte(`{"users":null}`), []Failure{failed("users")}); got != 12 {
		t.Errorf("a failed list of four: %d, want 12", got)
	}
	huge := plan(`{users(max: 2147483647){friends(first: 2147483647){id}}}`)
	if got := huge.Actual(nil, []byte(`{"users":null}`), []Failure{failed("users")}); got != math.MaxInt64 {
		t.Errorf("a failed list of too many: %d, want MaxInt64", got)
	}
}

// TestActualBoundsReadingAgain nests objects of unknown types, each of which has to be tried as two, deeper than twice over can go.
func TestActualBoundsReadingAgain(t *testing.T) {
	const sdl = Directives + `
		type Query { n: N } interface N { n: N } type A implements N { n: N } type B implements N @cost(weight: "2") { n: N }`
	query, data := `{n{__typename}}`, `{"n":{}}`
	for range 60 {
		query, data = `{n`+query+`}`, `{"n":`+data+`}`
	}
	p := planner(t, sdl)(query)
	if got, most := p.Actual(nil, []byte(data), nil), p.Estimate(nil); got != most {
		t.Errorf("%d, want the estimate, %d", got, most)
	}
}

func TestFields(t *testing.T) {
	plan := planner(t, costSchema)
	const query = `query($x: Boolean!){user{name posts(first: 10){nodes{author{age}}}} things{... on Robot{serial} ... on User{name}} matrix{id} no: cheap @include(if: $x)}`
	want := []FieldCost{
		{[]string{"user"}, 1, 42, 41},
		{[]string{"user", "name"}, 0, 0, 0},
		{[]string{"user", "posts"}, 1, 41, 40},
		{[]string{"user", "posts", "nodes"}, 1, 40, 30},
		{[]string{"user", "posts", "nodes", "author"}, 1, 30, 20},
		{[]string{"user", "posts", "nodes", "author", "age"}, 2, 20, 0},
		{[]string{"things"}, 5, 13, 3},
		{[]string{"things", "serial"}, 2, 3, 0},
		{[]string{"matrix"}, 1, 200, 0},
		{[]string{"matrix", "id"}, 0, 0, 0},
	}
	p := plan(query)
	got := p.Fields(vars{"x": false})
	if len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	sum := int64(0)
	for i, field := range got {
		if !reflect.DeepEqual(field, want[i]) {
			t.Errorf("%+v, want %+v", field, want[i])
		}
		if len(field.Path) == 1 {
			sum += field.RequestedTotalCost
		}
	}
	if estimate := p.Estimate(vars{"x": false}); sum != estimate {
		t.Errorf("root fields cost %d, the operation %d", sum, estimate)
	}
}

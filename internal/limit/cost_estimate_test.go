package limit

import (
	"encoding/json"
	"math"
	"testing"
)

type vars = map[string]any

func TestEstimate(t *testing.T) {
	plan := planner(t, costSchema)
	tests := []struct {
		query     string
		variables vars
		want      int64
	}{
		// types and fields
		{`{__typename}`, nil, 0},
		{`{user{name}}`, nil, 1},
		{`{user{__typename name age}}`, nil, 1 + 2},
		{`{a: user{id} b: user{id}}`, nil, 2},
		{`{user{mood}}`, nil, 2},                  // 1.5 rounded up
		{`{a: user{mood} b: user{mood}}`, nil, 3}, // and added before that
		{`{cheap}`, nil, 0},                       // floored
		{`{cheap user{id}}`, nil, 1},              // by itself
		{`{blobs}`, nil, 2},                       // 8 × 0.25
		{`{user{best{best{age}}}}`, nil, 1 + 1 + 3},
		{`mutation{touch}`, nil, 10},
		{`mutation{a: touch b: touch}`, nil, 20},
		{`mutation{addPost{post{id}}}`, nil, 10 + 1 + 1},
		{`mutation{heavy{id}}`, nil, 20 + 1},
		{`{__schema{types{name fields{name type{ofType{name}}}}}}`, nil, 10},
		{`{__schema{types{name}} __type(name: "User"){name}}`, nil, 20},

		// sizes
		{`{users{id}}`, nil, 10},
		{`{users(max: 5){age}}`, nil, 5 * (1 + 2)},
		{`{users(max: -4){age}}`, nil, 0},
		{`{users(max: null){id}}`, nil, 1},
		{`query($n: Int){users(max: $n){id}}`, vars{"n": int64(7)}, 7},
		{`query($n: Int){users(max: $n){id}}`, vars{"n": json.Number("8")}, 8},
		{`query($n: Int){users(max: $n){id}}`, vars{"n": int64(-8)}, 0},
		{`query($n: Int){users(max: $n){id}}`, nil, 10},
		{`query($n: Int){users(max: $n){id}}`, vars{"n": nil}, 1},
		{`query($n: Int = 3){users(max: $n){id}}`, vars{"n": int64(3)}, 3},
		{`{top{id}}`, nil, 4},
		{`{top(limit: 2){id}}`, nil, 2},
		{`{top(limit: 9){id}}`, nil, 9},
		{`query($n: Int){top(limit: $n){id}}`, vars{"n": nil}, 4},
		{`{open{id}}`, nil, 100},
		{`{open(limit: 6){id}}`, nil, 6},
		{`{all{id}}`, nil, 100},
		{`{matrix{id}}`, nil, 2 * 100},
		{`{user{drafts{tags}}}`, nil, 1 + 100},
		{`{user{friends{id}}}`, nil, 1 + 1},
		{`{user{posts(first: 1){nodes{similar{id}}}}}`, nil, 1 + 1 + 1 + 3},

		// sizes of lists below
		{`{user{posts(first: 10){nodes{id}}}}`, nil, 1 + 1 + 10},
		{`{user{posts(last: 10){edges{cursor node{id}}}}}`, nil, 1 + 1 + 10},
		{`{user{posts(first: 2, last: 6){nodes{id}}}}`, nil, 1 + 1 + 6},
		{`{user{posts{nodes{id}}}}`, nil, 1 + 1 + 1},
		{`{user{posts(first: 10){edges{node{id}} nodes{id}}}}`, nil, 1 + 1 + 10 + 10},
		{`{user{posts(first: 10){all: nodes{id} totalCount pageInfo{more}}}}`, nil, 1 + 1 + 10},
		{`{user{posts(first: 10){...P}}} fragment P on PostConnection{...N} fragment N on PostConnection{nodes{id}}`, nil, 12},
		{`{user{posts(first: 10){... on PostConnection{nodes{id}}}}}`, nil, 12},
		{`{user{posts(first: 10){nodes{author{friends(first: 5){id}}}}}}`, nil, 1 + 1 + 10*(1+1+5)},
		{`{user{a: posts(first: 1){...P} b: posts(first: 9){...P}}} fragment P on PostConnection{nodes{id}}`, nil, 1 + 2 + 10},
		{`query($n: Int){user{posts(first: $n){nodes{id}}}}`, vars{"n": int64(4)}, 1 + 1 + 4},
		{`{find(input: {page: {first: 7}}){page{items{id}}}}`, nil, 1 + 1 + 7},
		{`{find(input: {page: {first: 1, last: 3}}){page{items{id}}}}`, nil, 1 + 1 + 3},
		{`{find(input: {}){page{items{id}}}}`, nil, 1 + 1 + 5},
		{`query($n: Int){find(input: {page: {first: $n}}){page{items{id}}}}`, vars{"n": int64(6)}, 1 + 1 + 6},
		{`query($n: Int){find(input: {page: {first: $n}}){page{items{id}}}}`, nil, 1 + 1 + 1},
		{`query($p: Page){find(input: {page: $p}){page{items{id}}}}`, vars{"p": vars{"last": int64(2)}}, 1 + 1 + 2},
		{`query($i: FindInput!){find(input: $i){page{items{id}}}}`, vars{"i": vars{"page": vars{"first": int64(4)}}}, 1 + 1 + 4},
		{`query($i: FindInput!){find(input: $i){page{items{id}}}}`, vars{"i": vars{}}, 1 + 1 + 5},
		{`query($i: FindInput!){find(input: $i){page{items{id}}}}`, vars{"i": vars{"page": nil}}, 1 + 1 + 1},

		// lengths
		{`{nodes(ids: ["a", "b", "c"]){id}}`, nil, 3 * 5},
		{`{nodes(ids: "a"){id}}`, nil, 5},
		{`query($a: ID!, $b: ID!){nodes(ids: [$a, $b]){id}}`, vars{"a": "1", "b": "2"}, 2 * 5},
		{`query($ids: [ID!]!){nodes(ids: $ids){id}}`, vars{"ids": []any{"1", "2", "3", "4"}}, 4 * 5},
		{`query($ids: [ID!]!){nodes(ids: $ids){id}}`, vars{"ids": []any{}}, 0},

		// possible types
		{`{things{... on User{id} ... on Robot{id}}}`, nil, 2 * 5},
		{`{things{... on User{age friends(first: 3){age}}}}`, nil, 2 * (1 + 2 + 3*3)},
		{`{node(id: "x"){id ... on Robot{serial}}}`, nil, 7}, // 5 + 1.5
		{`{node(id: "x"){... on User{name} ... on Robot{name}}}`, nil, 5 + 3},
		{`{node(id: "x"){... on User{posts(first: 9){nodes{id}}} ... on Post{author{id}}}}`, nil, 1 + 1 + 9},

		// arguments, input objects, directives
		{`{search}`, nil, 5 + 1},
		{`{search(mode: null)}`, nil, 5},
		{`{search(mode: DEEP, filter: null)}`, nil, 6},
		{`{search(filter: {text: "x"})}`, nil, 23}, // 5 + 1 + 15 + 1 + 0.5
		{`{search(filter: {approximate: true, boost: null})}`, nil, 5 + 1 + 15 - 12},
		{`{search(filter: {and: [{approximate: true}, {text: "a"}]})}`, nil, 12}, // 21.5 - 11.5 + 1.5
		{`{search(filter: {and: [{approximate: true}, {approximate: true}, {approximate: true}]}) user{id}}`, nil, 1},
		{`query($f: Filter){search(filter: $f)}`, nil, 6},
		{`query($f: Filter){search(filter: $f)}`, vars{"f": nil}, 6},
		{`query($f: Filter){search(filter: $f)}`, vars{"f": vars{"text": "x", "and": []any{vars{"text": "y"}}}}, 24},
		{`query($f: [Filter!]){search(filter: {and: $f})}`, vars{"f": []any{vars{"boost": nil}, vars{}}}, 22},
		{`query($f: [Filter!]){search(filter: {and: $f}) user{id}}`, vars{"f": []any{vars{"approximate": true}, vars{"approximate": true}}}, 1},
		{`query($s: String){search(filter: {text: $s, boost: null})}`, nil, 21},
		{`query($s: String){search(filter: {text: $s, boost: null})}`, vars{"s": "x"}, 22},
		{`{search @approx(tolerance: 0.5)}`, nil, 5},
		{`{search @trace}`, nil, 7}, // 6.2
		{`{a: search @trace b: search @trace c: search @trace d: search @trace e: search @trace}`, nil, 31},
		{`{search search @trace(level: 2)}`, nil, 7},

		// merging, fragments, @skip and @include
		{`{user{id} user{name age}}`, nil, 3},
		{`{...A ...A ...B} fragment A on Query{user{age}} fragment B on Query{user{age best{id}} ...A}`, nil, 1 + 2 + 1},
		{`{user{age @skip(if: true)}}`, nil, 1},
		{`{user @include(if: false){age} ...A @skip(if: true)} fragment A on Query{all{id}}`, nil, 0},
		{`query($x: Boolean!){user{age @include(if: $x)}}`, vars{"x": true}, 3},
		{`query($x: Boolean!){user{age @include(if: $x)}}`, vars{"x": false}, 1},
		{`query($x: Boolean!){user{age @skip(if: $x) @include(if: $x)}}`, vars{"x": true}, 1},
		{`query($x: Boolean!){user{...A @skip(if: $x)}} fragment A on User{age}`, vars{"x": true}, 1},
		{`query($x: Boolean!){...A @skip(if: $x) ...A @include(if: $x)} fragment A on Query{user{age}}`, vars{"x": true}, 3},
		{mergeTwo, vars{"a": true, "b": false}, 1 + 2},
		{mergeTwo, vars{"a": false, "b": true}, 1 + 2},
		{mergeTwo, vars{"a": true, "b": true}, 1 + 2 + 2},
		{mergeTwo, vars{"a": false, "b": false}, 0},

		// saturation
		{`{users(max: 2147483647){friends(first: 2147483647){friends(first: 2147483647){id}}}}`, nil, math.MaxInt64},
		{`query($n: Int){users(max: $n){friends(first: $n){friends(first: $n){friends(first: 0){id}}}}}`, vars{"n": int64(math.MaxInt64)}, math.MaxInt64},
		{`{users(max: 2147483647){age}}`, nil, 3 * 2147483647},
	}
	for _, test := range tests {
		if got := plan(test.query).Estimate(test.variables); got != test.want {
			t.Errorf("%s with %v: %d, want %d", test.query, test.variables, got, test.want)
		}
	}
}

const mergeTwo = `query($a: Boolean!, $b: Boolean!){user @include(if: $a){age} user @include(if: $b){friends(first: 2){id}}}`

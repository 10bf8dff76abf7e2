package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// attack is one hostile request.
type attack struct {
	name string
	body string // POSTed as JSON; empty: get
	get  string // path and query of a GET
}

// attacks are what strangers send to a GraphQL endpoint to have it work, remember or die.
func attacks() []attack {
	var list []attack
	document := func(name, query string) {
		list = append(list, attack{name: name, body: asBody(query, "")})
	}
	documentWith := func(name, query, variables string) {
		list = append(list, attack{name: name, body: asBody(query, variables)})
	}
	raw := func(name, body string) { list = append(list, attack{name: name, body: body}) }

	nest := func(open string, n int) string {
		return `{ user(id: "user_u1") { ` + strings.Repeat(open+" { nodes { ", n) + "id" + strings.Repeat(" } }", n) + " } }"
	}
	document("500 nested followers", nest("followers(first: 2)", 500))
	document("nested beyond the bound", nest("followers(first: 1)", 11))
	document("100,000 open brackets", strings.Repeat("{a", 100_000))
	document("lists multiplied", `{ posts(first: 100) { nodes { comments(first: 100) { nodes { replies(first: 100) { nodes { id } } } } } } }`)
	documentWith("lists multiplied through variables", `query($n: Int) { posts(first: $n) { nodes { comments(first: $n) { nodes { replies(first: $n) { nodes { id } } } } } } }`, `{"n": 100}`)
	documentWith("lists multiplied through defaults", `query($n: Int = 100) { users(first: $n) { nodes { followers(first: $n) { nodes { posts(first: $n) { nodes { id } } } } } } }`, "")
	documentWith("a list of 2,147,483,647", `query($n: Int) { posts(first: $n) { nodes { id } } }`, `{"n": 2147483647}`)
	documentWith("a list beyond Int", `query($n: Int) { posts(first: $n) { nodes { id } } }`, `{"n": 99999999999999999999}`)
	document("a negative list", `{ posts(first: -2147483648) { nodes { id } } }`)
	documentWith("100,000 ids", `query($i: [ID!]!) { nodes(ids: $i) { id } }`, `{"i": [`+strings.TrimSuffix(strings.Repeat(`"user_u1",`, 80_000), ",")+`]}`)
	document("edges and nodes of everything", `{ users(first: 100) { edges { node { followers(first: 100) { edges { node { id } } nodes { id } } } } } }`)

	document("100,000 repeated fields", "{ "+strings.Repeat("__typename ", 80_000)+"}")
	document("9,000 repeated fields", "{ "+strings.Repeat("__typename ", 9_000)+"}")
	document("4,000 repeated fields with fields", "{ "+strings.Repeat("viewer{id}", 1_900)+"}")
	document("alias flood", "{ "+numbered("a%d: __typename ", 3_000)+"}")
	document("aliases of a dear field", "{ "+numbered(`a%d: posts(first: 100) { nodes { id } } `, 200)+"}")
	document("aliases below one field", `{ viewer { `+numbered("a%d: id ", 500)+"} }")
	document("root fields", "{ "+strings.Repeat(`user(id: "user_u1") { id } `, 400)+"}")

	document("fragment bomb, doubling", doubling(30))
	document("fragment bomb, doubling with aliases", strings.ReplaceAll(doubling(20), "__typename", "a: __typename b: __typename"))
	document("fragments that overlap pairwise", "{ "+numbered("...F%d ", 300)+"} "+numbered("fragment F%d on Query { viewer { id name handle } } ", 300))
	document("fragments that spread each other", everyOther(60))
	document("a fragment in itself", "{ ...F } fragment F on Query { ...F }")
	document("fragments in a ring", "{ ...F0 } "+ring(200))
	document("deep fragments", "{ ...F0 } "+chain(900))
	document("unused fragments", "{ __typename } "+numbered("fragment F%d on Query { __typename } ", 1_000))
	document("unknown fragments", "{ "+numbered("...F%d ", 3_000)+"}")

	document("directives on a field", "{ __typename "+strings.Repeat("@include(if: true) ", 1_000)+"}")
	document("unknown directives", "{ __typename "+numbered("@d%d ", 3_000)+"}")
	document("directives on the operation", "query "+numbered("@d%d ", 3_000)+"{ __typename }")
	document("directives with long arguments", "{ __typename @include(if: "+strings.Repeat("[", 4_000)+"true"+strings.Repeat("]", 4_000)+") }")

	document("introspection in a loop", "{ __schema { types { "+strings.Repeat("fields { type { ", 60)+"name"+strings.Repeat(" } }", 60)+" } } }")
	document("introspection, short loop", "{ __schema { types { "+strings.Repeat("fields { type { ", 5)+"name"+strings.Repeat(" } }", 5)+" } } }")
	document("introspection aliased", "{ "+numbered("a%d: __schema { types { name fields { name args { name type { name } } } } } ", 120)+"}")
	document("introspection through possibleTypes", "{ __schema { types { "+strings.Repeat("possibleTypes { ", 8)+"name"+strings.Repeat(" }", 8)+" } } }")

	document("many operations", numbered("query Q%d { __typename } ", 2_000))
	document("many variables", "query("+numbered("$v%d: Int ", 3_000)+") { __typename }")
	document("unknown fields", "{ "+numbered("unknown%d ", 3_000)+"}")
	document("unknown arguments", "{ viewer("+numbered("a%d: 1 ", 3_000)+") { id } }")
	document("a long unknown name", "{ "+strings.Repeat("u", 900_000)+" }")
	document("a long alias", "{ "+strings.Repeat("u", 900_000)+": nothing }")
	document("1 MB of comments", strings.Repeat("#\n", 250_000)+"{")
	document("1 MB of commas", "{"+strings.Repeat(",", 900_000))
	document("deep list literal", "{ nodes(ids: "+strings.Repeat("[", 9_000)+strings.Repeat("]", 9_000)+") { id } }")
	document("deep object literal", "mutation { createPost(input: "+strings.Repeat("{title: ", 4_000)+"1"+strings.Repeat("}", 4_000)+") { post { id } } }")
	document("long string literal", `{ node(id: "`+strings.Repeat("x", 900_000)+`") { id } }`)
	document("long block string", `{ node(id: """`+strings.Repeat("x ", 400_000)+`""") { id } }`)
	document("a number of 100,000 digits", `{ posts(first: `+strings.Repeat("9", 100_000)+`) { nodes { id } } }`)
	document("mutation flood", "mutation { "+numbered(`m%d: createPost(input: {title: "t", body: "b"}) { post { id } } `, 90)+"}")
	document("a cursor of 500 kB", `{ posts(first: 1, after: "`+strings.Repeat("A", 500_000)+`") { nodes { id } } }`)
	document("a subscription by POST", `subscription { postAdded { id } }`)
	document("NUL bytes", "{ \x00\x00 }")

	raw("deep JSON", strings.Repeat(`{"a":`, 100_000))
	raw("deep JSON variables", `{"query":"{ __typename }","variables":{"a":`+strings.Repeat("[", 50_000)+strings.Repeat("]", 50_000)+`}}`)
	raw("wide JSON variables", `{"query":"query($i: [Int]) { __typename }","variables":{"i":[`+strings.TrimSuffix(strings.Repeat("1,", 400_000), ",")+`]}}`)
	raw("a batch", "["+strings.TrimSuffix(strings.Repeat(`{"query":"{ __typename }"},`, 10_000), ",")+"]")
	raw("a body of 5 MB", `{"query":"`+strings.Repeat("x", 5<<20)+`"}`)
	raw("invalid UTF-8", "{\"query\":\"{ \xff\xfe }\"}")
	raw("half a body", `{"query":"{ __type`)
	raw("a number for a query", `{"query":1e400}`)
	raw("extensions as a bomb", `{"query":"{ nothing }","extensions":{"a":`+strings.Repeat(`[`, 30_000)+strings.Repeat(`]`, 30_000)+`}}`)
	list = append(list,
		attack{name: "an oversized GET", get: "/graphql?query=" + url.QueryEscape("{ "+strings.Repeat("a ", 15_000)+"}")},
		attack{name: "a deep GET", get: "/graphql?query=" + url.QueryEscape(nest("followers(first:1)", 60))},
		attack{name: "a mutation by GET", get: "/graphql?query=" + url.QueryEscape(`mutation { createPost(input: {title: "t", body: "b"}) { post { id } } }`)},
		attack{name: "a path that climbs", get: "/graphql/../../etc/passwd?query=%7B"},
	)
	return list
}

func asBody(query, variables string) string {
	text, _ := json.Marshal(query)
	if variables == "" {
		return `{"query":` + string(text) + `}`
	}
	return `{"query":` + string(text) + `,"variables":` + variables + `}`
}

// numbered repeats a pattern with the numbers below n.
func numbered(pattern string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, pattern, i)
	}
	return b.String()
}

// doubling is a document of fragments each of which spreads the next one twice.
func doubling(levels int) string {
	var b strings.Builder
	b.WriteString("{ ...F0 ")
	for i := range levels {
		fmt.Fprintf(&b, "} fragment F%d on Query { ...F%d ...F%d ", i, i+1, i+1)
	}
	fmt.Fprintf(&b, "} fragment F%d on Query { __typename }", levels)
	return b.String()
}

// everyOther is n fragments of which each spreads all that come later.
func everyOther(n int) string {
	var b strings.Builder
	b.WriteString("{ ...F0 } ")
	for i := range n {
		fmt.Fprintf(&b, "fragment F%d on Query { __typename ", i)
		for j := i + 1; j < n; j++ {
			fmt.Fprintf(&b, "...F%d ", j)
		}
		b.WriteString("} ")
	}
	return b.String()
}

func ring(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "fragment F%d on Query { ...F%d } ", i, (i+1)%n)
	}
	return b.String()
}

func chain(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "fragment F%d on Query { ...F%d } ", i, i+1)
	}
	fmt.Fprintf(&b, "fragment F%d on Query { __typename }", n)
	return b.String()
}

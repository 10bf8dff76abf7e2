package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/demo"
)

const entitiesQuery = `query($of: [_Any!]!) { _entities(representations: $of) { __typename ... on User { id name } ... on Post { id title } ... on Comment { id body } } }`

// represent names entities as a federated router does, by their ids.
func represent(ids ...string) map[string]any {
	types := map[string]string{"user": "User", "post": "Post", "comment": "Comment"}
	of := make([]any, len(ids))
	for i, id := range ids {
		kind, _, _ := strings.Cut(id, "_")
		of[i] = map[string]any{"__typename": types[kind], "id": id}
	}
	return map[string]any{"of": of}
}

// idsTo are ids 1 to n of a kind.
func idsTo(kind string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = kind + "_" + kind[:1] + strconv.Itoa(i+1)
	}
	return ids
}

// TestEntitiesAreOneCallForEachKind asks for a hundred of each kind, in turns and twice each, on both executors.
func TestEntitiesAreOneCallForEachKind(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	users, posts, comments := idsTo("user", 100), idsTo("post", 100), idsTo("comment", 100)
	var mixed []string
	for i := range users {
		mixed = append(mixed, users[i], posts[i], users[i])
	}
	for _, executor := range []string{"engine", "gqlgen"} {
		g := openGateway(t, u.urls, func(c *config.Gateway) {
			uncached(c)
			c.Executor = executor
		})
		for _, c := range []struct {
			ids   []string
			calls []string
		}{
			{users, []string{"user GET /users"}},
			{mixed, []string{"post GET /posts", "user GET /users"}},
			{comments, []string{"comment GET /comments", "post GET /posts"}}, // whether they may be read depends on their posts
		} {
			a := ask(t, g, auth.Viewer{}, entitiesQuery, represent(c.ids...))
			entities := at(t, a.Data, "_entities").([]any)
			if len(a.Errors) > 0 || len(entities) != len(c.ids) {
				t.Fatalf("%s: %d entities, errors %v", executor, len(entities), a.Errors)
			}
			for i, entity := range entities {
				if entity != nil && at(t, entity, "id") != c.ids[i] {
					t.Errorf("%s: %v stands where %s was asked for", executor, entity, c.ids[i])
				}
			}
			if got := endpoints(u.take()); !slices.Equal(got, c.calls) {
				t.Errorf("%s: calls %v, want %v", executor, got, c.calls)
			}
		}
	}
}

// TestEntitiesFollowTheRulesOfNodes holds what each role is shown of a draft and what was said on it against nodes.
func TestEntitiesFollowTheRulesOfNodes(t *testing.T) {
	k := startTalk(t, "--no-cache-enabled")
	ids := []string{k.post, k.said, "user_u1", k.answer, "user_nobody", k.said, "post_nothing"}
	shown := map[int]int{}
	for role, token := range k.roles() {
		entities := k.p.post(t, token, entitiesQuery, represent(ids...))
		nodes := k.p.post(t, token, `query($of: [ID!]!) { nodes(ids: $of) { __typename ... on User { id name } ... on Post { id title } ... on Comment { id body } } }`, map[string]any{"of": ids})
		got, want := at(t, entities.Data, "_entities").([]any), at(t, nodes.Data, "nodes").([]any)
		if !reflect.DeepEqual(got, want) || len(entities.Errors)+len(nodes.Errors) > 0 {
			t.Errorf("%s gets %v, through nodes %v; errors %v %v", role, got, want, entities.Errors, nodes.Errors)
		}
		shown[len(slices.DeleteFunc(got, func(v any) bool { return v == nil }))]++
	}
	if want := map[int]int{1: 2, 3: 1, 2: 1, 5: 2}; !maps.Equal(shown, want) { // strangers the user alone, authors their own
		t.Errorf("how many roles are shown how much: %v, want %v", shown, want)
	}
}

func TestRepresentationsThatMakeNoSense(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	g := openGateway(t, u.urls, func(c *config.Gateway) { c.Max.Cost = 0 })
	cases := []struct{ representation, code string }{
		{`{"id": "user_u1"}`, "BAD_REPRESENTATION"},
		{`{"__typename": null, "id": "user_u1"}`, "BAD_REPRESENTATION"},
		{`{"__typename": 7, "id": "user_u1"}`, "BAD_REPRESENTATION"},
		{`{"__typename": "", "id": "user_u1"}`, "UNKNOWN_ENTITY_TYPE"},
		{`{"__typename": "Robot", "id": "user_u1"}`, "UNKNOWN_ENTITY_TYPE"},
		{`{"__typename": "user", "id": "user_u1"}`, "UNKNOWN_ENTITY_TYPE"},
		{`{"__typename": "FollowEdge", "id": "user_u1"}`, "UNKNOWN_ENTITY_TYPE"},
		{`{"__typename": "Node", "id": "user_u1"}`, "UNKNOWN_ENTITY_TYPE"},
		{`{"__typename": "User"}`, "BAD_REPRESENTATION"},
		{`{"__typename": "User", "handle": "tarek_haddad"}`, "BAD_REPRESENTATION"},
		{`{"__typename": "User", "id": null}`, "BAD_REPRESENTATION"},
		{`{"__typename": "User", "id": 1}`, "BAD_REPRESENTATION"},
		{`{"__typename": "User", "id": ["user_u1"]}`, "BAD_REPRESENTATION"},
		{`{"__typename": "User", "id": {"id": "user_u1"}}`, "BAD_REPRESENTATION"},
		{`{"__typename": "User", "id": ""}`, "BAD_REPRESENTATION"},
		{`{"__typename": "User", "id": "u1"}`, "BAD_REPRESENTATION"},
		{`{"__typename": "User", "id": "user_a,b"}`, "BAD_REPRESENTATION"},
		{`{"__typename": "User", "id": "post_p1"}`, "BAD_REPRESENTATION"},
		{`{"__typename": "User", "id": "job_1"}`, "BAD_REPRESENTATION"},
		{`"user_u1"`, "BAD_REPRESENTATION"}, {`7`, "BAD_REPRESENTATION"}, {`true`, "BAD_REPRESENTATION"}, {`["User", "user_u1"]`, "BAD_REPRESENTATION"},
	}
	of, want := []any{}, map[string]string{}
	for i, c := range cases { // each beside one that is good
		var bad any
		if err := json.Unmarshal([]byte(c.representation), &bad); err != nil {
			t.Fatal(err)
		}
		of = append(of, bad, map[string]any{"__typename": "User", "id": "user_u1", "more": []any{1}})
		want[fmt.Sprintf(`"_entities",%d`, 2*i)] = c.code
	}
	a := ask(t, g, auth.Viewer{}, entitiesQuery, map[string]any{"of": of})
	if got := a.codes(); !maps.Equal(got, want) {
		t.Errorf("codes %v, want %v", got, want)
	}
	for i, entity := range at(t, a.Data, "_entities").([]any) {
		if good := find(entity, []any{"name"}) == "Tarek Haddad"; good != (i%2 == 1) || (entity == nil) != (i%2 == 0) {
			t.Errorf("%v stands at %d", entity, i)
		}
	}
	for _, e := range a.Errors {
		if e.Message == "" || strings.Contains(e.Message, "Robot") || strings.Contains(e.Message, "tarek") {
			t.Errorf("the message is %q", e.Message)
		}
	}
	u.take()
	if a := ask(t, g, auth.Viewer{}, entitiesQuery, represent(idsTo("user", 1001)...)); a.codes()[`"_entities"`] != "TOO_MANY_REPRESENTATIONS" || len(u.take()) > 0 {
		t.Errorf("1,001 representations: %v", a.Errors)
	}
	if a := ask(t, g, auth.Viewer{}, entitiesQuery, represent(idsTo("user", 1000)...)); len(a.Errors) > 0 {
		t.Errorf("1,000 representations: %v", a.Errors)
	}
}

func TestEntitiesWithoutTheirService(t *testing.T) {
	d := startDemo(t, seededDir(t))
	g := openGateway(t, startUpstream(t, d).urls, nil)
	breakService(t, d, "post", demo.Fault{ErrorRate: 1})
	a := ask(t, g, auth.Viewer{}, entitiesQuery, represent("user_u1", "post_p1", "user_u2", "comment_c1", "post_p2"))
	want := map[string]string{`"_entities",1`: "SERVICE_UNAVAILABLE", `"_entities",3`: "SERVICE_UNAVAILABLE", `"_entities",4`: "SERVICE_UNAVAILABLE"}
	if got := a.codes(); !maps.Equal(got, want) || len(a.Extensions.Degraded) != 3 {
		t.Errorf("codes %v, degraded %v", got, a.Extensions.Degraded)
	}
	if at(t, a.Data, "_entities", 0, "name") == nil || at(t, a.Data, "_entities", 2, "name") == nil || at(t, a.Data, "_entities", 1) != nil {
		t.Errorf("%v", a.Data)
	}
}

// TestTheSubgraphIsWhatIsServed holds what a router is given, in each version, against what is printed for composition, and who is given it.
func TestTheSubgraphIsWhatIsServed(t *testing.T) {
	p, dir := serveSmallDemo(t, "--introspection", "known")
	token := tokenFor(t, dir, "u1", "")
	printed := map[string]string{}
	for path, version := range map[string]string{"": "0", "/v1": "1", "/v2": "2"} {
		var err error
		if printed[path], err = command(t, "", "schema", "--federation", "--version", version); err != nil {
			t.Fatal(err)
		}
		of := program{url: p.url + path}
		if served := at(t, of.post(t, token, `{ _service { sdl } }`, nil).Data, "_service", "sdl"); served != printed[path] {
			t.Errorf("%s/graphql gives\n%v", path, served)
		}
	}
	if printed[""] != printed["/v1"] || !strings.Contains(printed["/v1"], "followedByViewer") || strings.Contains(printed["/v2"], "followedByViewer") {
		t.Error("the versions are not told apart")
	}
	if a := p.post(t, "", `{ _service { sdl } }`, nil); a.codes()["null"] != "INTROSPECTION_DISABLED" {
		t.Errorf("who may not read the schema gets %v", a)
	}
	for _, want := range []string{`type User implements Node @key(fields: "id")`, `type Post implements Node @key(fields: "id")`, `type Comment implements Node @key(fields: "id")`, "type PageInfo @shareable"} {
		if !strings.Contains(printed["/v2"], want) {
			t.Errorf("no %q", want)
		}
	}
	for _, unwanted := range []string{"_service", "_entities", "_Any", "_Entity", "_Service", "FieldSet", "directive", "@cost", "@listSize", "@authenticated", "@requiresScopes", "@since", "@until", "@sunset", "@goField"} {
		if strings.Contains(printed["/v1"]+printed["/v2"], unwanted) {
			t.Errorf("%q is in it", unwanted)
		}
	}
}

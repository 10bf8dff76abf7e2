package main

import (
	"fmt"
	"strings"
	"testing"

	"tributary/internal/redisclient/redistest"
)

// uses asks an admin's question: who uses what is deprecated, a line each.
func (p *program) uses(t *testing.T, admin string) string {
	t.Helper()
	r := p.send(t, `{ deprecatedUses { coordinate version client clientVersion count firstUsedAt lastUsedAt sunset } }`, "Authorization", "Bearer "+admin)
	if len(r.Errors) > 0 {
		t.Fatal(r.raw)
	}
	var lines strings.Builder
	for _, use := range r.Data["deprecatedUses"].([]any) {
		u := use.(map[string]any)
		fmt.Fprintln(&lines, u["coordinate"], u["version"], u["client"], u["clientVersion"], u["count"])
		if first, last := u["firstUsedAt"].(string), u["lastUsedAt"].(string); first > last || u["sunset"] == nil {
			t.Errorf("%v", u)
		}
	}
	return lines.String()
}

// TestWhoUsesWhatIsDeprecated tells operations that ran from those that did not, and counts nothing of what is not deprecated.
func TestWhoUsesWhatIsDeprecated(t *testing.T) {
	p, dir := serveSmallDemo(t)
	admin := tokenFor(t, dir, "u1", "admin")
	key := p.pinnedKey(t, admin, 0)
	if got := p.uses(t, admin); got != "" {
		t.Errorf("before anybody did: %s", got)
	}
	for range 3 {
		p.send(t, onlyInFirst, "apollographql-client-name", "web", "apollographql-client-version", "1.2")
	}
	p.send(t, onlyInFirst, "X-API-Key", key)
	p.send(t, onlyInFirst, "X-API-Key", key, "GraphQL-Client-Name", "<script>")
	p.send(t, onlyInFirst, "GraphQL-Cost-Debug", "dry-run") // does not run
	p.send(t, `{ user(id: "user_u1") { followedByViewer nothing } }`)
	p.send(t, onlyInSecond, "Api-Version", "2", "apollographql-client-name", "web")
	p.overSocket(t, key, onlyInFirst)
	p.subscribe(t, "", `subscription { postAdded { post { author { followedByViewer } } } }`, "GraphQL-Client-Name", "live")
	const want = "User.followedByViewer 1 web 1.2 3\nUser.followedByViewer 1 key for 0 <nil> 2\nUser.followedByViewer 1 invalid <nil> 1\nUser.followedByViewer 1 live <nil> 1\n"
	if got := p.uses(t, admin); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if n := p.counted(t, `tributary_deprecated_uses_total{client="web",coordinate="User.followedByViewer",version="1"}`); n != 3 {
		t.Errorf("the metric says %v", n)
	}
	for query, token := range map[string]string{
		`{ x: deprecatedUses { count } }`:            tokenFor(t, dir, "u1", ""),
		`{ x: deprecatedUses(first: 0) { count } }`:  admin,
		`{ x: deprecatedUses(first: -1) { count } }`: admin,
	} {
		r := p.send(t, query, "Authorization", "Bearer "+token)
		if code := r.codes()[`"x"`]; code != "FORBIDDEN" && code != "BAD_USER_INPUT" {
			t.Errorf("%s: %s", query, r.raw)
		}
	}
}

// TestReplicasCountUseTogether over Redis, which may be away for a while.
func TestReplicasCountUseTogether(t *testing.T) {
	redis, issuer := redistest.Start(t), startIssuer(t)
	admin := issuer.token(t, map[string]any{"scope": "admin"})
	replicas := startReplicas(t, redis.URL(), 2, "--jwks-url", issuer.url, "--jwt-issuer", "https://id.example", "--jwt-audience", "graph")
	use := func(p *program) { p.send(t, onlyInFirst, "GraphQL-Client-Name", "web") }
	use(replicas[0])
	use(replicas[1])
	use(replicas[1])
	replicas[1].uses(t, admin) // brings what it has
	if got, want := replicas[0].uses(t, admin), "User.followedByViewer 1 web <nil> 3\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	redis.Kill()
	use(replicas[0])
	r := replicas[0].send(t, `{ deprecatedUses { count } }`, "Authorization", "Bearer "+admin)
	if code := r.codes()[`"deprecatedUses"`]; code != "USAGE_UNAVAILABLE" {
		t.Error(r.raw)
	}
	redis.Restart()
	if got, want := replicas[0].uses(t, admin), "User.followedByViewer 1 web <nil> 4\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

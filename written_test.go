package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"tributary/clients"
	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/redisclient/redistest"
	"tributary/internal/telemetry"
)

// everyChange has a value in every member.
var everyChange = clients.Change{
	Kind: "comment", ID: "c1", Version: 7, Type: "comment.updated", Mark: "m",
	AuthorIDs: []string{"u1", "u2"}, PostIDs: []string{"p1"}, ParentIDs: []string{"c0"}, Handles: []string{"ann"},
	Moved: true, Draft: true, Gone: true,
}

// TestWritesHaveOneForm holds what replicas tell each other to what those of other versions read and write.
func TestWritesHaveOneForm(t *testing.T) {
	var applied []clients.Change
	var log bytes.Buffer
	w := &written{apply: func(changes []clients.Change) { applied = append(applied, changes...) }, log: slog.New(slog.NewTextHandler(&log, nil))}
	w.recent(t.Context(), []string{
		`{"k":"comment","i":"c1","v":7,"t":"comment.updated","m":"m","a":["u1","u2"],"p":["p1"],"r":["c0"],"h":["ann"],"moved":true,"draft":true,"gone":true}`,
		``, `null`, `[]`, `{`, `{"k":7}`, `{"k":"user"}`, `{"i":"u1"}`, `{"k":"post","i":"p1","v":"one"}`, "\xff",
		`{"k":"like","i":"l1","v":1,"of":{"a":"newer version"}}`,
	})
	if want := []clients.Change{everyChange, {Kind: "like", ID: "l1", Version: 1}}; !reflect.DeepEqual(applied, want) {
		t.Errorf("%+v", applied)
	}
	if lines := strings.Count(log.String(), "\n"); lines != 1 || strings.Contains(log.String(), "newer version") {
		t.Errorf("%d lines: %s", lines, &log)
	}
	value := reflect.ValueOf(everyChange)
	for i := range value.NumField() {
		if value.Field(i).IsZero() {
			t.Errorf("this test does not know of %s", value.Type().Field(i).Name)
		}
	}
}

// TestWritesAreReadOnce tells of the same writes again and again, and of more than are remembered.
func TestWritesAreReadOnce(t *testing.T) {
	var applied []string
	w := &written{apply: func(changes []clients.Change) { applied = append(applied, changes[0].ID) }}
	list := []string{`{"k":"post","i":"p1","v":1}`, `{"k":"follow","i":"a:b","m":"x"}`, `{"k":"post","i":"bare"}`}
	for range 3 {
		w.recent(t.Context(), list)
	}
	w.recent(t.Context(), append(list, `{"k":"post","i":"p1","v":2}`))
	if got := fmt.Sprint(applied); got != "[p1 a:b bare bare bare bare p1]" {
		t.Error(got)
	}
	for i := range 3 * payloadsBound {
		w.recent(t.Context(), []string{fmt.Sprintf(`{"k":"user","i":"u%d","v":1}`, i)})
	}
	if n := len(w.known.recent) + len(w.known.older); n > 2*payloadsBound || n < payloadsBound {
		t.Errorf("%d are remembered", n)
	}
}

// issued runs replicas that trust an issuer, over services whose events nobody delivers, with caches that would answer for a minute.
func issued(t *testing.T, redis string, n int, args ...string) (replicas []*program, token func(user string) string) {
	t.Helper()
	i := startIssuer(t)
	all := append([]string{
		"--jwks-url", i.url, "--jwt-issuer", "https://id.example", "--jwt-audience", "graph", "--cache-fresh", "60s", "--limit-redis-wait", "1s",
		"--limit-ip-points", "1000000", "--limit-user-points", "1000000", "--user-hedge=false",
	}, args...)
	return startReplicas(t, redis, n, all...), func(user string) string {
		return "Bearer " + i.token(t, jwt.MapClaims{"sub": user})
	}
}

// seen is all that the writes of this test can change: entities, lists, counts and edges.
const seen = `{ user(id: "user_u1") { name stats { posts comments following } posts(first: 3) { totalCount nodes { id title status } } comments(first: 3) { totalCount nodes { id body } }
    activity(first: 3) { totalCount } following(first: 3) { totalCount nodes { id } } }
  posts(first: 3) { totalCount nodes { id title author { name } } }
  post(id: "POST") { title status commentCount comments(first: 3) { totalCount nodes { body isDeleted author { name } } } }
  comment(id: "COMMENT") { body isDeleted }
  other: user(id: "user_u900") { stats { followers } followers(first: 3) { totalCount nodes { id } } followedByViewer } }`

// writes go round: each can be done after those before it. They make the post and the comment that the others change.
var writes = []string{
	`createPost(input: {title: "draft N", body: "b"}) { post { id } userErrors { code } }`,
	`publishPost(input: {id: "POST"}) { userErrors { code } }`,
	`updatePost(input: {id: "POST", title: "title N"}) { userErrors { code } }`,
	`addComment(input: {postId: "POST", body: "comment N"}) { comment { id } userErrors { code } }`,
	`updateComment(input: {id: "COMMENT", body: "changed N"}) { userErrors { code } }`,
	`follow(input: {userId: "user_u900"}) { userErrors { code } }`,
	`updateUser(input: {id: "user_u1", name: "Name N"}) { userErrors { code } }`,
	`deleteComment(input: {id: "COMMENT"}) { userErrors { code } }`,
	`unfollow(input: {userId: "user_u900"}) { userErrors { code } }`,
	`deletePost(input: {id: "POST"}) { userErrors { code } }`,
}

// TestReadYourWritesThroughAnyReplica writes through one replica and reads at once through another, which has everything in its cache
// and hears of nothing: its writer sees the write, another caller what was before.
func TestReadYourWritesThroughAnyReplica(t *testing.T) {
	for name, c := range map[string]struct {
		rounds int
		args   []string
	}{"with limits": {50, nil}, "without limits": {len(writes), []string{"--no-limit-enabled"}}} {
		t.Run(name, func(t *testing.T) {
			p, token := issued(t, redistest.Start(t).URL(), 2, c.args...)
			me, other := token("u1"), token("u2")
			post, comment := "post_p1", "comment_c1"
			named := func(text string, n int) string {
				return strings.NewReplacer("POST", post, "COMMENT", comment, " N\"", fmt.Sprintf(" %d\"", n)).Replace(text)
			}
			read := func(p *program, who string) map[string]any {
				t.Helper()
				r := p.send(t, named(seen, 0), "Authorization", who)
				if r.status != http.StatusOK || len(r.Errors) > 0 {
					t.Fatal(r.raw)
				}
				return r.Data
			}
			p[0].send(t, `mutation { unfollow(input: {userId: "user_u900"}) { userErrors { code } } }`, "Authorization", me)
			for i := range c.rounds {
				write := named(writes[i%len(writes)], i)
				before, otherBefore := read(p[1], me), read(p[1], other)
				done := p[0].send(t, `mutation { x: `+write+` }`, "Authorization", me)
				if len(done.Errors) > 0 || !strings.Contains(done.raw, `"userErrors":[]`) {
					t.Fatalf("%s: %s", write, done.raw)
				}
				if got := read(p[1], other); !reflect.DeepEqual(got, otherBefore) {
					t.Errorf("%s: another caller sees it, so that this test shows nothing:\n%v\n%v", write, otherBefore, got)
				}
				here, there := read(p[0], me), read(p[1], me)
				if !reflect.DeepEqual(here, there) || reflect.DeepEqual(before, there) {
					t.Fatalf("%s: before\n%v\nwhere it was written\n%v\nelsewhere\n%v", write, before, here, there)
				}
				if made, _ := at(t, done.Data, "x").(map[string]any); made["post"] != nil {
					post = at(t, made, "post", "id").(string)
				} else if made["comment"] != nil {
					comment = at(t, made, "comment", "id").(string)
				}
			}
			if lost := p[0].counted(t, "tributary_writes_lost_total"); lost != 0 {
				t.Errorf("%v writes were lost", lost)
			}
		})
	}
}

// TestAnAPIKeyReadsItsWrites changes a post with a key that acts as nobody.
func TestAnAPIKeyReadsItsWrites(t *testing.T) {
	redis := redistest.Start(t)
	p, token := issued(t, redis.URL(), 2)
	_, secret, err := auth.NewKeys(auth.NewRedisKeys(redis.Client()), time.Now).Create(t.Context(), auth.NewKey{Name: "editor", Scopes: []string{auth.ScopeAdmin}})
	if err != nil {
		t.Fatal(err)
	}
	title := func(header ...string) any {
		t.Helper()
		return at(t, p[1].send(t, `{ post(id: "post_p1") { title } }`, header...).Data, "post", "title")
	}
	before := title()
	if r := p[0].send(t, `mutation { updatePost(input: {id: "post_p1", title: "edited"}) { userErrors { code } } }`, "X-API-Key", secret); len(r.Errors) > 0 {
		t.Fatal(r.raw)
	}
	if title() != before || title("Authorization", token("u1")) != before {
		t.Error("others see it, so that this test shows nothing")
	}
	if got := title("X-API-Key", secret); got != "edited" {
		t.Errorf("the key reads %q", got)
	}
}

// TestAWriteIsAnsweredWithoutRedis writes while Redis hangs, and while it is gone.
func TestAWriteIsAnsweredWithoutRedis(t *testing.T) {
	redis := redistest.Start(t)
	p, token := issued(t, redis.URL(), 1, "--limit-redis-wait", "5ms")
	rename := func(name string) time.Duration {
		t.Helper()
		start := time.Now()
		r := p[0].send(t, `mutation { updateUser(input: {id: "user_u1", name: "`+name+`"}) { user { name } userErrors { code } } }`, "Authorization", token("u1"))
		if len(r.Errors) > 0 || at(t, r.Data, "updateUser", "user", "name") != name {
			t.Error(r.raw)
		}
		return time.Since(start)
	}
	rename("Kept")
	if lost := p[0].counted(t, "tributary_writes_lost_total"); lost != 0 {
		t.Errorf("%v writes were lost", lost)
	}
	process := processOf(t, redis)
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if took := rename("Hangs"); took > 5*time.Second {
		t.Errorf("the write took %v", took)
	}
	redis.Kill() // which a stopped process cannot defer
	rename("Gone")
	for reason, want := range map[string]float64{"timeout": 1, "error": 1} {
		if got := p[0].counted(t, `tributary_writes_lost_total{reason="`+reason+`"`); got != want {
			t.Errorf("%s: %v writes were lost, want %v", reason, got, want)
		}
	}
}

// processOf finds the process of a server.
func processOf(t *testing.T, server *redistest.Server) *os.Process {
	t.Helper()
	_, rest, _ := strings.Cut(server.Client().Info(t.Context(), "server").Val(), "process_id:")
	text, _, _ := strings.Cut(rest, "\r")
	id, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	process, err := os.FindProcess(id)
	if err != nil {
		t.Fatal(err)
	}
	return process
}

// BenchmarkRecent measures what it costs an operation to be told again of writes that this replica knows.
func BenchmarkRecent(b *testing.B) {
	cfg := config.Default().Serve.Gateway
	c, err := clients.New(clientConfig(&cfg, map[string]string{"user": "http://localhost", "post": "http://localhost", "comment": "http://localhost", "follower": "http://localhost"}, telemetry.New(), slog.New(slog.DiscardHandler)))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	w := &written{apply: c.ApplyOnce}
	for _, n := range []int{1, 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var told []string
			for i := range n {
				told = append(told, fmt.Sprintf(`{"k":"post","i":"p%d","v":3,"t":"post.updated","a":["u1"]}`, i))
			}
			b.ReportAllocs()
			for b.Loop() {
				w.recent(b.Context(), told)
			}
		})
	}
}

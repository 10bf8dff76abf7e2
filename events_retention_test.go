package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tributary/internal/config"
)

// runReplica runs a replica until it is told to stop, or the test ends. The test may change it first.
func runReplica(t *testing.T, cfg *config.Config, change func(*replica)) (p *program, stop func()) {
	t.Helper()
	r, err := openReplica(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	change(r)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	stop = func() {
		cancel()
		<-ended
	}
	t.Cleanup(stop)
	return &program{url: "http://" + r.listener.Addr().String()}, stop
}

// TestWhatIsKeptNoLonger lets events age within a second, which no flag allows, and asks for what they told.
func TestWhatIsKeptNoLonger(t *testing.T) {
	dir := smallDir(t)
	cfg, _, err := config.Parse([]string{"serve", "--addr", "127.0.0.1:0", "--data-dir", dir}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Serve.Events.Retention, cfg.Serve.HistoryRetention = time.Second, time.Second
	compacted := make(chan int, 1000)
	p, stop := runReplica(t, &cfg, func(r *replica) {
		count := r.events.retainer.Observer.Compacted
		r.events.retainer.Every = 50 * time.Millisecond
		r.events.retainer.Observer.Compacted = func(n int) {
			count(n)
			compacted <- n
		}
	})
	token := tokenFor(t, dir, "u1", "")
	s := p.subscribe(t, "", `subscription { postAdded(authorIds: ["user_u1"]) { cursor } }`)
	id := at(t, p.write(t, token, publish("first")), "x", "post", "id").(string)
	_, cursor := s.next(t)
	s.close()
	between := time.Now().UTC().Format(time.RFC3339Nano)
	p.write(t, token, `mutation { updatePost(input: {id: "`+id+`", title: "second"}) { userErrors { code } } }`)
	gone := at(t, p.write(t, token, publish("gone")), "x", "post", "id").(string)
	p.write(t, token, `mutation { deletePost(input: {id: "`+gone+`"}) { userErrors { code } } }`)

	query := `{ post(id: "` + id + `") { now: asOf(at: "` + time.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano) + `") { title version }
		then: asOf(at: "` + between + `") { title } history(first: 10) { nodes { type version actor { id } } } } }`
	// until asks again after each compaction, until the nodes at a path are those wanted.
	until := func(query, token, want string, path ...any) reply {
		t.Helper()
		for deadline := time.After(20 * time.Second); ; {
			r := p.send(t, query, "Authorization", "Bearer "+token)
			if fmt.Sprint(at(t, r.Data, path...)) == want {
				return r
			}
			select {
			case <-compacted:
			case <-deadline:
				t.Fatalf("not compacted: %s", r.raw)
			}
		}
	}
	r := until(query, token, "[map[actor:<nil> type:post.snapshot version:2]]", "post", "history", "nodes")
	if r.codes()[`"post","then"`] != "HISTORY_EXPIRED" || len(r.Errors) != 1 || at(t, r.Data, "post", "now", "title") != "second" {
		t.Errorf("before the snapshot and after it: %s", r.raw)
	}
	_, _, body := p.get(t, "/graphql?query="+url.QueryEscape(`subscription { postAdded(after: "`+cursor+`") { cursor } }`), func(r *http.Request) { r.Header.Set("Accept", "text/event-stream") })
	if !strings.Contains(body, "CURSOR_EXPIRED") {
		t.Errorf("coming back to what was trimmed: %s", body)
	}
	p.write(t, token, `mutation { updatePost(input: {id: "`+id+`", title: "third"}) { userErrors { code } } }`)
	until(query, token, "[map[actor:<nil> type:post.snapshot version:3]]", "post", "history", "nodes")
	until(`{ auditLog(first: 10, filter: {entityId: "`+gone+`"}) { nodes { type version changes { field } } } }`, tokenFor(t, dir, "u2", "admin"),
		"[map[changes:[] type:post.deleted version:2]]", "auditLog", "nodes")
	if _, _, body := p.get(t, "/metrics", nil); strings.Contains(body, "tributary_events_trimmed_total 0\n") || strings.Contains(body, "tributary_events_compacted_total 0\n") {
		t.Error("nothing was counted")
	}
	stop()
	if out, err := command(t, "", "events", "verify", "--data-dir", dir, "--pause", "500ms", "--log-level", "error"); err != nil || !strings.Contains(out, "no drift") {
		t.Errorf("events verify: %s, %v", out, err)
	}
}

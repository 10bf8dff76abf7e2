package clients

import (
	"context"
	"net/http"
	"testing"
)

// TestBulkIsNeverStale reads, writes, and lets the service fail: what was taken away is not shown, what was not stands in.
func TestBulkIsNeverStale(t *testing.T) {
	remark, edge := comment("c1", "p1", "u1", 1), follow(Pair{"a", "b"})
	before := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/users":
			reply(w, 200, items(user("u1", 1)))
		case "/posts":
			reply(w, 200, items(post("p1", "u1", 1)))
		case "/comments":
			reply(w, 200, items(remark))
		default:
			reply(w, 200, items(edge))
		}
	}
	shown := map[string]func(context.Context, *Clients) bool{
		"user": func(ctx context.Context, c *Clients) bool {
			return c.Users.ByIDs(ctx, []UserID{"u1"})["u1"].Stale != nil
		},
		"post": func(ctx context.Context, c *Clients) bool {
			return c.Posts.ByIDs(ctx, []PostID{"p1"})["p1"].Stale != nil
		},
		"comment": func(ctx context.Context, c *Clients) bool {
			return c.Comments.ByIDs(ctx, []CommentID{"c1"})["c1"].Stale != nil
		},
		"follower": func(ctx context.Context, c *Clients) bool {
			return c.Followers.Edges(ctx, []Pair{{"a", "b"}})[Pair{"a", "b"}].Stale != nil
		},
	}
	for _, tc := range bulkCases() {
		service := tc.drops
		if service == "" {
			service = "user"
		}
		for name, answer := range map[string]http.HandlerFunc{"done": tc.give, "unknown": cut("", true), "replayed": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Idempotency-Replayed", "true")
			tc.give(w, r)
		}, "not done": fail500} {
			t.Run(tc.line+" "+name, func(t *testing.T) {
				var told []Change
				u := newUpstream(t, before)
				c := clientsOf(t, u.URL, func(cfg *Config) {
					cfg.OnWrite = func(_ context.Context, change Change) { told = append(told, change) }
				})
				other := clientsOf(t, u.URL)
				for _, replica := range []*Clients{c, other} {
					for _, read := range shown {
						read(t.Context(), replica)
						replica.Users.svc.gens.invalidateAll() // it may stand in, but not by being fresh
					}
				}
				u.then(answer)
				_, _ = tc.do(t.Context(), c, bulkKeys)
				other.ApplyOnce(told)
				u.then(fail500)
				replicas := []*Clients{c, other}
				if name == "unknown" || name == "not done" {
					replicas = replicas[:1] // the other knows of nothing
				}
				for i, replica := range replicas {
					for _, s := range replica.services {
						s.gens.invalidateAll()
					}
					for of, read := range shown {
						want := of != service || !tc.told.Gone || name == "not done"
						if of == "user" && tc.told.Type == "user.frozen" && name == "done" && i == 0 {
							want = true // as it came back
						}
						if got := read(t.Context(), replica); got != want {
							t.Errorf("replica %d shows an old %s: %t, want %t", i, of, got, want)
						}
					}
				}
			})
		}
	}
}

// TestPurgedStaysAway whatever a replica of the service says that lags behind.
func TestPurgedStaysAway(t *testing.T) {
	u := newUpstream(t, usersAsked)
	c := clientsOf(t, u.URL)
	read := func() int { return len(c.Users.ByIDs(t.Context(), []UserID{"u1"})) }
	if read() != 1 {
		t.Fatal("not there at first")
	}
	u.then(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	if err := c.Users.Purge(t.Context(), "u1", bulkKeys); err != nil {
		t.Fatal(err)
	}
	u.then(func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, items(user("u1", 5))) })
	if read() != 0 {
		t.Error("shown from a replica that lags")
	}
	c.Apply([]Change{{Kind: "user", ID: "u1", Version: 6, Type: "user.deleted", Gone: true}}) // its own event
	if read() != 0 {
		t.Error("shown after the event")
	}
	u.then(func(w http.ResponseWriter, _ *http.Request) { problem(w, 404, "NOT_FOUND", nil) })
	if err := c.Users.Purge(t.Context(), "u1", bulkKeys); kind(err) != KindNotFound {
		t.Error(err)
	}
}

// TestAReadUnderWayLeavesNothingBehind of what a bulk write takes away meanwhile.
func TestAReadUnderWayLeavesNothingBehind(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	wd := &world{posts: []*Post{post("p1", "u1", 1)}}
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-goOn
		wd.answer(w, r)
	})
	c := clientsOf(t, u.URL)
	read := make(chan string)
	go func() { read <- titles(t, c, VisibilityPublic) }()
	<-began
	u.then(func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, object{"affected": 1}) })
	if _, err := c.Posts.PurgeByAuthor(t.Context(), "u1", bulkKeys); err != nil {
		t.Fatal(err)
	}
	close(goOn)
	<-read
	u.then(fail500)
	if got := titles(t, c, VisibilityPublic); got != "error" {
		t.Errorf("the list: %q", got)
	}
	if a := c.Posts.ByIDs(t.Context(), []PostID{"p1"})["p1"]; a.Value != nil {
		t.Errorf("by id: %+v", a)
	}
}

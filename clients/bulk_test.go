package clients

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// bulkCase is a write to everything of the user u1, or of the user a where it is about edges.
type bulkCase struct {
	do    func(context.Context, *Clients, BulkOptions) (any, error)
	line  string // as it is sent
	body  string
	want  any
	told  Change
	drops string // the service that it drops; empty: one user
}

func bulkCases() []bulkCase {
	frozen, back := user("u1", 2), user("u1", 2)
	frozen.Status = UserFrozen
	cases := []bulkCase{
		{func(ctx context.Context, c *Clients, o BulkOptions) (any, error) { return c.Users.Freeze(ctx, "u1", o) },
			"POST /users/u1/freeze", "", frozen, Change{Kind: "user", ID: "u1", Version: 2, Type: "user.frozen", Gone: true}, ""},
		{func(ctx context.Context, c *Clients, o BulkOptions) (any, error) {
			return c.Users.Restore(ctx, "u1", o)
		},
			"POST /users/u1/restore", "", back, Change{Kind: "user", ID: "u1", Version: 2, Type: "user.restored", Handles: []string{"h_u1"}}, ""},
		{func(ctx context.Context, c *Clients, o BulkOptions) (any, error) {
			return nil, c.Users.Purge(ctx, "u1", o)
		}, "POST /users/u1/purge", "", nil, Change{Kind: "user", ID: "u1", Type: "user.deleted", Gone: true}, ""},
	}
	add := func(kind, verb, of string, gone bool, do func(context.Context, *Clients, BulkOptions) (int64, error)) {
		service, path := kind, "/"+kind+"s/by-author/"
		if kind == "follow" {
			service, path = "follower", "/users/"
		}
		tc := bulkCase{
			do:   func(ctx context.Context, c *Clients, o BulkOptions) (any, error) { return do(ctx, c, o) },
			line: "POST " + path + of + "/" + verb, want: int64(7), drops: service,
			told: Change{Kind: kind, ID: "*", Type: kind + "." + verb, AuthorIDs: []string{of}, Gone: gone},
		}
		if verb == "transfer" {
			tc.body = `{"to":"u2"}`
			tc.told.AuthorIDs = append(tc.told.AuthorIDs, "u2")
		}
		cases = append(cases, tc)
	}
	type run = func(context.Context, *Clients, BulkOptions) (int64, error)
	add("post", "hide", "u1", true, func(ctx context.Context, c *Clients, o BulkOptions) (int64, error) {
		return c.Posts.HideByAuthor(ctx, "u1", o)
	})
	for verb, do := range map[string]run{
		"restore": func(ctx context.Context, c *Clients, o BulkOptions) (int64, error) {
			return c.Posts.RestoreByAuthor(ctx, "u1", o)
		},
		"transfer": func(ctx context.Context, c *Clients, o BulkOptions) (int64, error) {
			return c.Posts.TransferByAuthor(ctx, "u1", "u2", o)
		},
		"purge": func(ctx context.Context, c *Clients, o BulkOptions) (int64, error) {
			return c.Posts.PurgeByAuthor(ctx, "u1", o)
		},
	} {
		add("post", verb, "u1", verb == "purge", do)
	}
	for verb, do := range map[string]run{
		"anonymise": func(ctx context.Context, c *Clients, o BulkOptions) (int64, error) {
			return c.Comments.AnonymiseByAuthor(ctx, "u1", o)
		},
		"restore": func(ctx context.Context, c *Clients, o BulkOptions) (int64, error) {
			return c.Comments.RestoreByAuthor(ctx, "u1", o)
		},
		"transfer": func(ctx context.Context, c *Clients, o BulkOptions) (int64, error) {
			return c.Comments.TransferByAuthor(ctx, "u1", "u2", o)
		},
		"purge": func(ctx context.Context, c *Clients, o BulkOptions) (int64, error) {
			return c.Comments.PurgeByAuthor(ctx, "u1", o)
		},
	} {
		add("comment", verb, "u1", verb == "purge" || verb == "anonymise", do)
	}
	for verb, do := range map[string]run{
		"remove": func(ctx context.Context, c *Clients, o BulkOptions) (int64, error) {
			return c.Followers.RemoveAll(ctx, "a", o)
		},
		"restore": func(ctx context.Context, c *Clients, o BulkOptions) (int64, error) {
			return c.Followers.RestoreAll(ctx, "a", o)
		},
		"transfer": func(ctx context.Context, c *Clients, o BulkOptions) (int64, error) {
			return c.Followers.TransferAll(ctx, "a", "u2", o)
		},
		"purge": func(ctx context.Context, c *Clients, o BulkOptions) (int64, error) {
			return c.Followers.PurgeAll(ctx, "a", o)
		},
	} {
		add("follow", verb, "a", true, do)
	}
	return cases
}

// give answers a bulk write as a sound service does.
func (tc *bulkCase) give(w http.ResponseWriter, _ *http.Request) {
	switch tc.want.(type) {
	case nil:
		w.WriteHeader(204)
	case int64:
		reply(w, 200, object{"affected": tc.want})
	default:
		reply(w, 200, tc.want)
	}
}

var bulkKeys = BulkOptions{Key: "saga-1 do", Fence: "saga-1 what"}

// TestBulkWrites sends each after two failures: as it stands in the contract, three times the same.
func TestBulkWrites(t *testing.T) {
	for _, tc := range bulkCases() {
		t.Run(tc.line, func(t *testing.T) {
			u := newUpstream(t, failFirst(2, func(w http.ResponseWriter, _ *http.Request) { problem(w, 503, "UNAVAILABLE", nil) }, tc.give))
			c := clientsOf(t, u.URL)
			ctx := WithCaller(t.Context(), Caller{Actor: "root", IdempotencyKey: "another"})
			got, err := tc.do(ctx, c, bulkKeys)
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, tc.want)
			}
			u.wantTargets(t, tc.line, tc.line, tc.line)
			for _, r := range u.requests() {
				h := r.header
				if r.body != tc.body || h.Get("Idempotency-Key") != bulkKeys.Key || h.Get("Idempotency-Fence") != bulkKeys.Fence || h.Get("X-Actor") != "root" {
					t.Errorf("body %s, headers %v", r.body, h)
				}
			}
			u.then(tc.give)
			if _, err := tc.do(ctx, c, BulkOptions{Key: "k"}); err != nil {
				t.Error(err)
			}
			if _, fenced := u.requests()[3].header["Idempotency-Fence"]; fenced {
				t.Error("a fence that was not asked for")
			}
		})
	}
}

// TestBulkOutcomes: what may have been done is dropped, what was not leaves everything cached.
func TestBulkOutcomes(t *testing.T) {
	outcomes := map[string]struct {
		answer http.HandlerFunc
		kind   ErrorKind
	}{
		"fenced":      {func(w http.ResponseWriter, _ *http.Request) { problem(w, 409, "CONFLICT", nil) }, KindConflict},
		"unavailable": {func(w http.ResponseWriter, _ *http.Request) { problem(w, 503, "UNAVAILABLE", nil) }, KindUnavailable},
		"key reused":  {func(w http.ResponseWriter, _ *http.Request) { problem(w, 422, "IDEMPOTENCY_KEY_REUSED", nil) }, KindInvalid},
		"cut off":     {cut("", true), KindUnknownOutcome},
		"nonsense":    {plain("application/json", `{"affected":-1}`), KindUnknownOutcome},
	}
	for _, tc := range bulkCases() {
		for name, outcome := range outcomes {
			t.Run(tc.line+" "+name, func(t *testing.T) {
				u := newUpstream(t, emptyWorld)
				c := clientsOf(t, u.URL, func(cfg *Config) {
					cfg.OnWrite = func(_ context.Context, change Change) { t.Errorf("told of %+v", change) }
				})
				for _, read := range cachedReads() {
					read(t.Context(), c)
				}
				u.then(outcome.answer)
				if _, err := tc.do(t.Context(), c, bulkKeys); kind(err) != outcome.kind {
					t.Errorf("got %v", err)
				}
				u.then(emptyWorld)
				if outcome.kind == KindUnavailable || outcome.kind == KindInvalid {
					wantAskedAgain(t, u, c)
				} else if tc.drops != "" {
					wantAskedAgain(t, u, c, readsOf(tc.drops)...)
				}
			})
		}
	}
}

// readsOf names the reads of one service.
func readsOf(service string) (names []string) {
	for name := range cachedReads() {
		of := "post"
		switch {
		case strings.Contains(name, "user") || name == "handle":
			of = "user"
		case strings.Contains(name, "comment") || slices.Contains([]string{"parent", "top level on p1", "replies to c1", "replies to c9", "count on p1", "count on p2", "count by u1"}, name):
			of = "comment"
		case strings.Contains(name, "edge") || strings.HasPrefix(name, "follow"):
			of = "follower"
		}
		if of == service {
			names = append(names, name)
		}
	}
	return names
}

// TestBulkWritesAreTold so that other replicas drop the same, once.
func TestBulkWritesAreTold(t *testing.T) {
	for _, tc := range bulkCases() {
		t.Run(tc.line, func(t *testing.T) {
			var told []Change
			u := newUpstream(t, tc.give)
			c := clientsOf(t, u.URL, func(cfg *Config) {
				cfg.OnWrite = func(_ context.Context, change Change) { told = append(told, change) }
			})
			other := clientsOf(t, u.URL)
			want := readsOf(tc.drops)
			switch tc.line {
			case "POST /users/u1/freeze":
				want = []string{"user", "users"}
			case "POST /users/u1/purge":
				want = []string{"user", "users"}
			case "POST /users/u1/restore":
				want = []string{"user", "users", "h_u1"}
			}
			read := func(c *Clients) (again []string) {
				u.then(func(w http.ResponseWriter, r *http.Request) {
					if changed, ok := tc.want.(*User); ok && len(told) > 0 && r.URL.Query().Get("ids") == "u1" {
						reply(w, 200, items(changed))
						return
					}
					emptyWorld(w, r)
				})
				reads := cachedReads()
				reads["h_u1"] = func(ctx context.Context, c *Clients) { c.Users.ByHandles(ctx, []string{"h_u1"}) }
				for name, read := range reads {
					before := len(u.requests())
					read(t.Context(), c)
					if len(u.requests()) > before {
						again = append(again, name)
					}
				}
				slices.Sort(again)
				return again
			}
			read(c)
			read(other)
			u.then(tc.give)
			if _, err := tc.do(t.Context(), c, bulkKeys); err != nil || len(told) != 1 {
				t.Fatalf("%v, told %+v", err, told)
			}
			if marked := told[0].Mark != ""; marked != (told[0].Version == 0) {
				t.Errorf("mark %q", told[0].Mark)
			}
			change := told[0]
			change.Mark = ""
			if !reflect.DeepEqual(change, tc.told) {
				t.Errorf("told\n %+v, want\n %+v", change, tc.told)
			}
			other.ApplyOnce(told)
			slices.Sort(want)
			if got := read(other); !slices.Equal(got, want) {
				t.Errorf("another replica asked again for\n %q, want\n %q", got, want)
			}
			if tc.want != nil && tc.drops == "" { // the user that came back is cached
				want = slices.DeleteFunc(want, func(name string) bool { return name == "user" })
			}
			if got := read(c); !slices.Equal(got, want) {
				t.Errorf("asked again for\n %q, want\n %q", got, want)
			}
			for _, replica := range []*Clients{c, other} {
				replica.ApplyOnce(told)
				if got := read(replica); len(got) != 0 {
					t.Errorf("applied twice: %q", got)
				}
			}
		})
	}
}

func TestBulkWritesThatAreNotSent(t *testing.T) {
	u := newUpstream(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked %s", r.URL) })
	c := clientsOf(t, u.URL)
	for _, tc := range bulkCases() {
		for _, o := range []BulkOptions{{}, {Key: "é"}, {Key: strings.Repeat("k", 256)}, {Key: "k", Fence: "a\tb"}, {Key: "k", Fence: "k"}} {
			if _, err := tc.do(t.Context(), c, o); kind(err) != KindInvalid {
				t.Errorf("%s, %+v: %v", tc.line, o, err)
			}
		}
		ctx, leave := context.WithCancel(t.Context())
		leave()
		if _, err := tc.do(ctx, c, bulkKeys); err != context.Canceled {
			t.Errorf("%s, left before: %v", tc.line, err)
		}
	}
	_, err1 := c.Posts.HideByAuthor(t.Context(), "a/b", bulkKeys)
	_, err2 := c.Users.Freeze(t.Context(), "", bulkKeys)
	if err3 := c.Users.Purge(t.Context(), "../x", bulkKeys); kind(err1) != KindNotFound || kind(err2) != KindNotFound || kind(err3) != KindNotFound {
		t.Error(err1, err2, err3)
	}
	if _, err := c.Followers.TransferAll(t.Context(), "a", "b/c", bulkKeys); kind(err) != KindInvalid {
		t.Error(err)
	}
}

// TestBulkWritesMeetTheBreaker like any other write.
func TestBulkWritesMeetTheBreaker(t *testing.T) {
	u := newUpstream(t, nil)
	c := opened(t, u, each(func(s *ServiceConfig) { s.Breaker.Delay = time.Minute }))
	if _, err := c.Users.Freeze(t.Context(), "u1", bulkKeys); kind(err) != KindUnavailable || reasonOf(err) != CircuitOpen {
		t.Errorf("got %v", err)
	}
}

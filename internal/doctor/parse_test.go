package doctor

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func drawItem(t *rapid.T) item {
	at := time.Unix(rapid.Int64Range(-1<<33, 1<<34).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "nano"))
	return item{at: at.UTC(), id: rapid.StringMatching(`[A-Za-z0-9._~-]{1,64}`).Draw(t, "id")}
}

func TestCursorsKeepPositions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		it := drawItem(t)
		back, err := decodeCursor(it.cursor())
		if err != nil || back.compare(it) != 0 {
			t.Fatalf("%v came back as %v: %v", it, back, err)
		}
		if it.infront().compare(it) >= 0 {
			t.Fatalf("%v does not stand in front of %v", it.infront(), it)
		}
		if err := holdCursor(it.infront().cursor()); err != nil {
			t.Fatal(err)
		}
	})
}

// holdCursor holds a cursor of our own to the contract.
func holdCursor(cursor string) error { return documents()["user"].answer("Cursor", cursor) }

func TestOrderIsTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(rapid.Custom(drawItem), 3, 3).Draw(t, "items")
		slices.SortFunc(items, item.compare)
		p := page{items: slices.CompactFunc(items, func(a, b item) bool { return a.compare(b) == 0 })}
		if err := p.ordered(); err != nil {
			t.Fatal(err)
		}
		slices.Reverse(p.items)
		if err := p.ordered(); err == nil && len(p.items) > 1 {
			t.Fatal("the reverse is called ordered")
		}
	})
}

func TestMalformedCursors(t *testing.T) {
	for _, cursor := range []string{"", "*", "bm90aGluZw", "eWVzdGVyZGF5fHUx", encodeCursor(time.Now(), "u1") + "=", "MjAyNS0wMS0wMVQwMDowMDowMCswMTowMHx1MQ"} {
		if at, err := decodeCursor(cursor); err == nil {
			t.Errorf("%q was taken for %v", cursor, at)
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "two\nlines": "two lines", "\x1b[31mred": "\uFFFD[31mred", "a\xffb": "a\uFFFDb", strings.Repeat("ä", 9): "äääää…",
	} {
		if got := printable(in, 11); got != want {
			t.Errorf("%q is %q, not %q", in, got, want)
		}
	}
}

func TestReport(t *testing.T) {
	r := Report{Findings: []Finding{
		{Service: "user", Check: "user.list.order"},
		{Service: "user", Check: "user.batch.found", Severity: Breach, Detail: "expected 1 item; saw 2", Request: "GET /users?ids=u1"},
		{Service: "user", Check: "user.cleanup", Detail: "all gone"},
		{Service: "post", Check: "post.a", Severity: Skipped, Detail: "no posts are known"},
		{Service: "post", Check: "post.b", Severity: Skipped, Detail: "it writes"},
		{Service: "post", Check: "post.c", Severity: Skipped, Detail: "it writes"},
		{Service: "post", Check: "post.d", Severity: Skipped, Detail: "it writes"},
		{Service: "post", Check: "post.e", Severity: Skipped, Detail: "it writes"},
	}}
	const want = `user service: 2 passed, 1 breached, 0 skipped
  BREACH   user.batch.found
           GET /users?ids=u1
           expected 1 item; saw 2
  pass     user.cleanup (all gone)
  pass     user.list.order

post service: 0 passed, 0 breached, 5 skipped
  skipped  post.a: no posts are known
  skipped  4 checks: it writes

1 breach in 8 checks of 2 services: 2 passed, 1 breached, 5 skipped
`
	if got := report(r); got != want {
		t.Errorf("it reads\n%s\nnot\n%s", got, want)
	}
	if r.Findings[0].Check != "user.list.order" {
		t.Error("Write changed the report")
	}
}

// FuzzAnswers reads any body as every kind of answer: it may be refused, and must not break anything.
func FuzzAnswers(f *testing.F) {
	f.Add(`{"items":[{"id":"u1","handle":"abc","name":"A","email":null,"bio":null,"avatarUrl":null,"status":"active","createdAt":"2025-03-01T08:00:00Z","updatedAt":"2025-03-01T08:00:00Z","version":1}],"next":null,"prev":null,"total":1}`)
	f.Add(`{"groups":{"u1":{"items":[{"followerId":"a","followeeId":"u1","followedAt":"2016-12-31T23:59:60Z","version":1}],"next":"x","prev":null,"total":1}}}`)
	f.Add(`{"counts":{"u1":{"followers":1e3,"following":-0}}}`)
	f.Fuzz(func(t *testing.T, body string) {
		raw := reply{request: "GET /", status: 200, raw: []byte(body)}
		tree, err := parse(raw.raw)
		if err != nil {
			return
		}
		for service, eps := range map[string][]endpoint{
			"user": {userList()}, "post": {postList(), postsByAuthor()}, "comment": {commentsByPost()}, "follower": {followers(), edges()},
		} {
			s := &inspection{service: service, doc: documents()[service], outcome: map[string]Severity{}, held: map[string]bool{}, emit: func(Finding) {}}
			for _, ep := range eps {
				if s.doc.answer(ep.schema, tree) != nil {
					continue
				}
				object := members(tree)
				for key, group := range members(object["groups"]) {
					_, _ = s.page(ep, key, "GET /", url.Values{}, members(group))
				}
				if p, err := s.page(ep, "", "GET /", url.Values{}, object); err == nil {
					for _, it := range p.items {
						if _, err := json.Marshal(it.members); err != nil {
							t.Fatal(err)
						}
						_, _ = it.differs(it), it.cursor()
					}
				}
			}
		}
	})
}

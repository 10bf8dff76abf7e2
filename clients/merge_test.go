package clients

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// listed answers a read of the merged list by the contract's own words, over posts in list order.
func listed(posts []*Post, q url.Values) (Window[*Post], error) {
	var authors []string
	if q.Has("authorIds") {
		authors = strings.Split(q.Get("authorIds"), ",")
	}
	var whole []*Post
	for _, p := range posts {
		if (authors == nil || slices.Contains(authors, string(p.AuthorID))) && Visibility(q.Get("visibility")).allows(p) {
			whole = append(whole, p)
		}
	}
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil {
		return Window[*Post]{}, err
	}
	rest := slices.Clone(whole)
	for _, bound := range []struct {
		cursor Cursor
		out    func(side int) bool // of an item before (-1), at (0) or behind (1) the position
	}{
		{Cursor(q.Get("after")), func(side int) bool { return side <= 0 }},
		{Cursor(q.Get("before")), func(side int) bool { return side >= 0 }},
	} {
		if bound.cursor == "" {
			continue
		}
		at, id, err := bound.cursor.Position()
		if err != nil {
			return Window[*Post]{}, err
		}
		position := &Post{CreatedAt: at, ID: PostID(id)}
		rest = slices.DeleteFunc(rest, func(p *Post) bool { return bound.out(listOrder(p, position)) })
	}
	fromEnd := q.Get("from") == "end" || (q.Get("from") == "" && q.Has("before") && !q.Has("after"))
	if fromEnd {
		rest = rest[max(0, len(rest)-limit):]
	} else {
		rest = rest[:min(len(rest), limit)]
	}
	w := Window[*Post]{Items: rest, Total: len(whole)}
	if len(rest) > 0 {
		w.Next = whole[len(whole)-1] != rest[len(rest)-1]
		w.Prev = whole[0] != rest[0]
	}
	return w, nil
}

// listOrder compares two posts by their place in a list: negative if a stands in front of b.
func listOrder(a, b *Post) int {
	return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
}

// TestMergedListsEqualOneList splits lists of many authors over several requests, in any direction and between any bounds.
func TestMergedListsEqualOneList(t *testing.T) {
	var posts []*Post
	var wrong error
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ids := r.URL.Query().Get("ids"); ids != "" {
			(&world{posts}).answer(w, r)
			return
		}
		page, err := listed(posts, r.URL.Query())
		if err != nil {
			wrong = errors.Join(wrong, err)
		}
		doc := object{"items": append([]*Post{}, page.Items...), "next": nil, "prev": nil, "total": page.Total}
		if page.Next {
			doc["next"] = "n"
		}
		if page.Prev {
			doc["prev"] = "p"
		}
		reply(w, 200, doc)
	}))
	t.Cleanup(server.Close)
	for name, setting := range map[string]func(*Config){"uncached": uncached, "cached": func(*Config) {}} {
		t.Run(name, func(t *testing.T) {
			c := clientsOf(t, server.URL, setting, each(func(s *ServiceConfig) { s.MaxKeys = 2 }))
			rapid.Check(t, func(rt *rapid.T) {
				posts = drawPosts(rt)
				c.Posts.svc.gens.invalidateAll()
				authors := rapid.SliceOfNDistinct(rapid.IntRange(0, 8), 1, 8, rapid.ID[int]).Draw(rt, "authors")
				ids := make([]UserID, len(authors))
				texts := make([]string, len(authors))
				for i, a := range authors {
					ids[i], texts[i] = UserID(fmt.Sprint("u", a)), fmt.Sprint("u", a)
				}
				page := Page{Limit: rapid.IntRange(1, 6).Draw(rt, "limit"), After: drawCursor(rt, "after"), Before: drawCursor(rt, "before"),
					FromEnd: rapid.Bool().Draw(rt, "from end")}
				vis := rapid.SampledFrom([]Visibility{VisibilityPublic, VisibilityAuthor}).Draw(rt, "visibility")
				query, err := page.query()
				if err != nil {
					rt.Fatal(err)
				}
				q, _ := url.ParseQuery(query + "&visibility=" + string(vis) + "&authorIds=" + strings.Join(texts, ","))
				want, err := listed(posts, q)
				if err != nil {
					rt.Fatal(err)
				}
				got := c.Posts.List(t.Context(), ids, vis, page)
				if got.Err != nil || got.Stale != nil || describe(got.Value) != describe(want) {
					rt.Fatalf("%+v of %v:\n got %s, %v\nwant %s", page, texts, describe(got.Value), got.Err, describe(want))
				}
			})
		})
	}
	if wrong != nil {
		t.Error(wrong)
	}
}

// drawPosts makes posts in list order, many of them at the same instant.
func drawPosts(rt *rapid.T) []*Post {
	var posts []*Post
	for i := range rapid.IntRange(0, 25).Draw(rt, "posts") {
		p := post(PostID(fmt.Sprint("p", i)), UserID(fmt.Sprint("u", rapid.IntRange(0, 8).Draw(rt, "author"))), 1)
		p.CreatedAt = drawTime(rt)
		if rapid.IntRange(0, 4).Draw(rt, "draft") == 0 {
			p.Status = PostDraft
		}
		posts = append(posts, p)
	}
	slices.SortFunc(posts, listOrder)
	return posts
}

func drawTime(rt *rapid.T) time.Time {
	return epochStart.Add(time.Duration(rapid.IntRange(0, 6).Draw(rt, "time")) * time.Nanosecond)
}

func drawCursor(rt *rapid.T, name string) Cursor {
	if rapid.Bool().Draw(rt, "no "+name) {
		return ""
	}
	return CursorAt(drawTime(rt), fmt.Sprint("p", rapid.IntRange(0, 25).Draw(rt, name)))
}

func describe(w Window[*Post]) string {
	var ids []string
	for _, p := range w.Items {
		ids = append(ids, string(p.ID))
	}
	return fmt.Sprint(ids, w.Next, w.Prev, w.Total)
}

func TestAMergedListFailsOrIsStaleAsAWhole(t *testing.T) {
	failing := false
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		authors := r.URL.Query().Get("authorIds")
		if failing && authors == "u2" {
			fail500(w, r)
			return
		}
		reply(w, 200, pageOf(1, post(PostID("p"+authors), UserID(authors), 1)))
	})
	c := clientsOf(t, u.URL, each(func(s *ServiceConfig) { s.MaxKeys = 1 }))
	list := func() Answer[Window[*Post]] {
		return c.Posts.List(t.Context(), []UserID{"u1", "u2", "u3"}, VisibilityPublic, anyPage)
	}
	if a := list(); a.Err != nil || a.Stale != nil || len(a.Value.Items) != 3 || a.Value.Total != 3 {
		t.Errorf("whole: %+v", a)
	}
	failing = true
	c.Posts.svc.gens.invalidateAll()
	if a := list(); a.Err != nil || a.Stale == nil || len(a.Value.Items) != 3 {
		t.Errorf("one part stale: %+v", a)
	}
	c.cache.store.InvalidateAll()
	if a := list(); kind(a.Err) != KindUnavailable {
		t.Errorf("one part missing: %+v", a)
	}
}

func TestManyAuthorsFitIntoTheURL(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, pageOf[*Post](0)) })
	c := clientsOf(t, u.URL, uncached)
	authors := make([]UserID, 1200)
	for i := range authors {
		authors[i] = UserID(fmt.Sprintf("%064d", i))
	}
	long := CursorAt(epochStart.Add(123456789), strings.Repeat("x", 64))
	if a := c.Posts.List(t.Context(), authors, VisibilityAuthor, Page{Limit: 500, After: long, Before: long, FromEnd: true}); a.Err != nil {
		t.Error(a.Err)
	}
	for _, r := range u.requests() {
		if len(r.target) > 6000 {
			t.Errorf("a URL of %d bytes", len(r.target))
		}
	}
	if n := len(u.requests()); n > 16 {
		t.Errorf("%d requests", n)
	}
}

// TestAPartWithNothingBetweenTheBounds may have its posts on either side, or on both.
func TestAPartWithNothingBetweenTheBounds(t *testing.T) {
	at := func(id PostID, author UserID, n int) *Post {
		p := post(id, author, 1)
		p.CreatedAt = epochStart.Add(time.Duration(n))
		return p
	}
	front, middle, back := at("f", "u1", 9), at("m", "u2", 5), at("b", "u1", 1)
	page := Page{Limit: 5, After: CursorAt(epochStart.Add(7), "x"), Before: CursorAt(epochStart.Add(3), "x")}
	for _, posts := range [][]*Post{{front, middle}, {middle, back}, {front, middle, back}, {middle}} {
		u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
			got, err := listed(posts, r.URL.Query())
			if err != nil {
				t.Error(err)
			}
			doc := pageOf(got.Total, got.Items...)
			if got.Next {
				doc["next"] = "n"
			}
			if got.Prev {
				doc["prev"] = "p"
			}
			reply(w, 200, doc)
		})
		c := clientsOf(t, u.URL, each(func(s *ServiceConfig) { s.MaxKeys = 1 }))
		got := c.Posts.List(t.Context(), []UserID{"u1", "u2"}, VisibilityPublic, page)
		want := Window[*Post]{Items: []*Post{middle}, Prev: posts[0] == front, Next: posts[len(posts)-1] == back, Total: len(posts)}
		if got.Err != nil || describe(got.Value) != describe(want) {
			t.Errorf("of %d posts: got %s, %v, want %s", len(posts), describe(got.Value), got.Err, describe(want))
		}
	}
}

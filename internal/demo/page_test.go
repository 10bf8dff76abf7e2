package demo

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// crowd fills a lab so that many entities share their time: two authors with posts of every status, and comments
// with replies, some deleted.
func crowd(t *testing.T) *lab {
	l := start(t)
	l.clock.stop()
	for i := range 40 {
		if i%7 == 0 {
			l.clock.move(time.Nanosecond)
		}
		author := fmt.Sprintf("a%d", i%3)
		p := l.newPost(author, []string{postPublished, postPublished, postDraft}[i%5%3])
		if i%11 == 3 {
			l.do(http.MethodDelete, "post", "/posts/"+p.ID, "").want(204)
		}
	}
	var parents []string
	for i := range 40 {
		if i%5 == 0 {
			l.clock.move(time.Nanosecond)
		}
		parent := ""
		if i%3 == 1 {
			parent = parents[i/2]
		}
		parents = append(parents, l.newComment("p", parent, fmt.Sprintf("a%d", i%2)).ID)
		l.putEdge(fmt.Sprintf("f%d", i), fmt.Sprintf("a%d", i%2))
	}
	for i := 0; i < len(parents); i += 4 {
		l.do(http.MethodDelete, "comment", "/comments/"+parents[i], "").want(204)
	}
	return l
}

// thing is any item of a list: its place, whatever its kind.
type thing struct {
	ID, FollowerID, FolloweeID string
	CreatedAt, FollowedAt      stamp
}

// list is one kind of list to page through.
type list struct{ service, path, key, side string }

func (s list) place(v thing) position {
	switch s.side {
	case "follower":
		return position{v.FollowedAt, v.FollowerID}
	case "followee":
		return position{v.FollowedAt, v.FolloweeID}
	}
	return position{v.CreatedAt, v.ID}
}

// read reads a window, from the group of the key where there are groups.
func (s list) read(l *lab, query url.Values) page[thing] {
	l.Helper()
	path, fixed, _ := strings.Cut(s.path, "?")
	r := l.get(s.service, path+"?"+fixed+"&"+query.Encode())
	if s.key == "" {
		return as[page[thing]](r)
	}
	return as[groups[thing]](r).Groups[s.key]
}

var lists = []list{
	{service: "user", path: "/users"},
	{service: "post", path: "/posts"},
	{service: "post", path: "/posts?visibility=author"},
	{service: "post", path: "/posts?authorIds=a0,a2,nobody"},
	{service: "post", path: "/posts?authorIds=a1&visibility=author"},
	{service: "post", path: "/posts/by-author?authorIds=nobody,a0,a1", key: "a0"},
	{service: "post", path: "/posts/by-author?authorIds=a0,a1&visibility=author", key: "a1"},
	{service: "comment", path: "/comments/by-post?postIds=p", key: "p"},
	{service: "comment", path: "/comments/by-post?postIds=p&topLevel=true", key: "p"},
	{service: "comment", path: "/comments/by-author?authorIds=a0,a1", key: "a1"},
	{service: "follower", path: "/followers?userIds=a0,a1", key: "a0", side: "follower"},
	{service: "follower", path: "/following?userIds=f3,f4", key: "f4", side: "followee"},
}

// TestPages draws windows of every kind of list and compares them with what the contract says of the whole list.
func TestPages(t *testing.T) {
	l := crowd(t)
	for i := range 9 {
		l.newUser(fmt.Sprintf("user_%d", i))
	}
	root := l.newComment("q", "", "b").ID
	for i := range 9 {
		l.clock.move(time.Duration(i % 2))
		l.newComment("q", root, "b")
	}
	replies := list{service: "comment", path: "/comments/replies?parentIds=nobody," + root, key: root}
	for _, s := range append(slices.Clone(lists), replies) {
		whole := s.read(l, url.Values{"limit": {"500"}})
		places := make([]position, len(whole.Items))
		for i, v := range whole.Items {
			places[i] = s.place(v)
		}
		if whole.Total != len(places) || len(places) == 0 || whole.Next != nil || whole.Prev != nil {
			t.Fatalf("%s: %d items, total %d", s.path, len(places), whole.Total)
		}
		if !slices.IsSortedFunc(places, position.compare) || len(slices.Compact(slices.Clone(places))) != len(places) {
			t.Errorf("%s is not in order", s.path)
		}
		rapid.Check(t, func(r *rapid.T) { s.check(l, r, places) })
		s.walk(l, places)
	}
}

// check draws a window and compares it.
func (s list) check(l *lab, r *rapid.T, places []position) {
	limit := rapid.IntRange(1, len(places)+2).Draw(r, "limit")
	query := url.Values{"limit": {fmt.Sprint(limit)}}
	bound := func(name string) *position {
		if !rapid.Bool().Draw(r, name+" given") {
			return nil
		}
		p := rapid.SampledFrom(places).Draw(r, name)
		switch rapid.IntRange(0, 2).Draw(r, name+" beside") { // a position need not name an item
		case 1:
			p.id += "x"
		case 2:
			p.at += stamp(rapid.SampledFrom([]int64{-1e9, 1e9}).Draw(r, name+" moved"))
		}
		query.Set(name, string(p.appendCursor(nil)))
		return &p
	}
	after, before := bound("after"), bound("before")
	end := before != nil && after == nil
	if from := rapid.SampledFrom([]string{"", "start", "end"}).Draw(r, "from"); from != "" {
		query.Set("from", from)
		end = from == "end"
	}
	var left []position
	for _, p := range places {
		if (after == nil || p.compare(*after) > 0) && (before == nil || p.compare(*before) < 0) {
			left = append(left, p)
		}
	}
	if end {
		left = left[max(0, len(left)-limit):]
	} else {
		left = left[:min(len(left), limit)]
	}
	got := s.read(l, query)
	var items []position
	for _, v := range got.Items {
		items = append(items, s.place(v))
	}
	if !slices.Equal(items, left) || got.Total != len(places) {
		r.Fatalf("%s with %v: %v, total %d; want %v of %d", s.path, query, items, got.Total, left, len(places))
	}
	next, prev := "null", "null"
	if n := len(left); n > 0 && left[n-1] != places[len(places)-1] {
		next = string(left[n-1].appendCursor(nil))
	}
	if len(left) > 0 && left[0] != places[0] {
		prev = string(left[0].appendCursor(nil))
	}
	if text(got.Next) != next || text(got.Prev) != prev {
		r.Fatalf("%s with %v: next %s, prev %s; want %s, %s", s.path, query, text(got.Next), text(got.Prev), next, prev)
	}
}

func text(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

// walk goes through a list by its cursors, forwards and backwards: either way it is the whole list.
func (s list) walk(l *lab, places []position) {
	l.Helper()
	for _, limit := range []string{"1", "3", "7"} {
		var forwards, backwards []position
		for query := (url.Values{"limit": {limit}}); ; {
			p := s.read(l, query)
			for _, v := range p.Items {
				forwards = append(forwards, s.place(v))
			}
			if p.Next == nil {
				break
			}
			query.Set("after", *p.Next)
		}
		for query := (url.Values{"limit": {limit}, "from": {"end"}}); ; {
			p := s.read(l, query)
			for _, v := range slices.Backward(p.Items) {
				backwards = append(backwards, s.place(v))
			}
			if p.Prev == nil {
				break
			}
			query.Set("before", *p.Prev)
		}
		slices.Reverse(backwards)
		if !slices.Equal(forwards, places) || !slices.Equal(backwards, places) {
			l.Errorf("%s in pages of %s: forwards %d, backwards %d items of %d", s.path, limit, len(forwards), len(backwards), len(places))
		}
	}
}

// TestGroups checks that every key has its group, that cursors hold between groups, and that limits are per group.
func TestGroups(t *testing.T) {
	l := crowd(t)
	all := as[groups[post]](l.get("post", "/posts/by-author?authorIds=a0,nobody,a1,a0&limit=500")).Groups
	equal(t, "keys", len(all), 3)
	if empty := all["nobody"]; empty.Items == nil || len(empty.Items) > 0 || empty.Total != 0 || empty.Next != nil || empty.Prev != nil {
		t.Errorf("a key without posts: %+v", empty)
	}
	middle := all["a0"].Items[2]
	cursor := string(position{middle.CreatedAt, middle.ID}.appendCursor(nil))
	got := as[groups[post]](l.get("post", "/posts/by-author?authorIds=a1,a0&limit=2&after="+cursor)).Groups
	equal(t, "own group", got["a0"].Items, all["a0"].Items[3:5])
	other := slices.DeleteFunc(slices.Clone(all["a1"].Items), func(p post) bool {
		return (position{p.CreatedAt, p.ID}).compare(position{middle.CreatedAt, middle.ID}) <= 0
	})
	equal(t, "other group", got["a1"].Items, other[:2])
	empty := as[groups[post]](l.get("post", "/posts/by-author?authorIds=")).Groups
	equal(t, "no key", len(empty), 0)
}

// TestBatches reads by id: duplicates once, the unknown left out.
func TestBatches(t *testing.T) {
	l := start(t)
	u, v := l.newUser("anna"), l.newUser("bert")
	sorted := func(p page[user]) (ids []string) {
		for _, u := range p.Items {
			ids = append(ids, u.Handle)
		}
		slices.Sort(ids)
		return ids
	}
	equal(t, "ids", sorted(as[page[user]](l.get("user", "/users?ids="+in(u.ID, "nobody", v.ID, u.ID)))), []string{"anna", "bert"})
	equal(t, "handles", sorted(as[page[user]](l.get("user", "/users?handles="+in("BERT", "bert", "Bob", "no handle", "é")))), []string{"bert"})
	equal(t, "none", len(as[page[user]](l.get("user", "/users?ids=")).Items), 0)
	l.putEdge("x", "y")
	equal(t, "pairs", len(as[page[follow]](l.get("follower", "/edges?pairs="+in("x:y", "y:x", "x:y"))).Items), 1)
}

func TestBadParameters(t *testing.T) {
	l := start(t)
	many := func(n int) string {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf("id%d", i)
		}
		return in(ids...)
	}
	for service, paths := range map[string][]string{
		"user": {
			"/users?limit=0", "/users?limit=501", "/users?limit=-1", "/users?limit=x", "/users?limit=", "/users?limit=1.5", "/users?after=x",
			"/users?before=", "/users?from=middle", "/users?ids=a%20b", "/users?ids=a,,b", "/users?ids=a&handles=b", "/users?ids=%zz",
			"/users?ids=" + strings.Repeat("x", 65), "/users?ids=" + many(501), "/users?handles=" + many(501), "/users?a=1;b=2",
		},
		"post": {
			"/posts?visibility=all", "/posts?ids=a&authorIds=b", "/posts/by-author", "/posts/by-author?authorIds=a!", "/posts/counts",
			"/posts/counts?authorIds=" + many(501), "/posts/counts?authorIds=a&visibility=", "/posts/by-author?authorIds=a&limit=0",
		},
		"comment": {
			"/comments", "/comments/by-post", "/comments/replies?postIds=a", "/comments/by-author", "/comments/by-post?postIds=a&topLevel=1",
			"/comments/counts", "/comments/counts?postIds=a&authorIds=b",
		},
		"follower": {
			"/followers", "/following?userIds=" + many(501), "/counts", "/edges", "/edges?pairs=a", "/edges?pairs=a:b:c", "/edges?pairs=:b",
			"/edges?pairs=a:b,c",
		},
	} {
		for _, path := range paths {
			l.do(http.MethodGet, service, path, "").refused(400, "BAD_REQUEST")
		}
	}
	l.get("user", "/users?ids="+many(500)+"&unknown=1")
	l.get("user", "/users?ids="+many(500)+","+many(400)) // 500 different ones
	l.get("post", "/posts/by-author?limit=500&authorIds="+many(500))
	equal(t, "authorIds of nobody", as[page[post]](l.get("post", "/posts?authorIds=")).Total, 0)
}

// TestSpill reads an answer that is too large to be gathered before it leaves.
func TestSpill(t *testing.T) {
	l := start(t)
	body := fmt.Sprintf(`{"authorId":"a","title":"T","body":%q,"status":"published"}`, strings.Repeat("ü\n", 10_000))
	for range 30 {
		l.post("post", "/posts", body).want(201)
	}
	r := l.get("post", "/posts/by-author?authorIds=x,a,y&limit=500")
	if len(r.raw) < 3*spillBytes || r.header.Get("Content-Length") != "" {
		t.Errorf("%d bytes, length %s", len(r.raw), r.header.Get("Content-Length"))
	}
	got := as[groups[post]](r).Groups
	equal(t, "groups", len(got), 3)
	equal(t, "items", len(got["a"].Items), 30)
	slices.SortFunc(got["a"].Items, func(a, b post) int { return cmp.Compare(a.ID, b.ID) })
	var ids []string
	for _, p := range got["a"].Items {
		ids = append(ids, p.ID)
	}
	equal(t, "batch", len(as[page[post]](l.get("post", "/posts?ids="+in(ids...))).Items), 30)
}

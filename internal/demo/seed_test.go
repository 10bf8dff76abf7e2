package demo

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// dump hashes the entities of a data directory, file by file, in the order of their ids.
func dump(l *lab) map[string]string {
	sums := map[string]string{}
	for _, d := range definitions() {
		sum := sha256.Sum256([]byte(strings.Join(l.rows(d.name, "SELECT doc FROM "+d.table+" ORDER BY id"), "\n")))
		sums[d.name] = hex.EncodeToString(sum[:8])
	}
	return sums
}

// seedDir is the directory that seedOnce made, for TestMain to remove.
var seedDir string

// seedOnce seeds one directory for all tests of a run, since that takes long under the race detector.
var seedOnce = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "seed"); err == nil {
		seedDir = dir
		_, err = Seed(context.Background(), dir)
	}
	return dir, err
})

// seeded runs services on a copy of the seeded directory.
func seeded(t *testing.T) *lab {
	dir := seededDir(t)
	return start(t, func(o *Options) { o.Dir = dir })
}

// TestSeed checks the seeded network. Its bytes are those of every machine: whoever changes the seed changes the sums.
func TestSeed(t *testing.T) {
	begin := time.Now()
	if _, err := seedOnce(); err != nil {
		t.Fatal(err)
	}
	t.Logf("seeded in %v", time.Since(begin))
	l := seeded(t)
	equal(t, "sums", dump(l), map[string]string{
		"user": "d7eceac82753ec20", "post": "997342c4896b0b77", "comment": "b6ddfef756e0d63d", "follower": "999d9165098d7011",
	})
	one := func(service, query string) string { return strings.Join(l.rows(service, query), ",") }
	equal(t, "users", one("user", "SELECT count(*), count(DISTINCT handle) FROM users WHERE status = 'active'"), "1000 1000")
	equal(t, "posts", one("post", "SELECT count(*), count(DISTINCT author_id) > 700 FROM posts"), "5000 1")
	if drafts, _ := strconv.Atoi(one("post", "SELECT count(*) FROM posts WHERE status = 'draft'")); drafts < 100 || drafts > 200 {
		t.Errorf("%d drafts", drafts)
	}
	equal(t, "comments", one("comment", "SELECT count(*), sum(status = 'deleted'), sum(status = 'deleted' AND replies = 0), min(listed) FROM comments"), "20000 120 0 1")
	equal(t, "follows", one("follower", "SELECT count(*) FROM edges"), "15000")
	equal(t, "most followed", one("follower", "SELECT user_id FROM edge_totals ORDER BY followers DESC LIMIT 1"), "u1")
	equal(t, "most posts", one("post", "SELECT author_id FROM post_totals WHERE author_id <> '' ORDER BY public DESC LIMIT 1"), "u1")
	for _, s := range Services() {
		equal(t, s+" outbox", one(s, "SELECT count(*) FROM outbox"), "0")
	}
	equal(t, "depth", one("comment", `WITH RECURSIVE t (id, depth) AS (SELECT id, 0 FROM comments WHERE parent_id IS NULL
		UNION ALL SELECT c.id, depth + 1 FROM t JOIN comments c ON c.parent_id = t.id AND c.listed = 1) SELECT max(depth) >= 4, count(*) FROM t`), "1 20000")
	followers := as[groups[follow]](l.get("follower", "/followers?userIds=u1,u500&limit=1")).Groups
	if followers["u1"].Total < 20*followers["u500"].Total || followers["u500"].Total == 0 {
		t.Errorf("no power law: %d and %d followers", followers["u1"].Total, followers["u500"].Total)
	}
	if done, err := Seed(t.Context(), filepath.Dir(one("user", "SELECT file FROM pragma_database_list"))); done || err != nil {
		t.Errorf("seeded again: %v, %v", done, err)
	}
}

// TestSeedTimes: nothing is commented before it is published, published before its author has joined, or of the future.
func TestSeedTimes(t *testing.T) {
	p := newPopulation()
	check := func(what string, i int, at stamp, after ...stamp) {
		if at >= seedEnd || at < seedEnd-365*day || slices.Max(append(after, at-1)) >= at {
			t.Fatalf("%s %d at %v, after %v", what, i, at, after)
		}
	}
	for i, at := range p.users {
		check("user", i, at)
	}
	for i, post := range p.posts {
		check("post", i, post.at, p.users[post.author])
	}
	for i, c := range p.comments {
		check("comment", i, c.at, p.posts[c.post].at)
		if c.parent >= 0 {
			check("reply", i, c.at, p.comments[c.parent].at)
			equal(t, "post of the parent", p.comments[c.parent].post, c.post)
		}
		if c.author >= 0 {
			check("comment of its author", i, c.at, p.users[c.author])
		}
		if p.posts[c.post].draft {
			t.Fatalf("comment %d on a draft", i)
		}
	}
	for i, f := range p.follows {
		check("follow", i, f.at, p.users[f.from], p.users[f.to])
	}
}

// TestSeedConforms holds a sample of the seed to the contract, and all totals to a count.
func TestSeedConforms(t *testing.T) {
	l := seeded(t)
	l.get("user", "/users?limit=500")
	l.get("post", "/posts?limit=500&visibility=author")
	l.get("comment", "/comments/by-post?postIds=p1,p2,p3,p500&limit=500")
	l.get("comment", "/comments/by-author?authorIds=u1,u2&limit=500")
	l.get("follower", "/followers?userIds=u1,u2&limit=500")
	checkTotals(l)
}

// checkTotals compares what triggers keep with what is there.
func checkTotals(l *lab) {
	l.Helper()
	for _, d := range definitions() {
		for table, columns := range map[string]string{
			"user_totals": "*", "post_totals": "*", "comment_totals": "post_id, listed, top, live", "comment_author_totals": "*", "edge_totals": "*",
		} {
			if !strings.Contains(d.totals, "INTO "+table+" ") {
				continue
			}
			query := "SELECT " + columns + " FROM " + table + " ORDER BY 1"
			kept := l.rows(d.name, query)
			tx, err := l.demo.find(d.name).api.store.write.BeginTx(context.Background(), nil)
			if err != nil {
				l.Fatal(err)
			}
			if _, err := tx.Exec(d.totals); err != nil {
				l.Fatal(err)
			}
			if err := tx.Commit(); err != nil {
				l.Fatal(err)
			}
			equal(l, table, kept, l.rows(d.name, query))
		}
	}
}

// TestTotals writes in every way that there is and compares the totals with a count.
func TestTotals(t *testing.T) {
	l := crowd(t)
	u := l.newUser("anna")
	for _, w := range []struct{ service, path, body string }{
		{"post", "/posts/by-author/a0/hide", ""}, {"post", "/posts/by-author/a1/transfer", `{"to":"a0"}`}, {"post", "/posts/by-author/a2/purge", ""},
		{"post", "/posts/by-author/a0/restore", ""}, {"comment", "/comments/by-author/a0/anonymise", ""}, {"comment", "/comments/by-author/a1/transfer", `{"to":"a9"}`},
		{"comment", "/comments/by-author/a0/restore", ""}, {"comment", "/comments/by-author/a9/purge", ""}, {"follower", "/users/a0/transfer", `{"to":"a1"}`},
		{"follower", "/users/a1/remove", ""}, {"follower", "/users/a1/restore", ""}, {"follower", "/users/f3/purge", ""}, {"user", "/users/" + u.ID + "/freeze", ""},
	} {
		if n := as[struct{ Affected int }](l.post(w.service, w.path, w.body).want(200)).Affected; n == 0 && w.service != "user" {
			t.Errorf("%s changed nothing", w.path)
		}
		checkTotals(l)
	}
}

// TestSeedIsFinished breaks a seed off when one file is whole, one half and two are missing: the next start finishes
// it, and takes no half for a whole.
func TestSeedIsFinished(t *testing.T) {
	want := dump(seeded(t))
	dir := t.TempDir()
	people := newPopulation()
	if err := seedFile(t.Context(), dir, followerDefinition(), people); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	half := userDefinition()
	half.seed = func(ctx context.Context, tx *sql.Tx, p *population) error {
		if err := seedUsers(ctx, tx, p); err != nil {
			return err
		}
		cancel()
		return ctx.Err()
	}
	if err := seedFile(ctx, dir, half, people); !errors.Is(err, context.Canceled) {
		t.Fatalf("it was not broken off: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, seedMarker), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l := start(t, func(o *Options) { o.Dir = dir })
	equal(t, "sums", dump(l), want)
	if _, err := os.Stat(filepath.Join(dir, seedMarker)); err == nil {
		t.Error("the marker is still there")
	}
}

// TestSeedLeavesDataAlone: a directory with any data, or that had any, is not seeded.
func TestSeedLeavesDataAlone(t *testing.T) {
	dir := t.TempDir()
	l := start(t, func(o *Options) { o.Dir = dir })
	u := l.newUser("anna")
	l.post("user", "/users/"+u.ID+"/purge", "").want(204)
	if empty, err := l.demo.Empty(t.Context()); empty || err != nil {
		t.Errorf("empty: %v, %v", empty, err)
	}
	l.stop()
	if done, err := Seed(t.Context(), dir); done || err != nil {
		t.Errorf("seeded: %v, %v", done, err)
	}
}

// TestSeedWhileOpen seeds files that are open and have their indexes and triggers: the services answer with it.
func TestSeedWhileOpen(t *testing.T) {
	dir := t.TempDir()
	l := start(t, func(o *Options) { o.Dir = dir })
	equal(t, "before", as[page[user]](l.get("user", "/users")).Total, 0)
	people := newPopulation()
	people.posts = people.posts[:200]
	for _, d := range []*definition{userDefinition(), postDefinition()} {
		if err := seedFile(t.Context(), dir, d, people); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "after", as[page[user]](l.get("user", "/users")).Total, seedUserCount)
	equal(t, "posts", as[page[post]](l.get("post", "/posts?visibility=author")).Total, 200)
	checkTotals(l)
}

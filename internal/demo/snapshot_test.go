package demo

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// seededDir is a copy of the seeded directory.
func seededDir(t *testing.T) string {
	t.Helper()
	from, err := seedOnce()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// untold counts the entities that no event has told yet.
func (l *lab) untold() (n []string) {
	for _, s := range Services() {
		n = append(n, l.rows(s, "SELECT count(*) FROM untold")...)
	}
	return n
}

// fewUntold leaves of a seeded directory the latest entities untold, as if the others had been told, and returns how
// many those are.
func fewUntold(t *testing.T, dir string) (n int) {
	l := start(t, func(o *Options) { o.Dir = dir })
	for service, told := range map[string]string{
		"post": "substr(id, 2) + 0 <= 2600", "comment": "substr(id, 2) + 0 <= 18000", "follower": "id NOT LIKE '%1'",
	} {
		if _, err := l.demo.find(service).api.store.write.Exec("DELETE FROM untold WHERE " + told); err != nil {
			t.Fatal(err)
		}
	}
	for _, count := range l.untold() {
		c, err := strconv.Atoi(count)
		if n += c; err != nil {
			t.Fatal(err)
		}
	}
	l.stop()
	return n
}

// TestSnapshotsOfSeed tells a seeded network while it is written to: every entity once as a snapshot and then each
// change, also over a restart in the middle.
func TestSnapshotsOfSeed(t *testing.T) {
	s := newSink(t)
	dir := seededDir(t)
	inDir := func(o *Options) { o.Dir = dir }
	events := fewUntold(t, dir)
	change := func(l *lab, from, to int) {
		for i := from; i < to; i++ {
			l.do("PATCH", "post", fmt.Sprintf("/posts/p%d", 5000-97*i), `{"title":"X"}`, "If-Match", `"1"`).want(200)
			l.do("DELETE", "user", fmt.Sprintf("/users/u%d", 1000-i), "").want(204)
			r, err := l.try("PATCH", "comment", fmt.Sprintf("/comments/c%d", 19_999-31*i), `{"body":"X"}`, "If-Match", `"1"`)
			if err != nil || (r.status != 200 && r.status != 404) {
				t.Fatal(err, r.status)
			}
			events += 2
			if r.status == 200 {
				events++
			}
		}
	}
	l := start(t, inDir, s.events(func(p *pace) { p.beat = time.Second }))
	change(l, 0, 5)
	s.until("it is under way", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.log) > 600 }, func() any { return len(s.log) })
	change(l, 5, 15)
	l.stop()
	l = start(t, inDir, s.events(func(p *pace) { p.beat = time.Second }))
	change(l, 15, 25)
	s.until("all is told", func() bool { return slices.Equal(l.untold(), []string{"0", "0", "0", "0"}) }, func() any { return l.untold() })
	for _, service := range Services() {
		s.awaitOutbox(l, service)
	}
	first, last := map[string]string{}, map[string]int64{}
	s.set(func() {
		equal(t, "events", len(s.log), events)
		for _, e := range s.log {
			if first[e.Subject] == "" {
				first[e.Subject] = e.Type
			} else if strings.HasSuffix(e.Type, ".snapshot") {
				t.Errorf("%s is told twice", e.Subject)
			}
			last[e.Subject] = e.Version
		}
	})
	for subject, kind := range first {
		if !strings.HasSuffix(kind, ".snapshot") {
			t.Errorf("%s starts with %s", subject, kind)
		}
	}
	for _, d := range definitions() {
		for _, row := range l.rows(d.name, "SELECT id, version FROM "+d.table) {
			id, version, _ := strings.Cut(row, " ")
			if got := last[d.events.prefix+id]; got > 0 && fmt.Sprint(got) != version {
				t.Errorf("%s: told up to version %d, it has %s", d.events.prefix+id, got, version)
			}
		}
	}
}

// TestStateBeforeChange: the first change of a seeded entity is told after the state before it, later ones alone.
func TestStateBeforeChange(t *testing.T) {
	l := seeded(t)
	before := l.rows("post", "SELECT doc FROM posts WHERE id = 'p1'")[0]
	edge := strings.Split(l.rows("follower", "SELECT follower_id, followee_id FROM edges LIMIT 1")[0], " ")
	l.do("PATCH", "post", "/posts/p1", `{"title":"X"}`, "If-Match", `"1"`).want(200)
	l.do("PATCH", "post", "/posts/p1", `{"title":"Y"}`, "If-Match", `"2"`).want(200)
	l.post("user", "/users/u2/freeze", "").want(200)
	l.do("DELETE", "follower", "/edges/"+edge[0]+"/"+edge[1], "").want(204)
	l.putEdge(edge[0], edge[1])
	l.newPost("u1", "draft")
	equal(t, "post", l.rows("post", "SELECT seq, type, version, length(data) > 100 FROM outbox"),
		[]string{"1 post.snapshot 1 1", "2 post.updated 2 0", "3 post.updated 3 0", "4 post.created 1 1"})
	equal(t, "state", l.events("post", "post/p1")[0], "post.snapshot 1 "+before)
	equal(t, "user", l.rows("user", "SELECT type, version FROM outbox"), []string{"user.snapshot 1", "user.frozen 2"})
	equal(t, "edge", l.rows("follower", "SELECT type, version, subject FROM outbox"), []string{
		"follower.snapshot 1 follow/" + edge[0] + ":" + edge[1], "follower.removed 2 follow/" + edge[0] + ":" + edge[1],
		"follower.added 3 follow/" + edge[0] + ":" + edge[1]})
	equal(t, "untold", l.untold(), []string{"999", "4999", "20000", "14999"})
}

// TestErasedIsNotTold: of what is purged before it was told, only the envelopes go out.
func TestErasedIsNotTold(t *testing.T) {
	s := newSink(t)
	dir := seededDir(t)
	l := start(t, func(o *Options) { o.Dir, o.Now = dir, time.Now })
	handle := l.rows("user", "SELECT handle FROM users WHERE id = 'u7'")[0]
	l.post("user", "/users/u7/purge", "").want(204)
	l.post("comment", "/comments/by-author/u7/purge", "").want(200)
	l.stop()
	l = start(t, func(o *Options) { o.Dir = dir }, s.events())
	s.await("user/u7", "user.snapshot 1", "user.deleted 2")
	s.awaitOutbox(l, "comment")
	s.set(func() {
		for _, e := range s.log {
			if e.Subject == "user/u7" && (e.Version == 1) != (e.Data == nil) {
				t.Errorf("%s with data %s", e.Type, e.Data)
			}
			if strings.Contains(string(e.Data), `"`+handle+`"`) || strings.Contains(string(e.Data), `"authorId":"u7"`) && e.Source == "/comment" {
				t.Errorf("%s of %s says %s", e.Type, e.Subject, e.Data)
			}
		}
	})
}

// TestImportIsTold: what an import adds is told as snapshots, what it changes as an update, whoever was told of it.
func TestImportIsTold(t *testing.T) {
	s := newSink(t)
	dir := t.TempDir()
	line := func(id, author, title string) string {
		return fmt.Sprintf(`{"id":%q,"authorId":%q,"title":%q,"body":"B","createdAt":"2020-01-01T00:00:00Z","version":4}`+"\n", id, author, title)
	}
	load := func(lines ...string) {
		t.Helper()
		if _, err := Import(t.Context(), dir, files(t, map[string]string{"posts.ndjson": strings.Join(lines, "")}), nil); err != nil {
			t.Fatal(err)
		}
	}
	load(line("a", "x", "T"), line("b", "x", "T"))
	load(line("a", "x", "changed before it was told"))
	l := start(t, func(o *Options) { o.Dir = dir }, s.events())
	s.await("post/a", "post.snapshot 4", "post.updated 5")
	s.await("post/b", "post.snapshot 4")
	load(line("a", "x", "changed before it was told"), line("b", "y", "moved"), line("c", "x", "T"))
	s.await("post/b", "post.snapshot 4", "post.updated 5")
	s.await("post/c", "post.snapshot 4")
	l.do("PATCH", "post", "/posts/b", `{"title":"X"}`, "If-Match", `"5"`).want(200)
	s.await("post/b", "post.snapshot 4", "post.updated 5", "post.updated 6")
	s.await("post/a", "post.snapshot 4", "post.updated 5")
	s.set(func() {
		for _, e := range s.log {
			switch fmt.Sprint(e.Subject, e.Version) {
			case "post/b5":
				if data := string(e.Data); !strings.Contains(data, `"previousAuthorId":"x"`) || !strings.Contains(data, `"authorId":"y"`) {
					t.Errorf("the move says %s", data)
				}
			case "post/c4":
				equal(t, "time", e.Time, time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC))
			}
		}
	})
}

// TestUntoldOfOlderFile: a file of the schema before knows nothing of untold; what no row tells gets into it.
func TestUntoldOfOlderFile(t *testing.T) {
	l := seeded(t)
	dir := strings.TrimSuffix(l.rows("user", "SELECT file FROM pragma_database_list")[0], "/user.db")
	l.do("PATCH", "post", "/posts/p1", `{"title":"X"}`, "If-Match", `"1"`).want(200)
	created := l.newPost("u1", "draft")
	store := l.demo.find("post").api.store
	if _, err := store.write.Exec("DROP TABLE untold; DROP TABLE parked; PRAGMA user_version = 1"); err != nil {
		t.Fatal(err)
	}
	l.stop()
	l = start(t, func(o *Options) { o.Dir = dir })
	equal(t, "untold", l.rows("post", "SELECT count(*), sum(id IN ('p1', ?)), sum(id = 'p2') FROM untold", created.ID), []string{"4999 0 1"})
	checkTotals(l)
}

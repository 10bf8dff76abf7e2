package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// social is a data set that is not part of the project.
const social = "../../../shared/data/social"

// files writes the files of an import.
func files(t *testing.T, content map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range content {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestImportSocial(t *testing.T) {
	if _, err := os.Stat(social); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the data set is missing: %v", err)
		}
		t.Logf("not tested: the data set is missing at %s", social)
		return
	}
	dir := t.TempDir()
	begin := time.Now()
	report, err := Import(t.Context(), dir, social, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("imported in %v", time.Since(begin))
	equal(t, "report", report.Files, []FileReport{
		{"users.ndjson", 222, 222, 0, 0}, {"posts.ndjson", 5924, 5924, 0, 0}, {"comments.ndjson", 2218, 2218, 0, 0}, {"follows.ndjson", 1650, 1650, 0, 0},
	})
	l := start(t, func(o *Options) { o.Dir = dir })
	checkTotals(l)
	before := dump(l)
	report, err = Import(t.Context(), dir, social, nil)
	equal(t, "again", fmt.Sprint(report.Files, err), fmt.Sprint([]FileReport{
		{"users.ndjson", 222, 0, 0, 222}, {"posts.ndjson", 5924, 0, 0, 5924}, {"comments.ndjson", 2218, 0, 0, 2218}, {"follows.ndjson", 1650, 0, 0, 1650},
	}, nil))
	equal(t, "nothing changed", dump(l), before)
	for _, s := range Services() {
		equal(t, s+" outbox", l.rows(s, "SELECT count(*) FROM outbox"), []string{"0"})
	}
	equal(t, "users", as[page[user]](l.get("user", "/users?limit=500")).Total, 222)
	equal(t, "posts", as[page[post]](l.get("post", "/posts?limit=500")).Total, 5924)
	top := l.rows("follower", "SELECT user_id FROM edge_totals ORDER BY followers DESC LIMIT 1")[0]
	counts := l.rows("follower", "SELECT sum(followee_id = ?1), sum(follower_id = ?1) FROM edges", top)[0]
	equal(t, "counts", string(l.get("follower", "/counts?userIds="+top).raw), fmt.Sprintf(`{"counts":{"%s":{"followers":%s,"following":%s}}}`,
		top, strings.Fields(counts)[0], strings.Fields(counts)[1]))
	replies := l.rows("comment", "SELECT count(*), sum(replies) FROM comments WHERE parent_id IS NOT NULL OR replies > 0")
	equal(t, "replies are counted", l.rows("comment", "SELECT sum(replies) FROM comments"), []string{"1109"})
	if len(replies) != 1 {
		t.Error(replies)
	}
	if done, err := Seed(t.Context(), dir); done || err != nil {
		t.Errorf("seeded: %v, %v", done, err)
	}
}

const (
	lineUser    = `{"id":"u","handle":"anna","name":"Anna","createdAt":"2025-01-01T00:00:00Z"}`
	linePost    = `{"id":"p","authorId":"u","title":"T","body":"B","createdAt":"2025-01-02T00:00:00.5Z"}`
	lineComment = `{"id":"c","postId":"p","authorId":"u","body":"B","createdAt":"2025-01-03T00:00:00Z"}`
	lineReply   = `{"id":"r","postId":"p","parentId":"c","authorId":null,"body":"B","createdAt":"2025-01-04T00:00:00Z"}`
	lineFollow  = `{"followerId":"u","followeeId":"v","followedAt":"2025-01-05T00:00:00Z"}`
)

func TestImport(t *testing.T) {
	dir := t.TempDir()
	l := start(t, func(o *Options) { o.Dir = dir }) // it goes on running
	from := files(t, map[string]string{
		"users.ndjson": lineUser + "\n\n" + lineUser + "\r\n" + `{"id":"f","handle":"FRITZ","name":"F","email":"f@example.org","bio":null,"status":"frozen","createdAt":"2025-01-01T00:00:00Z","updatedAt":"2025-02-01T00:00:00Z","version":7}`,
		"posts.ndjson": linePost + "\n" + `{"id":"d","authorId":"u","title":"T","body":"B","status":"draft","createdAt":"2025-01-02T00:00:00Z"}` + "\n" +
			`{"id":"h","authorId":"u","title":"T","body":"B","status":"hidden","publishedAt":"2025-01-02T01:00:00Z","createdAt":"2025-01-02T00:00:00Z"}` + "\n",
		"comments.ndjson": lineReply + "\n" + lineComment + "\n" + // the reply comes first
			`{"id":"x","postId":"p","authorId":null,"body":"","status":"deleted","createdAt":"2025-01-03T00:00:00Z"}` + "\n" +
			`{"id":"y","postId":"p","parentId":"x","authorId":null,"body":"","status":"deleted","createdAt":"2025-01-03T00:00:00Z"}` + "\n" +
			`{"id":"z","postId":"p","parentId":"y","authorId":"u","body":"B","createdAt":"2025-01-03T00:00:00Z"}`,
		"follows.ndjson": lineFollow,
	})
	var seen []Progress
	report, err := Import(t.Context(), dir, from, func(p Progress) { seen = append(seen, p) })
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "report", report.Files, []FileReport{{"users.ndjson", 4, 2, 0, 1}, {"posts.ndjson", 3, 3, 0, 0}, {"comments.ndjson", 5, 5, 0, 0}, {"follows.ndjson", 1, 1, 0, 0}})
	if len(seen) != 4 || !seen[1].Done || seen[1].Lines != 3 || seen[1].Bytes != seen[1].TotalBytes || seen[1].File != "posts.ndjson" {
		t.Errorf("progress: %+v", seen)
	}
	equal(t, "user", string(l.get("user", "/users?ids=u").raw), `{"items":[{"id":"u","handle":"anna","name":"Anna","email":null,"bio":null,"avatarUrl":null,`+
		`"status":"active","createdAt":"2025-01-01T00:00:00Z","updatedAt":"2025-01-01T00:00:00Z","version":1}]}`)
	f := as[page[user]](l.get("user", "/users?handles=fritz")).Items[0]
	equal(t, "frozen user", fmt.Sprint(f.Status, f.Version, f.UpdatedAt, *f.Email), "frozen7 2025-02-01T00:00:00Zf@example.org")
	equal(t, "posts", l.board("u", "author"), map[string]string{"p": "published", "d": "draft", "h": "hidden"})
	p := as[page[post]](l.get("post", "/posts?ids=p")).Items[0]
	equal(t, "publishedAt", fmt.Sprint(*p.PublishedAt), "2025-01-02T00:00:00.5Z")
	all, top := l.thread(3)
	equal(t, "comments", fmt.Sprint(all, top), "[c r x y z] [c x]")
	equal(t, "replies", as[groups[comment]](l.get("comment", "/comments/replies?parentIds=c")).Groups["c"].Total, 1)
	equal(t, "edges", l.graph("u", "v"), []string{"u:v"})
	checkTotals(l)
	l.deleteComment(comment{ID: "z"}) // the API and the import agree on what is listed
	all, _ = l.thread(2)
	equal(t, "comments after a delete", all, []string{"c", "r"})
	checkTotals(l)
}

func TestImportChanges(t *testing.T) {
	dir := t.TempDir()
	l := start(t, func(o *Options) { o.Dir = dir })
	take := func(name, text string, added, changed, unchanged int64) {
		t.Helper()
		report, err := Import(t.Context(), dir, files(t, map[string]string{name: text}), nil)
		if err != nil {
			t.Fatal(err)
		}
		report.Files[0].Lines = 0
		equal(t, text, report.Files, []FileReport{{name, 0, added, changed, unchanged}})
	}
	take("users.ndjson", lineUser, 1, 0, 0)
	l.do("PATCH", "user", "/users/u", `{"email":"a@example.org"}`, "If-Match", `"1"`).want(200)
	take("users.ndjson", lineUser, 0, 0, 1) // the line does not speak of the email
	take("users.ndjson", strings.Replace(lineUser, "Anna", "Anne", 1), 0, 1, 0)
	u := as[page[user]](l.get("user", "/users?ids=u")).Items[0]
	equal(t, "changed", fmt.Sprint(u.Name, u.Version, *u.Email), "Anne3a@example.org")
	l.do("DELETE", "user", "/users/u", "").want(204)
	take("users.ndjson", lineUser, 0, 0, 1)
	equal(t, "it stays deleted", len(as[page[user]](l.get("user", "/users?ids=u")).Items), 0)

	take("posts.ndjson", linePost, 1, 0, 0)
	l.post("post", "/posts/by-author/u/hide", "").affected(1)
	take("posts.ndjson", linePost, 0, 0, 1)
	take("posts.ndjson", strings.Replace(linePost, `"u"`, `"w"`, 1), 0, 1, 0)
	equal(t, "it stays hidden", l.board("w", "author"), map[string]string{"p": "hidden"})

	take("comments.ndjson", lineComment, 1, 0, 0)
	take("comments.ndjson", lineReply+"\n"+lineComment, 1, 0, 1)
	take("comments.ndjson", strings.Replace(lineReply, `"B"`, `"C"`, 1), 0, 1, 0)
	l.deleteComment(comment{ID: "r"})
	take("comments.ndjson", lineReply, 0, 0, 1)
	equal(t, "reply", as[page[comment]](l.get("comment", "/comments?ids=r")).Items[0].Status, "deleted")

	take("follows.ndjson", lineFollow, 1, 0, 0)
	take("follows.ndjson", strings.Replace(lineFollow, "2025", "2024", 1), 0, 1, 0)
	l.do("DELETE", "follower", "/edges/u/v", "").want(204)
	take("follows.ndjson", lineFollow, 0, 0, 1)
	equal(t, "edges", len(l.graph("u", "v")), 0)
	checkTotals(l)
}

func TestImportRefusals(t *testing.T) {
	dir := t.TempDir()
	l := start(t, func(o *Options) { o.Dir = dir })
	if _, err := Import(t.Context(), dir, files(t, map[string]string{"users.ndjson": lineUser, "comments.ndjson": lineComment}), nil); err != nil {
		t.Fatal(err)
	}
	before := dump(l)
	with := func(line, from, to string) string { return strings.Replace(line, from, to, 1) }
	good := strings.Replace(strings.Replace(lineUser, `"u"`, `"good"`, 1), "anna", "good", 1) + "\n"
	for _, c := range []struct{ file, text, want string }{
		{"users", good + "{", "users.ndjson:2: the line is not a JSON object"},
		{"users", good + "\n[]\n", "users.ndjson:3: the line is not a JSON object"},
		{"users", good + "{}{}\n", "users.ndjson:2: the line is not a JSON object"},
		{"users", good + "{\"id\":\"\xff\"}\n", "users.ndjson:2: the line is not UTF-8"},
		{"users", good + `{"id":"` + strings.Repeat("x", maxLineBytes) + `"}`, "users.ndjson:2: the line has more than 1048576 bytes"},
		{"users", good + `{"name":"N"}`, "users.ndjson:2: id is required"},
		{"users", good + with(lineUser, `"u"`, `"a b"`), "users.ndjson:2: id must be an id: 1 to 64 characters out of A-Z a-z 0-9 - . _ ~"},
		{"users", good + with(lineUser, `"u"`, `7`), "users.ndjson:2: id must be a string"},
		{"users", good + with(lineUser, `"Anna"`, `["Anna"]`), "users.ndjson:2: name must be a string"},
		{"users", good + with(lineUser, `"name"`, `"nom"`), "users.ndjson:2: nom cannot be set here"},
		{"users", good + with(lineUser, `,"createdAt":"2025-01-01T00:00:00Z"`, ``), "users.ndjson:2: createdAt is required"},
		{"users", good + with(lineUser, "00:00:00Z", "00:00:00"), "users.ndjson:2: createdAt must be a time as RFC 3339 in UTC, with up to nine fractional digits, ending in Z"},
		{"users", good + with(lineUser, "2025", "1400"), "users.ndjson:2: createdAt must lie between the years 1678 and 2262"},
		{"users", good + with(lineUser, "anna", "an"), "users.ndjson:2: handle must have at least 3 characters"},
		{"users", good + with(lineUser, `}`, `,"version":0}`), "users.ndjson:2: version must be a whole number from 1"},
		{"users", good + with(lineUser, `}`, `,"updatedAt":"2024-01-01T00:00:00Z"}`), "users.ndjson:2: updatedAt lies before createdAt"},
		{"users", good + with(lineUser, `}`, `,"status":"gone"}`), "users.ndjson:2: status must be one of active, frozen"},
		{"users", good + with(lineUser, `"u"`, `"v"`), "users.ndjson:2: handle anna is taken by another id"},
		{"users", good + with(good, `"good"`, `"v"`), "users.ndjson:2: handle good is taken by another id"},
		{"users", good + with(good, "Anna", "Anne"), "users.ndjson:2: good stands in line 1 with other content"},
		{"posts", linePost + "\n" + with(with(linePost, `"p"`, `"q"`), `"T"`, `""`), "posts.ndjson:2: title must not be empty"},
		{"posts", linePost + "\n" + with(with(linePost, `"p"`, `"q"`), `}`, `,"status":"draft","publishedAt":"2025-01-01T00:00:00Z"}`), "posts.ndjson:2: publishedAt cannot stand on a draft"},
		{"comments", with(lineReply, `"c"`, `"none"`), "comments.ndjson:1: parentId none is no comment on the same post, neither in the file nor in the store"},
		{"comments", lineReply + "\n" + with(with(lineReply, `"r"`, `"s"`), `"p"`, `"q"`), "comments.ndjson:2: parentId c is no comment on the same post, neither in the file nor in the store"},
		{"comments", lineReply + "\n" + with(with(lineReply, `"r"`, `"s"`), `"c"`, `"s"`), "comments.ndjson:2: parentId is the comment itself"},
		{"comments", lineReply + "\n" + with(with(lineReply, `"r"`, `"s"`), `"c"`, `"t"`) + "\n" + with(with(lineReply, `"r"`, `"t"`), `"c"`, `"s"`), "comments.ndjson:2: parentId t leads back to the comment itself"},
		{"comments", lineReply + "\n" + with(lineComment, `"p"`, `"q"`), "comments.ndjson:2: id stands under another post or parent already"},
		{"comments", lineReply + "\n" + with(lineComment, `"authorId":"u",`, ``), "comments.ndjson:2: authorId is required; null stands for nobody"},
		{"comments", lineReply + "\n" + with(with(lineReply, `"r"`, `"s"`), `}`, `,"status":"deleted"}`), "comments.ndjson:2: status is deleted: then authorId must be null and body empty"},
		{"follows", lineFollow + "\n" + with(lineFollow, `"v"`, `"u"`), "follows.ndjson:2: followeeId is the follower"},
		{"follows", lineFollow + "\n" + with(lineFollow, "2025", "2024"), "follows.ndjson:2: u:v stands in line 1 with other content"},
	} {
		_, err := Import(t.Context(), dir, files(t, map[string]string{c.file + ".ndjson": c.text}), nil)
		line, ok := errors.AsType[*LineError](err)
		if !ok || line.Error() != c.want {
			t.Errorf("%.200s:\n got %v\nwant %s", c.text, err, c.want)
		}
		equal(t, c.want, dump(l), before)
	}
	if report, err := Import(t.Context(), dir, files(t, map[string]string{"users.ndjson": good, "posts.ndjson": "{"}), nil); err == nil || len(report.Files) != 1 {
		t.Errorf("a good file before a broken one: %+v, %v", report, err)
	}
	for _, from := range []string{t.TempDir(), filepath.Join(dir, "nowhere")} {
		if _, err := Import(t.Context(), dir, from, nil); err == nil || !strings.Contains(err.Error(), "there is no users.ndjson") {
			t.Errorf("no file: %v", err)
		}
	}
}

// TestImportMeetsWriter lets a running service change what an import has compared already: the file is read anew, and
// what the service wrote is not overwritten unseen.
func TestImportMeetsWriter(t *testing.T) {
	dir := t.TempDir()
	l := start(t, func(o *Options) { o.Dir = dir })
	if _, err := Import(t.Context(), dir, files(t, map[string]string{"users.ndjson": lineUser}), nil); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	text.WriteString(strings.Replace(lineUser, "Anna", "Anne", 1) + "\n")
	for i := range 2*progressEvery - 1 {
		fmt.Fprintf(&text, `{"id":"x%d","handle":"user_%d","name":"N","createdAt":"2025-01-01T00:00:00Z"}`+"\n", i, i)
	}
	meddle := 0
	report, err := Import(t.Context(), dir, files(t, map[string]string{"users.ndjson": text.String()}), func(p Progress) {
		if p.Lines == progressEvery && meddle == 0 {
			meddle++
			l.do("PATCH", "user", "/users/u", `{"bio":"changed meanwhile"}`, "If-Match", `"1"`).want(200)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "report", report.Files, []FileReport{{"users.ndjson", 2 * progressEvery, 2*progressEvery - 1, 1, 0}})
	u := as[page[user]](l.get("user", "/users?ids=u")).Items[0]
	equal(t, "both changes", fmt.Sprint(u.Name, *u.Bio, u.Version), "Annechanged meanwhile3")
}

func TestImportEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	dir := t.TempDir()
	var text strings.Builder
	for i := range 3 * progressEvery {
		fmt.Fprintf(&text, `{"id":"x%d","handle":"user_%d","name":"N","createdAt":"2025-01-01T00:00:00Z"}`+"\n", i, i)
	}
	_, err := Import(ctx, dir, files(t, map[string]string{"users.ndjson": text.String()}), func(Progress) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	l := start(t, func(o *Options) { o.Dir = dir })
	equal(t, "users", as[page[user]](l.get("user", "/users")).Total, 0)
}

// FuzzImportLine: no line does harm: it is taken, and then changes nothing a second time, or is refused with a reason.
func FuzzImportLine(f *testing.F) {
	for _, line := range []string{lineUser, linePost, lineComment, lineReply, lineFollow, `{"id":"u","version":1e9}`, "{", ""} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		for _, d := range definitions() {
			o, err := decodeObject([]byte(line))
			if err != nil {
				continue
			}
			c := &checker{object: o}
			row := d.imports.read(c, standing{}, 1)
			if len(c.errs) > 0 {
				for _, e := range c.errs {
					if e.field == "" && o[""] == nil || e.message == "" {
						t.Fatalf("%q: %+v", line, e)
					}
				}
				continue
			}
			if len(row.values) != len(d.imports.columns) || row.id != d.imports.id(&checker{object: o}) {
				t.Fatalf("%q: %+v", line, row)
			}
			doc, ok := row.values[len(row.values)-1].(string)
			if _, err := decodeObject([]byte(doc)); !ok || err != nil {
				t.Fatalf("%q became %v", line, doc)
			}
			if again := d.imports.read(&checker{object: o}, standing{doc: doc, version: 1}, 2); again.changed {
				t.Fatalf("%q changes what it made itself", line)
			}
		}
	})
}

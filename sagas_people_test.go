package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tributary/internal/demo"
)

// families gives the test a data dir with n families of three accounts each, a, b and c, who have posts, drafts, comments and edges among
// themselves and with nobody else. All families are alike but for their numbers, and so can be compared.
func families(t *testing.T, n int) (dir string) {
	t.Helper()
	files := map[string]*strings.Builder{"users": {}, "posts": {}, "comments": {}, "follows": {}}
	add := func(file, format string, args ...any) { fmt.Fprintf(files[file], format+"\n", args...) }
	const at = `"createdAt":"2024-01-01T00:00:00Z"`
	add("users", `{"id":"root","handle":"root","name":"R",%s}`, at)
	for i := range n {
		f := family(i)
		for _, one := range []string{"a", "b", "c"} {
			add("users", `{"id":"%s%s","handle":"%s%s","name":"N","email":"%s%s@example.org",%s}`, f, one, f, one, f, one, at)
		}
		for id, post := range map[string][2]string{"p": {"a", "published"}, "d": {"a", "draft"}, "q": {"b", "published"}} {
			published := ""
			if post[1] == "published" {
				published = `"publishedAt":"2024-01-02T00:00:00Z",`
			}
			add("posts", `{"id":"%s%s","authorId":"%s%s","title":"T","body":"B","status":"%s",%s%s}`, f, id, f, post[0], post[1], published, at)
		}
		for id, comment := range map[string][3]string{"1": {"q", "a", ""}, "2": {"p", "a", ""}, "3": {"p", "b", ""}, "4": {"q", "c", "1"}, "5": {"q", "a", "4"}} {
			parent := "null"
			if comment[2] != "" {
				parent = `"` + f + comment[2] + `"`
			}
			add("comments", `{"id":"%s%s","postId":"%s%s","authorId":"%s%s","parentId":%s,"body":"C",%s}`, f, id, f, comment[0], f, comment[1], parent, at)
		}
		for _, edge := range []string{"ab", "ba", "ac", "bc", "ca"} {
			add("follows", `{"followerId":"%s%c","followeeId":"%s%c","followedAt":"2024-01-0%cT00:00:00Z"}`, f, edge[0], f, edge[1], '1'+edge[0]-'a'+edge[1]-'a')
		}
	}
	from, dir := t.TempDir(), t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(from, name+".ndjson"), []byte(content.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := demo.Import(t.Context(), dir, from, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

func family(i int) string { return fmt.Sprintf("v%02d", i) }

// shown is what the services have of a family: what is there, and what became of it, with versions and events. Numbers of families are
// left out.
type shown struct{ state, story []string }

// everything reads what the services have of n families. The services do not run.
func everything(t *testing.T, dir string, n int) []shown {
	t.Helper()
	families := make([]shown, n)
	for _, from := range []struct{ service, table, columns string }{
		{"user", "users", "doc, deleted, version"}, {"post", "posts", "doc, deleted, version"},
		{"comment", "comments", "doc, 0, version"}, {"follower", "edges", "json_object('id', id, 'since', iif(live, followed_at, 0)), 1 - live, version"},
		{"post", "post_totals", "json_object('author', author_id, 'public', public, 'every', every), public + every = 0, 0"},
		{"comment", "comment_author_totals", "json_object('author', author_id, 'live', live), live = 0, 0"},
		{"comment", "comment_totals", "json_object('post', post_id, 'listed', listed, 'top', top, 'live', live), 0, 0"},
		{"follower", "edge_totals", "json_object('user', user_id, 'followers', followers, 'following', following), followers + following = 0, 0"},
	} {
		db := openFile(t, dir, from.service)
		each(t, db, "SELECT "+from.columns+" FROM "+from.table, func(doc string, gone, version int) {
			i, plain := familyOf(t, doc)
			if i < 0 {
				return
			}
			line := fmt.Sprintf("%s %s gone=%d", from.table, plain, gone)
			if gone == 0 {
				families[i].state = append(families[i].state, line)
			}
			families[i].story = append(families[i].story, fmt.Sprintf("%s at version %d", line, version))
		})
		if strings.HasSuffix(from.table, "_totals") {
			continue
		}
		// Snapshots of what was not changed come by themselves, sooner or later.
		each(t, db, "SELECT json_object('subject', subject, 'type', type), 0, version FROM outbox WHERE type NOT LIKE '%.snapshot'", func(doc string, _, version int) {
			if i, plain := familyOf(t, doc); i >= 0 {
				families[i].story = append(families[i].story, fmt.Sprintf("told %s %d", plain, version))
			}
		})
	}
	for i := range families {
		slices.Sort(families[i].state)
		slices.Sort(families[i].story)
	}
	return families
}

// each reads rows of a text and two numbers.
func each(t *testing.T, db *sql.DB, query string, do func(text string, first, second int)) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		var first, second int
		if err := rows.Scan(&text, &first, &second); err != nil {
			t.Fatal(err)
		}
		do(text, first, second)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// familyOf takes the number of the family out of a document, and what every write changes; -1 if it belongs to none.
func familyOf(t *testing.T, doc string) (i int, plain string) {
	t.Helper()
	members := decoded(t, []byte(doc))
	delete(members, "version")
	delete(members, "updatedAt")
	raw, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(raw), `v`)
	for found {
		if len(rest) > 2 && rest[0] >= '0' && rest[0] <= '9' && rest[1] >= '0' && rest[1] <= '9' {
			i = int(rest[0]-'0')*10 + int(rest[1]-'0')
			return i, strings.ReplaceAll(string(raw), family(i), "v")
		}
		_, rest, found = strings.Cut(rest, `v`)
	}
	return -1, ""
}

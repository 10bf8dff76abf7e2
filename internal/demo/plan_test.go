package demo

import (
	"regexp"
	"strings"
	"testing"
)

// TestPlans looks at how SQLite means to answer: no read may go through a whole table, sort what an index has in
// order, or build an index of its own.
func TestPlans(t *testing.T) {
	l := start(t)
	check := func(service, query, allowed string) {
		t.Helper()
		bound := regexp.MustCompile(`\?\d?`).ReplaceAllString(query, "'[1]'")
		for _, line := range l.rows(service, "EXPLAIN QUERY PLAN "+bound) {
			bad := regexp.MustCompile(`SCAN (users|posts|comments|edges|r|s)( |$)|TEMP B-TREE|AUTOMATIC`).MatchString(line) && !strings.Contains(line, "USING COVERING INDEX")
			if bad && (allowed == "" || !strings.Contains(line, allowed)) {
				t.Errorf("%s\nmeans %s", query, line)
			}
		}
	}
	store := &store{}
	p, c, f, u := newPosts(store), newComments(store), newFollowers(store), newUsers(store)
	for service, all := range map[string][]*listing{
		"user":     {u.all},
		"post":     {p.all[0], p.all[1], p.byAuthor[0], p.byAuthor[1]},
		"comment":  {c.byPost, c.topLevel, c.replies, c.author},
		"follower": {f.to, f.from},
	} {
		for _, listing := range all {
			for _, text := range listing.texts {
				check(service, text, "")
			}
		}
	}
	for _, merged := range p.merged {
		for _, text := range merged.texts {
			check("post", text, "USE TEMP B-TREE FOR ORDER BY") // several authors' posts have no common order
		}
	}
	check("post", "SELECT doc FROM posts WHERE author_id = ? AND deleted = 0 LIMIT ?", "")
	check("follower", "SELECT doc FROM edges WHERE live = 1 AND follower_id = ?1 UNION ALL SELECT doc FROM edges WHERE live = 1 AND followee_id = ?1", "")
}

// TestImportPlans does the same for the rules between the lines of an import, which run while the store is locked.
func TestImportPlans(t *testing.T) {
	store, err := openStore(t.Context(), t.TempDir(), commentDefinition())
	if err != nil {
		t.Fatal(err)
	}
	defer store.close()
	conn, err := store.write.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := &staging{conn: conn, table: "comments", rules: commentImports()}
	if err := s.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "CREATE INDEX temp.staged_parents ON staged (parent_id)"); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{orphans, circles} {
		rows, err := conn.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var id, parent, unused int
			var line string
			if err := rows.Scan(&id, &parent, &unused, &line); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(line, "AUTOMATIC") || strings.HasPrefix(line, "SCAN c") || strings.HasPrefix(line, "SCAN p") {
				t.Errorf("%s\nmeans %s", query, line)
			}
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, stmt := range []interface{ Close() error }{s.find, s.double, s.insert} {
		if err := stmt.Close(); err != nil {
			t.Error(err)
		}
	}
}

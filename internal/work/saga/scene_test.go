package saga_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// scene is two accounts with overlapping edges among others.
type scene struct {
	*world
	ann, bob, eve, joe string
	posts              []string
}

func newScene(t *testing.T, grace time.Duration) *scene {
	t.Helper()
	s := &scene{world: newWorld(t, grace)}
	s.ann, s.bob, s.eve, s.joe = s.person("ann_erased"), s.person("bob_stays"), s.person("eve_stays"), s.person("joe_stays")
	s.posts = []string{s.post(s.ann, "published"), s.post(s.ann, "draft"), s.post(s.bob, "published")}
	first := s.comment(s.posts[2], s.ann)
	s.comment(s.posts[0], s.ann)
	s.comment(s.posts[0], s.bob)
	gone := s.comment(s.posts[2], s.ann)
	s.do("DELETE", "comment", "/comments/"+gone, nil)
	s.do("POST", "comment", "/comments", map[string]any{"postId": s.posts[2], "parentId": first, "authorId": s.ann, "body": "again"})
	for _, edge := range [][2]string{{s.ann, s.bob}, {s.bob, s.ann}, {s.ann, s.eve}, {s.bob, s.eve}, {s.joe, s.ann}, {s.joe, s.bob}, {s.eve, s.ann}} {
		s.follow(edge[0], edge[1])
	}
	return s
}

// state is everything the services show, but for what every write changes.
func (s *scene) state() map[string]any {
	s.Helper()
	people := strings.Join([]string{s.ann, s.bob, s.eve, s.joe}, ",")
	shown := map[string]any{}
	for service, paths := range map[string][]string{
		"user":     {"/users?ids=" + people},
		"post":     {"/posts?limit=500&visibility=author", "/posts?limit=500"},
		"comment":  {"/comments/by-post?limit=500&postIds=" + strings.Join(s.posts, ","), "/comments/by-author?limit=500&authorIds=" + people},
		"follower": {"/followers?limit=500&userIds=" + people, "/following?limit=500&userIds=" + people, "/counts?userIds=" + people},
	} {
		for _, path := range paths {
			shown[service+path] = plain(s.do("GET", service, path, nil))
		}
	}
	return shown
}

// plain takes versions and times of change out of a document.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "version")
		delete(v, "updatedAt")
		for name, member := range v {
			v[name] = plain(member)
		}
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	}
	return v
}

// same compares two states.
func (s *scene) same(before, after map[string]any) {
	s.Helper()
	for _, name := range slices.Sorted(maps.Keys(before)) {
		b, _ := json.Marshal(before[name])
		a, _ := json.Marshal(after[name])
		if string(a) != string(b) {
			s.Errorf("%s was\n%s\nand is\n%s", name, b, a)
		}
	}
}

// holding are the files that have a text in them.
func (s *scene) holding(text string) (found []string) {
	s.Helper()
	err := filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), text) {
			found = append(found, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return found
}

// heard waits until the log has what a subject's last event says.
func (s *scene) heard(subject string) {
	s.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) { // deliveries tell nobody
		events, err := s.log.ReadSubject(s.Context(), subject, 0, 0, 1, false)
		if err != nil {
			s.Fatal(err)
		}
		if len(events) > 0 {
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("the log never hears of %s", subject)
		}
	}
}

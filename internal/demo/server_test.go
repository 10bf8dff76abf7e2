package demo

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestHosts(t *testing.T) {
	l := start(t, func(o *Options) { o.AllowedHosts = []string{"demo.internal", "other:8080"} })
	for host, status := range map[string]int{
		"localhost": 200, "LOCALHOST:99": 200, "127.0.0.1:4000": 200, "127.8.8.8": 200, "[::1]:80": 200, "demo.internal": 200,
		"Demo.Internal:4000": 200, "other:8080": 200,
		"other": 421, "other:8081": 421, "evil.example": 421, "127.0.0.1.evil.example": 421, "10.0.0.1": 421, "localhost.evil.example": 421,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.demo.URL("user")+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		response, err := l.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		equal(t, host, response.StatusCode, status)
	}
}

func TestToken(t *testing.T) {
	l := start(t, func(o *Options) { o.Token = "s3cret" })
	l.get("user", "/users?ids=a")
	l.do(http.MethodGet, "user", "/users?ids=a", "", "Authorization", "bearer s3cret").want(200)
	for _, header := range []string{"", "Bearer", "Bearer ", "Bearer s3cret2", "Basic s3cret", "s3cret"} {
		l.do(http.MethodGet, "user", "/users?ids=a", "", "Authorization", header).refused(401, "UNAUTHENTICATED")
		l.do(http.MethodGet, "user", "/faults", "", "Authorization", header).refused(401, "UNAUTHENTICATED")
		l.do(http.MethodGet, "user", "/healthz", "", "Authorization", header).want(200)
	}
}

func TestPathsAndMethods(t *testing.T) {
	l := start(t)
	for _, c := range []struct {
		method, service, path string
		status                int
		allow                 string
	}{
		{"GET", "user", "/", 404, ""},
		{"GET", "user", "/users/", 404, ""},
		{"GET", "user", "//users", 404, ""},
		{"GET", "user", "/users/u1/purge/now", 404, ""},
		{"POST", "user", "/users/bad%20id/purge", 400, ""},
		{"POST", "user", "/users//purge", 404, ""},
		{"POST", "user", "/users/../purge", 404, ""}, // ".." is an id like any other, of nobody
		{"PUT", "user", "/users", 405, "GET, HEAD, POST"},
		{"GET", "user", "/users/u1", 405, "DELETE, PATCH"},
		{"POST", "post", "/posts/by-author", 405, "DELETE, GET, HEAD, PATCH"},
		{"OPTIONS", "follower", "/edges/a/b", 405, "DELETE, PUT"},
		{"POST", "follower", "/faults", 405, "DELETE, GET, HEAD, PUT"},
	} {
		r, err := l.try(c.method, c.service, c.path, "")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, c.method+" "+c.path, fmt.Sprint(r.status, r.header.Get("Allow")), fmt.Sprint(c.status, c.allow))
		equal(t, "type", r.header.Get("Content-Type"), "application/problem+json")
	}
	r, err := l.try("HEAD", "user", "/users", "")
	if err != nil || r.status != 200 || len(r.raw) > 0 || r.header.Get("Content-Length") == "0" {
		t.Errorf("HEAD: %d, %d bytes, %v, %v", r.status, len(r.raw), r.header, err)
	}
}

func TestBodies(t *testing.T) {
	l := start(t)
	for body, status := range map[string]int{
		`{`: 400, `[]`: 400, `null`: 400, `"x"`: 400, `{} {}`: 400, `{}x`: 400, "{\"handle\":\"a\xffb\"}": 400, `{"a":1,}`: 400,
		"\ufeff{}": 400, `{}`: 422, ` {} `: 422,
	} {
		if r := l.post("user", "/users", body); r.status != status {
			t.Errorf("%q: %d, want %d", body, r.status, status)
		}
	}
	large := `{"handle":"abc","name":"` + strings.Repeat("x", maxBodyBytes-26) + `"}`
	equal(t, "length", len(large), maxBodyBytes)
	l.post("user", "/users", large).refused(422, "INVALID", "name TOO_LONG")
	l.post("user", "/users", large+" ").refused(413, "BODY_TOO_LARGE")
	l.post("user", "/users", `{"handle":"abc","name":"x"}`, "Content-Type", "application/json; charset=latin1").want(415)
	l.post("user", "/users", `{"handle":"abc","name":"x"}`, "Content-Type", "application/merge-patch+json").want(415)
	l.post("user", "/users", `{"handle":"abc","name":"x"}`, "Content-Type", "application/json; charset=UTF-8").want(201)
}

// TestDrain ends Run while a request is being answered: the request is finished, and nothing is left.
func TestDrain(t *testing.T) {
	l := start(t)
	if err := l.demo.Faults("user").Set(Fault{Latency: 10 * time.Minute}); err != nil {
		t.Fatal(err)
	}
	idle, err := net.Dial("tcp", strings.TrimPrefix(l.demo.URL("user"), "http://")) // asks nothing
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	answered := make(chan error, 1)
	go func() {
		r, err := l.try("GET", "user", "/users?ids=a", "")
		if err == nil && r.status != 200 {
			err = fmt.Errorf("status %d", r.status)
		}
		answered <- err
	}()
	for l.demo.find("user").connections.active() == 0 { // until the request is held
		time.Sleep(time.Millisecond)
	}
	begin := time.Now()
	l.stop()
	if took := time.Since(begin); took > drainTime-time.Second {
		t.Errorf("Run took %v to end", took)
	}
	if err := <-answered; err != nil {
		t.Errorf("the running request: %v", err)
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(l.demo.URL("user"), "http://")); err == nil {
		t.Error("the port still takes connections")
	}
}

func TestOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c#d%41", "deep")
	d, err := Open(t.Context(), Options{Dir: dir}, "post")
	if err != nil {
		t.Fatal(err)
	}
	if d.URL("user") != "" || d.Faults("user") != nil || !strings.HasPrefix(d.URL("post"), "http://127.0.0.1:") {
		t.Errorf("URLs %q, %q", d.URL("user"), d.URL("post"))
	}
	if empty, err := d.Empty(t.Context()); !empty || err != nil {
		t.Errorf("empty: %v, %v", empty, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "post.db")); err != nil {
		t.Error(err)
	}
	taken := strings.TrimPrefix(d.URL("post"), "http://")
	if _, err := Open(t.Context(), Options{Dir: dir, Addrs: map[string]string{"user": taken}}); err == nil || !strings.Contains(err.Error(), "user service") {
		t.Errorf("a taken port: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := Open(t.Context(), Options{Dir: dir}, "like"); err == nil || !strings.Contains(err.Error(), `"like"`) {
		t.Errorf("an unknown service: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "user.db"), []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Dir: dir}, "user"); err == nil || !strings.Contains(err.Error(), "user.db") {
		t.Errorf("a broken file: %v", err)
	}
}

// TestAnotherProcess reads, lets another process write, and reads again: answers that are kept must not be stale.
func TestAnotherProcess(t *testing.T) {
	l := start(t)
	path := "/users?handles=abc"
	equal(t, "before", len(as[page[user]](l.get("user", path)).Items), 0)
	equal(t, "before, kept", len(as[page[user]](l.get("user", path)).Items), 0)
	other, err := openStore(context.Background(), filepath.Dir(l.rows("user", "SELECT file FROM pragma_database_list")[0]), userDefinition())
	if err != nil {
		t.Fatal(err)
	}
	defer other.close()
	u := user{ID: "x", Handle: "abc", Name: "N", Status: userActive, Version: 1}
	if _, err := other.write.Exec("INSERT INTO users (id, handle, status, created_at, version, doc) VALUES ('x', 'abc', 'active', 0, 1, ?)", u.doc()); err != nil {
		t.Fatal(err)
	}
	equal(t, "after", len(as[page[user]](l.get("user", path)).Items), 1)
	l.post("user", "/users/x/purge", "").want(204)
	equal(t, "after a write of its own", len(as[page[user]](l.get("user", path)).Items), 0)
}

package job_test

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"tributary/internal/demo"
	"tributary/internal/work"
	"tributary/internal/work/job"
)

// lines are the documents of a file in an archive.
func lines(t *testing.T, z *zip.Reader, name string) (docs []map[string]any) {
	t.Helper()
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	scan := bufio.NewScanner(f)
	for scan.Scan() {
		var doc map[string]any
		if err := json.Unmarshal(scan.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		docs = append(docs, doc)
	}
	if err := scan.Err(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return docs
}

// owned is a whole list as the service has it.
func (w *world) owned(service, path string) (docs []map[string]any) {
	w.Helper()
	type group struct {
		Items []map[string]any
		Next  *string
	}
	for after := ""; ; {
		var answer struct{ Groups map[string]group }
		w.get(service, path+user+"&limit=500"+after, &answer)
		docs = append(docs, answer.Groups[user].Items...)
		next := answer.Groups[user].Next
		if next == nil {
			return docs
		}
		after = "&after=" + *next
	}
}

func (w *world) open(r work.Record) *zip.Reader {
	w.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, "exports*", r.ID+".*.zip"))
	if err != nil || len(found) != 1 {
		w.Fatalf("%v %v", found, err)
	}
	z, err := zip.OpenReader(found[0])
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { z.Close() })
	return &z.Reader
}

// TestAnExportIsWhole ends the engine during an export several times.
func TestAnExportIsWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5000)
	if err := w.demo.Faults("comment").Set(demo.Fault{Latency: 40 * time.Millisecond}); err != nil { // there is time to end it half way
		t.Fatal(err)
	}
	e, stop := w.engine()
	r, err := job.StartExport(t.Context(), e, user, user)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := job.StartExport(t.Context(), e, user, user); !errors.Is(err, job.ErrExportRunning) || again.ID != r.ID {
		t.Errorf("%v %v", again, err)
	}
	part := filepath.Join(w.dir, "exports [1]", r.ID)
	cut := 0
	for n := range 3 { // cut short after some pages, each time a few more
		for {
			raw, _ := os.ReadFile(onlyFile(part + ".*.part/checkpoint.json"))
			var at struct{ Here int64 }
			_ = json.Unmarshal(raw, &at)
			if kept, err := e.Get(t.Context(), r.ID); at.Here >= int64(1000*(n+1)) || err == nil && kept.State.Ended() {
				break
			}
			time.Sleep(time.Millisecond) // files tell nobody of their changes
		}
		stop()
		if torn := onlyFile(part + ".*.part/comments.ndjson"); torn != "" { // what was written behind the checkpoint
			if err := appendTo(torn, strings.Repeat("x", 8<<20)); err != nil {
				t.Fatal(err)
			}
			cut++
		}
		e, stop = w.engine()
	}
	r = w.until(e, r.ID, ended)
	if r.State != work.Completed || r.Steps[0].Attempts != 1 || cut == 0 {
		t.Fatalf("cut short %d times, then %+v %+v", cut, r, r.Failure)
	}
	if told := <-w.done; told.ID != r.ID || len(w.done) > 0 {
		t.Errorf("told of %+v", told)
	}
	z := w.open(r)
	for file, at := range map[string][2]string{
		"posts.ndjson": {"post", "/posts/by-author?visibility=author&authorIds="}, "comments.ndjson": {"comment", "/comments/by-author?authorIds="},
		"followers.ndjson": {"follower", "/followers?userIds="}, "following.ndjson": {"follower", "/following?userIds="},
	} {
		got, want := lines(t, z, file), w.owned(at[0], at[1])
		if len(want) == 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d documents, want %d, or they differ", file, len(got), len(want))
		}
	}
	var profile struct{ Items []map[string]any }
	w.get("user", "/users?ids="+user, &profile)
	if got := lines(t, z, "profile.json"); !reflect.DeepEqual(got, profile.Items) {
		t.Errorf("profile: %v, want %v", got, profile.Items)
	}
	if parts, _ := filepath.Glob(part + "*.part"); len(z.File) != 5 || len(parts) > 0 {
		t.Errorf("%d files, %v", len(z.File), parts)
	}
}

func appendTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

func onlyFile(pattern string) string {
	found, _ := filepath.Glob(strings.Replace(pattern, "[1]", `\[1]`, 1))
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

func TestLinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	e, _ := w.engine()
	r, err := job.StartExport(t.Context(), e, user, user)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	l := &job.Links{Exports: w.exports, Key: []byte("key"), BaseURL: "http://here", Keep: 24 * time.Hour, Now: func() time.Time { return now }}
	if link, _ := l.URL(r); link != "" {
		t.Errorf("link %s before the end", link)
	}
	r = w.until(e, r.ID, ended)
	link, expires := l.URL(r)
	at, err := url.Parse(link)
	if err != nil || !strings.HasPrefix(link, "http://here/exports/"+r.ID+".zip?") || !expires.After(now) {
		t.Fatalf("%s %v", link, expires)
	}
	send := func(method, target string, header ...string) *httptest.ResponseRecorder {
		request := httptest.NewRequest(method, target, nil)
		for i := 0; i < len(header); i += 2 {
			request.Header.Set(header[i], header[i+1])
		}
		answer := httptest.NewRecorder()
		l.ServeHTTP(answer, request)
		return answer
	}
	path := at.RequestURI()
	query := at.Query()
	forged := func(name, value string) string {
		changed := url.Values{"expires": query["expires"], "signature": query["signature"]}
		changed.Set(name, value)
		return at.Path + "?" + changed.Encode()
	}
	for name, test := range map[string]struct {
		method, target string
		status         int
	}{
		"get": {"GET", path, 200}, "head": {"HEAD", path, 200}, "post": {"POST", path, 405},
		"unsigned": {"GET", at.Path, 403}, "signature": {"GET", forged("signature", strings.Repeat("0", 64)), 403}, "longer": {"GET", forged("expires", "99999999999"), 403},
		"another": {"GET", "/exports/AAAAAAAAAAAAAAAAAAAAAAAAAA.zip?" + at.RawQuery, 403}, "pattern": {"GET", "/exports/*.zip?" + at.RawQuery, 404},
		"upwards": {"GET", "/exports/../work.db?" + at.RawQuery, 404}, "no zip": {"GET", "/exports/" + r.ID + "?" + at.RawQuery, 404},
	} {
		answer := send(test.method, test.target)
		if answer.Code != test.status || answer.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", name, answer.Code, answer.Header())
		}
		if test.status >= 400 && answer.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %v", name, answer.Header())
		}
	}
	if answer := send("GET", path, "Range", "bytes=0-1"); answer.Code != http.StatusPartialContent || answer.Body.String() != "PK" {
		t.Errorf("range: %d %q", answer.Code, answer.Body)
	}
	if !strings.HasPrefix(send("GET", path).Header().Get("Content-Disposition"), "attachment") {
		t.Error("it would be shown")
	}
	now = now.Add(2 * time.Hour)
	if answer := send("GET", path); answer.Code != http.StatusGone {
		t.Errorf("later: %d", answer.Code)
	}
	link, _ = l.URL(r)
	again, err := job.StartExport(t.Context(), e, user, user)
	if err != nil {
		t.Fatal(err)
	}
	again = w.until(e, again.ID, ended)
	if old, _ := l.URL(r); old != "" || send("GET", strings.TrimPrefix(link, "http://here")).Code != http.StatusNotFound {
		t.Errorf("two exports of one owner are kept: %q", old)
	}
	r = again
	if link, _ = l.URL(r); send("GET", strings.TrimPrefix(link, "http://here")).Code != http.StatusOK {
		t.Errorf("the latest is at %q", link)
	}
	tidy := &job.Tidy{Exports: w.exports, Keep: time.Hour, Now: func() time.Time { return now }}
	if err := tidy.Once(); err != nil {
		t.Fatal(err)
	}
	if answer := send("GET", strings.TrimPrefix(link, "http://here")); answer.Code != http.StatusNotFound {
		t.Errorf("removed: %d", answer.Code)
	}
	now = now.Add(24 * time.Hour)
	if link, _ := l.URL(r); link != "" {
		t.Errorf("link %s after its time", link)
	}
}

func TestExportsAreErased(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	e, _ := w.engine()
	r, err := job.StartExport(t.Context(), e, user, user)
	if err != nil {
		t.Fatal(err)
	}
	r = w.until(e, r.ID, ended)
	other, err := job.StartExport(t.Context(), e, "bob", "bob")
	if err != nil {
		t.Fatal(err)
	}
	other = w.until(e, other.ID, ended)
	planned, err := job.SchedulePost(t.Context(), e, user, user, "T", "a secret", time.Now().Add(time.Hour), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for try := 0; ; try++ {
		if err := job.Erase(t.Context(), e, w.exports, user); err == nil {
			break
		} else if try == 1000 {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond) // as the step that calls it is tried again
	}
	if onlyFile(filepath.Join(w.dir, "exports [1]", r.ID+".*.zip")) != "" || onlyFile(filepath.Join(w.dir, "exports [1]", other.ID+".*.zip")) == "" {
		t.Error("the wrong archives are there")
	}
	planned, err = e.Get(t.Context(), planned.ID)
	if err != nil || planned.State != work.Cancelled || planned.Input != nil {
		t.Errorf("%+v %v", planned, err)
	}
	info, err := os.Stat(filepath.Join(w.dir, "exports [1]"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestNoExportStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	e, _ := w.engine(func(o *job.Options) { o.Exports = nil })
	if _, err := job.StartExport(t.Context(), e, user, user); !errors.Is(err, job.ErrExportStoreMissing) {
		t.Error(err)
	}
}

func TestAnExportOfNobodyFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	e, _ := w.engine()
	r, err := job.StartExport(t.Context(), e, "nobody", user)
	if err != nil {
		t.Fatal(err)
	}
	if r = w.until(e, r.ID, ended); r.State != work.Failed || r.Failure.Code != "NOT_FOUND" {
		t.Errorf("%+v %+v", r, r.Failure)
	}
	if strings.Contains(r.Failure.Message, "/") {
		t.Error(r.Failure.Message)
	}
}

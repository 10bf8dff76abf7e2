package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestFaultDown(t *testing.T) {
	l := start(t)
	url := l.demo.URL("user")
	for range 3 {
		l.get("user", "/healthz") // leaves a connection
		fault(l, "user", Fault{Down: true}, func() {
			if _, err := l.try("GET", "user", "/healthz", ""); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("down: %v", err)
			}
			l.get("post", "/healthz") // the others are not
		})
		l.get("user", "/healthz")
	}
	equal(t, "address", l.demo.URL("user"), url)
	if err := l.demo.Faults("user").Set(Fault{Down: true}); err != nil {
		t.Fatal(err)
	} // Run has to end all the same
}

func TestFaultDownBeforeRun(t *testing.T) {
	d, err := Open(t.Context(), Options{Dir: t.TempDir()}, "user")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Faults("user").Set(Fault{Down: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := http.Get(d.URL("user")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("down: %v", err)
	}
}

func TestFaultHang(t *testing.T) {
	l := start(t)
	faults := l.demo.Faults("post")
	if err := faults.Set(Fault{Hang: true}); err != nil {
		t.Fatal(err)
	}
	answers := make(chan reply)
	for _, r := range [][2]string{{"GET", ""}, {"POST", `{"authorId":"a","title":"T","body":"B"}`}} {
		go func() {
			answer, err := l.try(r[0], "post", "/posts", r[1])
			if err != nil {
				t.Error(err)
			}
			answers <- answer
		}()
	}
	impatient := *l.client
	impatient.Timeout = 50 * time.Millisecond
	for range 2 {
		if _, err := impatient.Get(l.demo.URL("post") + "/posts"); err == nil {
			t.Error("an answer came")
		}
	}
	select {
	case r := <-answers:
		t.Fatalf("an answer came: %d", r.status)
	default:
	}
	if err := faults.Clear(); err != nil {
		t.Fatal(err)
	}
	equal(t, "statuses", (<-answers).status+(<-answers).status, 200+201)
	for l.demo.find("post").connections.active() > 0 { // those of the impatient
		time.Sleep(time.Millisecond)
	}
	if err := faults.Set(Fault{Hang: true}); err != nil {
		t.Fatal(err)
	}
	go func() {
		answer, err := l.try("GET", "post", "/posts", "")
		if err != nil {
			t.Error(err)
		}
		answers <- answer
	}()
	for l.demo.find("post").connections.active() == 0 {
		time.Sleep(time.Millisecond)
	}
	l.stop() // the end of Run lets go of it
	equal(t, "at the end", (<-answers).status, 200)
}

// active counts the connections on which a request is being answered.
func (c *connections) active() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, state := range c.open {
		if state == http.StateActive {
			n++
		}
	}
	return n
}

func TestFaultLatencyAndErrors(t *testing.T) {
	l := start(t)
	fault(l, "user", Fault{Latency: 30 * time.Millisecond}, func() {
		begin := time.Now()
		l.get("user", "/users")
		if took := time.Since(begin); took < 30*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
	for _, c := range []struct {
		fault         Fault
		status        int
		code, retryAt string
	}{
		{Fault{ErrorRate: 1}, 503, "UNAVAILABLE", "1"},
		{Fault{ErrorRate: 1, RetryAfter: 1500 * time.Millisecond}, 503, "UNAVAILABLE", "2"},
		{Fault{ErrorRate: 1, Status: 429, RetryAfter: 7 * time.Second}, 429, "THROTTLED", "7"},
		{Fault{ErrorRate: 1, Status: 500}, 500, "INTERNAL", ""},
		{Fault{ErrorRate: 1, Status: 502}, 502, "INTERNAL", ""},
	} {
		fault(l, "user", c.fault, func() {
			r, err := l.try("POST", "user", "/users", `{"handle":"anna","name":"N"}`)
			if err != nil {
				t.Fatal(err)
			}
			r.refused(c.status, c.code)
			equal(t, "Retry-After", r.header.Get("Retry-After"), c.retryAt)
		})
	}
	equal(t, "nothing was carried out", as[page[user]](l.get("user", "/users")).Total, 0)
	fault(l, "user", Fault{ErrorRate: 0.5}, func() {
		seen := map[int]bool{}
		for range 200 { // both come, but for a chance of 1 in 2^199
			r, err := l.try("GET", "user", "/users", "")
			if err != nil {
				t.Fatal(err)
			}
			seen[r.status] = true
		}
		equal(t, "statuses", seen, map[int]bool{200: true, 503: true})
	})
}

func TestFaultBodies(t *testing.T) {
	l := start(t)
	first, second := l.newUser("anna"), l.newUser("bert")
	path := "/users?ids=" + in(first.ID, second.ID)
	spoilt := func(f BodyFault, service, path string) (r reply, err error) {
		fault(l, service, Fault{Body: f}, func() { r, err = l.try("GET", service, path, "") })
		return r, err
	}
	whole := l.get("user", path)
	r, err := spoilt(BodyReset, "user", path)
	if !errors.Is(err, syscall.ECONNRESET) || len(r.raw) != len(whole.raw)/2 {
		t.Errorf("reset: %d bytes, %v", len(r.raw), err)
	}
	r, err = spoilt(BodyTruncated, "user", path)
	if err != nil || json.Valid(r.raw) || len(r.raw) != len(whole.raw)/2 || r.status != 200 {
		t.Errorf("truncated: %d %s, %v", r.status, r.raw, err)
	}
	r, err = spoilt(BodyNotJSON, "user", path)
	if err != nil || r.raw[0] != '<' || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("not JSON: %s, %v, %v", r.raw, r.header, err)
	}
	r, err = spoilt(BodyWrongType, "user", path)
	if err != nil || string(r.raw) != string(whole.raw) || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
		t.Errorf("wrong type: %s, %v, %v", r.raw, r.header, err)
	}
	r, err = spoilt(BodyForeignID, "user", path)
	if p := as[page[user]](r); err != nil || len(p.Items) != 3 || p.Items[2].ID != foreignID {
		t.Errorf("foreign id: %s, %v", r.raw, err)
	}
	r, err = spoilt(BodyMissingID, "user", path)
	if p := as[page[user]](r); err != nil || len(p.Items) != 1 {
		t.Errorf("missing id: %s, %v", r.raw, err)
	}
	for f, keys := range map[BodyFault]int{BodyForeignID: 3, BodyMissingID: 1} {
		r, err = spoilt(f, "post", "/posts/by-author?authorIds=a,b")
		equal(t, "groups", fmt.Sprint(len(as[groups[post]](r).Groups), err), fmt.Sprint(keys, nil))
		r, err = spoilt(f, "follower", "/counts?userIds=a,b")
		equal(t, "counts", fmt.Sprint(len(as[struct{ Counts map[string]any }](r).Counts), err), fmt.Sprint(keys, nil))
	}
	r, err = spoilt(BodyForeignID, "user", "/users?ids=nobody")
	equal(t, "nothing to copy", fmt.Sprint(string(r.raw), err), `{"items":[]}<nil>`)
}

func TestFaultHugeBody(t *testing.T) {
	l := start(t)
	fault(l, "user", Fault{Body: BodyHuge}, func() {
		response, err := l.client.Get(l.demo.URL("user") + "/users")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		n, err := io.Copy(io.Discard, response.Body)
		if n < hugeBytes || err != nil || response.ContentLength != -1 {
			t.Errorf("%d bytes, %v", n, err)
		}
		response, err = l.client.Get(l.demo.URL("user") + "/users") // one who does not want it all
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(response.Body, make([]byte, 1<<20)); err != nil {
			t.Error(err)
		}
		response.Body.Close()
	})
}

func TestFaultsOverHTTP(t *testing.T) {
	l := start(t)
	equal(t, "none", as[faultDocument](l.get("user", "/faults")), faultDocument{})
	r := l.do("PUT", "user", "/faults", `{"errorRate":1,"status":429,"retryAfter":3,"latencyMs":1,"body":"truncated"}`).want(200)
	want := faultDocument{Active: true, LatencyMs: 1, ErrorRate: 1, Status: 429, RetryAfter: 3, Body: BodyTruncated}
	equal(t, "put", as[faultDocument](r), want)
	equal(t, "get", as[faultDocument](l.get("user", "/faults")), want)
	l.do("GET", "user", "/users", "").refused(429, "THROTTLED")
	l.do("DELETE", "user", "/faults", "").want(204)
	l.get("user", "/users")
	for body, fields := range map[string][]string{
		`{"status":200}`: {"fault INVALID"}, `{"errorRate":2}`: {"fault INVALID"}, `{"body":"eaten"}`: {"fault INVALID"}, `{"latencyMs":700000}`: {"fault INVALID"},
		`{"hang":1}`: {"hang INVALID"}, `{"x":1}`: {"x INVALID"}, `{"down":true}`: {"forMs REQUIRED"}, `{"forMs":-1}`: {"forMs INVALID"},
		`{"forMs":9223372036854775807}`: {"forMs INVALID"},
	} {
		l.do("PUT", "user", "/faults", body).refused(422, "INVALID", fields...)
	}
	l.do("PUT", "user", "/faults", `{"down":true,"forMs":100}`).want(200)
	for { // it lifts itself; until it has come about, the service answers too
		r, err := l.try("GET", "user", "/healthz", "")
		if f, active := l.demo.Faults("user").Get(); err == nil && !active {
			equal(t, "back", r.status, 200)
			equal(t, "lifted", f, Fault{})
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	closed := start(t, func(o *Options) { o.Faults = false })
	closed.do("GET", "user", "/faults", "").refused(404, "NOT_FOUND")
}

func TestFaultRules(t *testing.T) {
	d, err := Open(t.Context(), Options{Dir: t.TempDir()}, "user")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, bad := range []Fault{
		{Latency: -1}, {Latency: time.Hour}, {ErrorRate: -0.1}, {ErrorRate: 1.1}, {Status: 399}, {Status: 600}, {RetryAfter: -1}, {For: -1},
		{For: 25 * time.Hour}, {Body: "x"},
	} {
		if err := d.Faults("user").Set(bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	if _, active := d.Faults("user").Get(); active {
		t.Error("a refused fault is set")
	}
}

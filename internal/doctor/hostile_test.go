package doctor

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestHostileServices holds the doctor to ending soon, and with breaches, whatever a service does to it.
func TestHostileServices(t *testing.T) {
	t.Parallel()
	answer := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, body) //nolint:errcheck // a test
		}
	}
	for name, serve := range map[string]http.HandlerFunc{
		"nothing":     func(http.ResponseWriter, *http.Request) {},
		"empty":       answer(""),
		"a number":    answer("1"),
		"null":        answer("null"),
		"a list":      answer("[]"),
		"deep":        answer(strings.Repeat("[", 20_000)),
		"odd items":   answer(`{"status":"ok","items":[null,1,"a",[],{}],"next":3,"prev":{},"total":"many","groups":[],"counts":7}`),
		"odd groups":  answer(`{"groups":{"a":null,"b":[],"c":{"items":{}}},"counts":{"a":null,"b":[1]},"items":{"a":1}}`),
		"huge number": answer(`{"items":[],"next":null,"prev":null,"total":1e999,"groups":{},"counts":{}}`),
		"HTML": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<h1>\x1b[2JIt works!</h1>") //nolint:errcheck // a test
		},
		"redirects": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"/x", http.StatusFound) },
		"500":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"odd status": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "99999999999999999999")
			w.WriteHeader(999)
		},
		"drip": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				io.WriteString(w, " ") //nolint:errcheck // the doctor leaves
				http.NewResponseController(w).Flush()
				time.Sleep(5 * time.Millisecond) // it is slow by nature
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(serve)
			defer server.Close()
			examineHostile(t, server.URL)
		})
	}
}

// TestHostileConnections is the same below HTTP.
func TestHostileConnections(t *testing.T) {
	t.Parallel()
	for name, talk := range map[string]func(net.Conn){
		"closes at once":  func(net.Conn) {},
		"says nothing":    func(c net.Conn) { io.Copy(io.Discard, c) },                                                             //nolint:errcheck // it ends with the connection
		"is not HTTP":     func(c net.Conn) { fmt.Fprint(c, "220 mail.example.org ESMTP\r\n") },                                    //nolint:errcheck // a test
		"breaks off":      func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}") },                    //nolint:errcheck // a test
		"endless headers": func(c net.Conn) { io.Copy(c, io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\nA: "), endless{})) }, //nolint:errcheck // it is cut off
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					bufio.NewReader(conn).ReadString('\n') //nolint:errcheck // a test
					talk(conn)
					conn.Close()
				}
			}()
			examineHostile(t, "http://"+listener.Addr().String())
			listener.Close()
			<-done
		})
	}
}

func examineHostile(t *testing.T, address string) {
	t.Helper()
	for _, service := range []string{"post", "follower"} { // between them every kind of read and write
		start := time.Now()
		r := (&network{}).examineAt(t, service, address, reading|writing, 60*time.Millisecond)
		if took := time.Since(start); took > 2*time.Minute {
			t.Errorf("%s: it took %s", service, took)
		}
		if r.Breaches() == 0 {
			t.Errorf("%s: no breach: %s", service, report(r))
		}
		if text := report(r); strings.ContainsRune(text, '\x1b') {
			t.Error("a control character in the report")
		}
		for _, f := range r.Findings {
			if len(f.Detail) > maxDetail+8 || len(f.Request) > maxRequest+8 || strings.Contains(f.Detail, "127.0.0.1") {
				t.Errorf("%+v", f)
			}
		}
	}
}

// TestServiceThatStopsAnswering is well and never answers anything else: it is asked a few times and given up.
func TestServiceThatStopsAnswering(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"status":"ok"}`) //nolint:errcheck // a test
			return
		}
		asked.Add(1)
		io.Copy(io.Discard, r.Body) //nolint:errcheck // only behind the body does the server notice that the doctor leaves
		<-r.Context().Done()
	}))
	defer server.Close()
	r := (&network{}).examineAt(t, "post", server.URL, reading|writing, 100*time.Millisecond)
	if got := breached(r); !slices.Equal(got, []string{"post.answers.timely"}) {
		t.Error(got)
	}
	if asked.Load() > maxTrouble {
		t.Errorf("it was asked %d times", asked.Load())
	}
}

func TestDescriptionsHaveNoAddress(t *testing.T) {
	address := &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 4}
	for _, err := range []error{
		&net.OpError{Op: "dial", Net: "tcp", Addr: address, Err: errors.New("no route to host")},
		&net.OpError{Op: "read", Net: "tcp", Addr: address, Err: syscall.ECONNRESET},
		&net.DNSError{Err: "no such host", Name: "10.1.2.3", IsNotFound: true},
		io.ErrUnexpectedEOF,
	} {
		text := describe(&url.Error{Op: "Get", URL: "http://10.1.2.3/", Err: err})
		if text == "" || strings.Contains(text, "10.1.2.3") {
			t.Errorf("%v is described as %q", err, text)
		}
	}
}

// TestReadsOnlyUnlessAskedToWrite lets all services see what a run without Write sends.
func TestReadsOnlyUnlessAskedToWrite(t *testing.T) {
	t.Parallel()
	n := openNetwork(t).people(t)
	var targets []Target
	var proxies []*proxy
	for service, address := range n.urls {
		p := &proxy{target: address}
		server := httptest.NewServer(p)
		defer server.Close()
		proxies = append(proxies, p)
		targets = append(targets, Target{Service: service, URL: server.URL, Token: testToken})
	}
	if _, err := Check(t.Context(), targets, Options{Timeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
	for _, p := range proxies {
		if len(p.wrote) > 0 {
			t.Errorf("it wrote: %v", p.wrote)
		}
	}
}

// TestServiceThatGivesAwayOthers answers every creation with an entity that was there before. It must live.
func TestServiceThatGivesAwayOthers(t *testing.T) {
	t.Parallel()
	n := openNetwork(t, "user")
	victim := n.make(t, "user", "/users", `{"handle":"bystander","name":"A Bystander"}`)
	var taken string
	f := onWrite(http.MethodPost, "/users", func(_ *http.Request, a *passing) {
		a.change(func(tree map[string]any) {
			taken = textOf(tree["id"])
			tree["id"] = victim
		})
	})
	r, p := n.examineThrough(t, "user", f, writing, time.Minute)
	if r.Breaches() == 0 {
		t.Error("no breach")
	}
	for _, write := range p.wrote {
		if strings.Contains(write, victim) {
			t.Errorf("it wrote to another's entity: %s", write)
		}
	}
	if taken == "" {
		t.Fatal("nothing was created")
	}
	n.send(t, http.MethodPatch, "user", "/users/"+victim, `{}`, http.StatusPreconditionRequired) // 404 if it had gone
}

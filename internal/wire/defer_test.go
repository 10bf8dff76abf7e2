package wire_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/operation"
	"tributary/internal/wire"
)

const (
	multipart = "Accept: multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9"
	deferring = `{"query":"{ a: echo ... @defer(label: \"later\") { b: echo } }"}`
)

// held answers each root field with its response key, and a key in holds only once that lets it.
func held(holds map[string]<-chan struct{}) operation.Executor {
	return executorFunc(func(ctx context.Context, op *operation.Prepared) *operation.Result {
		var members []string
		var collect func(ast.SelectionSet)
		collect = func(set ast.SelectionSet) {
			for _, selection := range set {
				switch s := selection.(type) {
				case *ast.Field:
					if hold := holds[s.Alias]; hold != nil {
						select {
						case <-hold:
						case <-ctx.Done():
						}
					}
					members = append(members, fmt.Sprintf("%q:%q", s.Alias, "<"+s.Alias+">"))
				case *ast.InlineFragment:
					collect(s.SelectionSet)
				}
			}
		}
		collect(op.Operation.SelectionSet)
		return &operation.Result{Data: []byte("{" + strings.Join(members, ",") + "}")}
	})
}

// ask sends a request and gives what comes behind the header as it comes.
func (c *socket) ask(body string, fields ...string) (header string, rest io.Reader) {
	c.t.Helper()
	c.write(fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n\r\n%s", len(body), strings.Join(fields, "\r\n"), body))
	for !strings.HasSuffix(header, "\r\n\r\n") {
		line, err := c.reader.ReadString('\n')
		if err != nil {
			c.t.Fatal(err)
		}
		header += line
	}
	return header, httputil.NewChunkedReader(c.reader)
}

// next reads exactly what is wanted.
func next(t *testing.T, r io.Reader, want string) {
	t.Helper()
	raw := make([]byte, len(want))
	n, err := io.ReadFull(r, raw)
	if err != nil || string(raw) != want {
		t.Fatalf("%q, %v, want %q", raw[:n], err, want)
	}
}

const partHead = "Content-Type: application/json; charset=utf-8\r\n\r\n"

func TestPartsOfMultipart(t *testing.T) {
	s := newSite(t)
	hold := make(chan struct{})
	s.executor = held(map[string]<-chan struct{}{"b": hold})
	header, body := s.dial(t).ask(deferring, multipart, "Accept-Encoding: gzip")
	for _, want := range []string{"HTTP/1.1 200 OK", `Content-Type: multipart/mixed; boundary="-"; deferSpec=20220824`, "Cache-Control: no-store"} {
		if !strings.Contains(header, want) {
			t.Errorf("the header lacks %q:\n%s", want, header)
		}
	}
	if strings.Contains(header, "Content-Encoding") {
		t.Errorf("the answer is packed:\n%s", header)
	}
	next(t, body, "\r\n---\r\n"+partHead+`{"data":{"a":"\u003ca\u003e"},"extensions":{"cost":{"requested":0}},"hasNext":true}`+"\r\n---\r\n")
	close(hold)
	next(t, body, partHead+`{"incremental":[{"data":{"b":"\u003cb\u003e"},"path":[],"label":"later"}],"extensions":{"cost":{"requested":0,"actual":0}},"hasNext":false}`+"\r\n-----\r\n")
	if rest, err := io.ReadAll(body); len(rest) > 0 || err != nil {
		t.Errorf("behind the end stands %q, %v", rest, err)
	}
}

func TestPartsOfAnEventStream(t *testing.T) {
	s := newSite(t)
	hold := make(chan struct{})
	s.executor = held(map[string]<-chan struct{}{"b": hold})
	header, body := s.dial(t).ask(deferring, "Accept: text/event-stream")
	if !strings.Contains(header, "Content-Type: text/event-stream; charset=utf-8\r\n") {
		t.Errorf("header:\n%s", header)
	}
	next(t, body, "event: next\ndata: "+`{"data":{"a":"\u003ca\u003e"},"extensions":{"cost":{"requested":0}},"hasNext":true}`+"\n\n")
	close(hold)
	next(t, body, "event: next\ndata: "+`{"incremental":[{"data":{"b":"\u003cb\u003e"},"path":[],"label":"later"}],"extensions":{"cost":{"requested":0,"actual":0}},"hasNext":false}`+"\n\nevent: complete\ndata: \n\n")
}

func TestWhoGetsParts(t *testing.T) {
	s := newSite(t)
	s.executor = held(nil)
	const inParts, inEvents, inJSON = "multipart/mixed", "text/event-stream", "application/json"
	for accept, want := range map[string]struct{ deferred, plain string }{
		"multipart/mixed":                     {inParts, inParts},
		"Multipart/Mixed; DeferSpec=20220824": {inParts, inParts},
		"application/json, multipart/mixed":   {inParts, inJSON},
		"application/graphql-response+json, application/json, text/event-stream, multipart/mixed": {inParts, "application/graphql-response+json"},
		"multipart/mixed;q=0.5, text/event-stream":                                                {inEvents, inEvents},
		"application/json, text/event-stream":                                                     {inEvents, inJSON},
	} {
		t.Run(accept, func(t *testing.T) {
			for body, want := range map[string]string{deferring: want.deferred, `{"query":"{ a: echo ... @defer(if: false) { b: echo } }"}`: want.plain} {
				r := s.post(t, body, "Accept: "+accept)
				if got := r.header.Get("Content-Type"); r.status != http.StatusOK || !strings.HasPrefix(got, want) {
					t.Errorf("%d %s for %s, want %s\n%s", r.status, got, body, want, r.text)
				}
				if want == inParts && !strings.HasSuffix(r.text, `"hasNext":false}`+"\r\n-----\r\n") {
					t.Errorf("%q", r.text)
				}
			}
		})
	}
}

func TestDeferWithoutParts(t *testing.T) {
	s := newSite(t)
	s.http.MaxBatch = 2
	s.executor = executorFunc(func(context.Context, *operation.Prepared) *operation.Result {
		t.Error("it ran")
		return &operation.Result{Data: []byte("null")}
	})
	for name, tt := range map[string]struct {
		status int
		accept string
		body   string
	}{
		"JSON":                 {http.StatusOK, "application/json", deferring},
		"anything":             {http.StatusOK, "*/*", deferring},
		"GraphQL's own type":   {http.StatusBadRequest, "application/graphql-response+json", deferring},
		"parts of another day": {http.StatusOK, "multipart/mixed;deferSpec=20250101, application/json", deferring},
		"subscription's parts": {http.StatusOK, "multipart/mixed;subscriptionSpec=1.0, application/json", deferring},
		"parts of weight 0":    {http.StatusOK, "multipart/mixed;q=0, application/json", deferring},
		"a batch":              {http.StatusOK, "multipart/mixed, application/json", "[" + deferring + "]"},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.post(t, tt.body, "Accept: "+tt.accept)
			if r.status != tt.status || !strings.Contains(r.text, operation.CodeDeferNotSupported) || !strings.Contains(r.text, "multipart/mixed;deferSpec=20220824") || strings.Contains(r.text, `"data"`) {
				t.Errorf("%d %s", r.status, r.text)
			}
		})
	}
	r := s.post(t, deferring, "Accept: multipart/mixed;deferSpec=20250101")
	r.wants(t, http.StatusNotAcceptable, wire.CodeNotAcceptable)
}

func TestARefusedOperationIsNoParts(t *testing.T) {
	s := newSite(t)
	s.executor = held(nil)
	s.http.Pipeline.Limiter = twoRequests()
	for _, status := range []int{http.StatusOK, http.StatusOK, http.StatusTooManyRequests} {
		r := s.post(t, deferring, multipart)
		if r.status != status || r.header.Get("RateLimit") == "" || status != http.StatusOK && !strings.HasPrefix(r.header.Get("Content-Type"), "application/graphql-response+json") {
			t.Errorf("%d %v %s", r.status, r.header, r.text)
		}
	}
}

func TestTheClientLeavesBetweenTwoParts(t *testing.T) {
	s := newSite(t)
	gone := make(chan struct{})
	s.executor = executorFunc(func(ctx context.Context, op *operation.Prepared) *operation.Result {
		if _, deferred := op.Operation.SelectionSet[0].(*ast.InlineFragment); deferred {
			<-ctx.Done()
		}
		return &operation.Result{Data: []byte(`{"a":1}`), Errors: gqlerror.List{}}
	})
	s.after = func() { close(gone) }
	conn := s.dial(t)
	_, body := conn.ask(deferring, multipart)
	next(t, body, "\r\n---\r\n"+partHead)
	conn.Close()
	await(t, gone)
}

func TestAReaderOfPartsThatStopsReadingIsLeft(t *testing.T) {
	s := newSite(t)
	connections := wire.NewConnections(wire.ConnectionsConfig{StallTimeout: 50 * time.Millisecond})
	s.http.Connections = connections
	gone := make(chan struct{})
	s.executor = executorFunc(func(context.Context, *operation.Prepared) *operation.Result {
		return &operation.Result{Data: []byte(`{"a":"` + strings.Repeat("x", 8<<20) + `"}`)}
	})
	s.after = func() { close(gone) }
	conn := s.dial(t)
	if err := conn.SetReadBuffer(1 << 10); err != nil {
		t.Fatal(err)
	}
	conn.ask(deferring, multipart)
	await(t, gone)
}

func TestPartsAreBoundedTogether(t *testing.T) {
	s := newSite(t)
	s.http.MaxResponseBytes = 120
	s.executor = held(nil)
	r := s.post(t, deferring, multipart)
	if r.status != http.StatusOK || !strings.Contains(r.text, `{"a":"\u003ca\u003e"}`) || strings.Count(r.text, wire.CodeResponseTooLarge) != 1 || strings.Contains(r.text, `"label"`) || !strings.HasSuffix(r.text, "\"hasNext\":false}\r\n-----\r\n") {
		t.Errorf("%d %s", r.status, r.text)
	}
	s.http.MaxResponseBytes = 20
	if r = s.post(t, deferring, multipart); !strings.Contains(r.text, `"data":null,"hasNext":false}`) || !strings.Contains(r.text, wire.CodeResponseTooLarge) {
		t.Errorf("%d %s", r.status, r.text)
	}
}

func TestAWebsocketHasNoParts(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{})
	c := s.ready(t)
	c.subscribe("q", "{ a: echo ... @defer { b: echo } }")
	c.wantsError("q", operation.CodeDeferNotSupported)
	c.silent()
}

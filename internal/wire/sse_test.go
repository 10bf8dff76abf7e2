package wire_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tributary/internal/operation"
	"tributary/internal/wire"
)

const acceptEvents = "Accept: text/event-stream"

// getEvents asks for a document by GET.
func (s *streamSite) getEvents(t *testing.T, document string, fields ...string) *socket {
	t.Helper()
	c := s.dial(t)
	fields = append(fields, "Host: localhost")
	c.write("GET /graphql?query=" + url.QueryEscape(document) + " HTTP/1.1\r\n" + strings.Join(fields, "\r\n") + "\r\n\r\n")
	return c
}

// postEvents asks for a document by POST.
func (s *streamSite) postEvents(t *testing.T, document string, fields ...string) *socket {
	t.Helper()
	c := s.dial(t)
	body, _ := json.Marshal(map[string]string{"query": document})
	fields = append(fields, "Host: localhost", "Content-Type: application/json", fmt.Sprintf("Content-Length: %d", len(body)))
	c.write("POST /graphql HTTP/1.1\r\n" + strings.Join(fields, "\r\n") + "\r\n\r\n" + string(body))
	return c
}

// head reads the header of a stream.
func (c *socket) head() *http.Response {
	c.t.Helper()
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if media := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || media != "text/event-stream; charset=utf-8" {
		c.t.Fatalf("got %s, %s", response.Status, media)
	}
	return response
}

// block reads the stream up to the next empty line.
func (c *socket) block() string {
	c.t.Helper()
	var block strings.Builder
	for {
		line, err := c.reader.ReadString('\n')
		if err != nil {
			c.t.Fatalf("behind %q: %v", block.String(), err)
		}
		if line == "\n" {
			return block.String()
		}
		block.WriteString(line)
	}
}

// opened reads the header of a stream, and the comment that is behind it at once.
func (c *socket) opened() *http.Response {
	c.t.Helper()
	response := c.head()
	c.wantsBlock(":\n")
	return response
}

func (c *socket) wantsBlock(want string) {
	c.t.Helper()
	if got := c.block(); got != want {
		c.t.Fatalf("got  %q\nwant %q", got, want)
	}
}

func TestEventStreams(t *testing.T) {
	for method, ask := range map[string]func(*streamSite, *testing.T, string, ...string) *socket{"GET": (*streamSite).getEvents, "POST": (*streamSite).postEvents} {
		t.Run(method, func(t *testing.T) {
			s := newStreamSite(t, wire.ConnectionsConfig{})
			c := ask(s, t, subscription, acceptEvents)
			response := c.opened()
			for name, want := range map[string]string{"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Connection": "", "X-Content-Type-Options": "nosniff"} {
				if got := response.Header.Get(name); got != want && name != "Connection" {
					t.Errorf("%s: %q", name, got)
				}
			}
			s.ticks.members(t, 1)
			s.ticks.emit("one")
			c.wantsBlock("event: next\nid: c1\ndata: {\"data\":{\"ticks\":\"one\"}}\n")
			s.ticks.emit("two\nlines")
			c.wantsBlock("event: next\nid: c2\ndata: {\"data\":{\"ticks\":\"two\\nlines\"}}\n")
			c.Close()
			s.ticks.members(t, 0)
		})
	}
}

func TestLastEventID(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{})
	for _, text := range []string{"one", "two", "three"} {
		s.ticks.emit(text)
	}
	c := s.getEvents(t, subscription, acceptEvents, "Last-Event-ID: c1")
	c.opened()
	c.wantsBlock("event: next\nid: c2\ndata: {\"data\":{\"ticks\":\"two\"}}\n")
	c.wantsBlock("event: next\nid: c3\ndata: {\"data\":{\"ticks\":\"three\"}}\n")
	c = s.getEvents(t, subscription, acceptEvents, "Last-Event-ID: c9")
	c.head()
	if got := c.block(); !strings.Contains(got, operation.CodeCursorExpired) || strings.Contains(got, "SECRET") {
		t.Errorf("got %q", got)
	}
	c.wantsBlock("event: complete\ndata: \n")
}

func TestKeepAlives(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{KeepAliveEvery: 30 * time.Millisecond})
	c := s.getEvents(t, "subscription quiet { ticks }", acceptEvents)
	c.opened()
	s.ticks.members(t, 1)
	c.wantsBlock("id: c0\n") // where it began
	c.wantsBlock(":\n")
	s.ticks.emit("nothing to it")
	eventually(t, func() bool { return c.block() == "id: c1\n" })
	c.wantsBlock(":\n")
}

// TestAnswersThatAreNoStream holds what is answered to who asks for event streams, with what status.
func TestAnswersThatAreNoStream(t *testing.T) {
	const first = `event: next` + "\n" + `data: {"`
	const stream, both = "Accept: text/event-stream", "Accept: application/json, text/event-stream"
	for name, tt := range map[string]struct {
		method, path, body string
		fields             []string
		status             int
		want               string // in the body
	}{
		"a query":                        {"GET", "?query={echo}", "", []string{stream}, 200, first + `data"`},
		"a query, JSON is as good":       {"GET", "?query={echo}", "", []string{both}, 200, `{"data":`},
		"a query, a stream is better":    {"GET", "?query={echo}", "", []string{"Accept: application/json;q=0.5, text/event-stream"}, 200, first + `data"`},
		"a mutation":                     {"POST", "", `{"query":"mutation { set(v: 1) }"}`, []string{stream}, 200, first + `data"`},
		"a mutation by GET":              {"GET", "?query=mutation{set(v:1)}", "", []string{stream}, 405, `"METHOD_NOT_ALLOWED"`},
		"not valid":                      {"GET", "?query={none}", "", []string{stream}, 200, first + `errors"`},
		"not valid, JSON is as good":     {"GET", "?query={none}", "", []string{both}, 200, `{"errors"`},
		"not valid, GraphQL is as good":  {"GET", "?query={none}", "", []string{"Accept: application/graphql-response+json, text/event-stream"}, 400, `{"errors"`},
		"not even a request":             {"POST", "", `{"query":1}`, []string{stream}, 400, `"BAD_REQUEST"`},
		"who calls is refused":           {"GET", "?query=subscription{ticks}", "", []string{stream, "Authorization: bad token"}, 401, `"UNAUTHENTICATED"`},
		"from another site":              {"GET", "?query=subscription{ticks}", "", []string{stream, "Sec-Fetch-Site: cross-site"}, 403, `"CSRF_REFUSED"`},
		"from another origin":            {"GET", "?query=subscription{ticks}", "", []string{stream, "Origin: https://evil.example"}, 403, `"CSRF_REFUSED"`},
		"a subscription as JSON":         {"GET", "?query=subscription{ticks}", "", nil, 406, `"NOT_ACCEPTABLE"`},
		"a subscription as JSON by POST": {"POST", "", `{"query":"subscription { ticks }"}`, nil, 406, `"NOT_ACCEPTABLE"`},
		"a subscription as anything":     {"GET", "?query=subscription{ticks}", "", []string{"Accept: */*"}, 406, `"NOT_ACCEPTABLE"`},
		"a subscription in a batch":      {"POST", "", `[{"query":"subscription { ticks }"}]`, []string{stream}, 406, `"NOT_ACCEPTABLE"`},
		"a subscription, weight 0":       {"GET", "?query=subscription{ticks}", "", []string{"Accept: text/event-stream;q=0"}, 406, `"NOT_ACCEPTABLE"`},
		"reservation":                    {"PUT", "", "", []string{stream}, 405, `"METHOD_NOT_ALLOWED"`},
		"stop":                           {"DELETE", "?operationId=1", "", []string{stream}, 405, `"METHOD_NOT_ALLOWED"`},
		"the token of a reservation":     {"GET", "", "", []string{stream, "X-GraphQL-Event-Stream-Token: x"}, 406, `"NOT_ACCEPTABLE"`},
		"by POST with that token":        {"POST", "", `{"query":"{ echo }"}`, []string{"X-GraphQL-Event-Stream-Token: x"}, 406, `"NOT_ACCEPTABLE"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStreamSite(t, wire.ConnectionsConfig{})
			s.http.MaxBatch = 2
			c := s.dial(t)
			c.write(tt.method + " /graphql" + tt.path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + strings.Join(append(tt.fields, ""), "\r\n"))
			if tt.body != "" {
				c.write(fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n", len(tt.body)))
			}
			c.write("\r\n" + tt.body)
			got := c.read()
			if got.status != tt.status || !strings.Contains(got.text, tt.want) || strings.HasPrefix(tt.want, "event") != strings.HasSuffix(got.text, "\n\nevent: complete\ndata: \n\n") {
				t.Errorf("got %d %s", got.status, got.text)
			}
			s.ticks.members(t, 0)
		})
	}
}

func TestEndsOfEventStreams(t *testing.T) {
	t.Run("draining", func(t *testing.T) {
		s := newStreamSite(t, wire.ConnectionsConfig{DrainOver: 10 * time.Second})
		c := s.getEvents(t, subscription, acceptEvents)
		c.opened()
		s.stop()
		if rest, err := io.ReadAll(c.reader); len(rest) > 0 || err != nil {
			t.Errorf("got %q, %v", rest, err)
		}
		c.Close()
		await(t, s.ended)
	})
	t.Run("too slow", func(t *testing.T) {
		s := newStreamSite(t, wire.ConnectionsConfig{})
		c := s.postEvents(t, subscription, acceptEvents)
		_ = c.SetReadBuffer(64 << 10)
		c.opened()
		s.ticks.members(t, 1)
		text := strings.Repeat("x", 1<<20)
		for range 12 {
			s.ticks.emit(text)
		}
		s.ticks.members(t, 0)
		n := 0
		for {
			got := c.block()
			if strings.HasPrefix(got, "event: next\nid: c") && strings.Contains(got, text) {
				n++
				continue
			}
			if want := fmt.Sprintf("event: next\nid: c%d\n", n); !strings.HasPrefix(got, want) || !strings.Contains(got, operation.CodeSubscriptionTooSlow) || !strings.Contains(got, fmt.Sprintf(`"cursor":"c%d"`, n)) {
				t.Fatalf("after %d comes %.300q", n, got)
			}
			break
		}
		c.wantsBlock("event: complete\ndata: \n")
		c.closed()
	})
	t.Run("too many", func(t *testing.T) {
		s := newStreamSite(t, wire.ConnectionsConfig{MaxPerCaller: 1})
		c := s.getEvents(t, subscription, acceptEvents)
		c.opened()
		s.getEvents(t, subscription, acceptEvents).read().wants(t, http.StatusTooManyRequests, wire.CodeTooManyConnections)
		c.Close()
		s.ticks.members(t, 0)
	})
}

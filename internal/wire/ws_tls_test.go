package wire_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tributary/internal/wire"
)

// secure serves a site by TLS too, where no write can be tried directly: everything goes through the queue.
func (s *streamSite) secure(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(s.Config.Handler)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// secureSocket is a websocket over TLS, acknowledged.
func secureSocket(t *testing.T, server *httptest.Server) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), server.URL+"/graphql", &websocket.DialOptions{HTTPClient: server.Client(), Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	c.SetReadLimit(1 << 20)
	tellServer(t, c, `{"type":"connection_init"}`)
	hears(t, c, `{"type":"connection_ack"}`)
	return c
}

func tellServer(t *testing.T, c *websocket.Conn, text string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func hears(t *testing.T, c *websocket.Conn, want string) {
	t.Helper()
	if _, raw, err := c.Read(t.Context()); err != nil || string(raw) != want {
		t.Fatalf("got %.300s, %v\nwant %.300s", raw, err, want)
	}
}

func TestWebsocketsOverTLS(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{DrainOver: time.Second})
	server := s.secure(t)
	c, other := secureSocket(t, server), secureSocket(t, server)
	for _, socket := range []*websocket.Conn{c, other} {
		tellServer(t, socket, `{"id":"1","type":"subscribe","payload":{"query":"subscription { ticks }"}}`)
	}
	s.ticks.members(t, 2)
	for _, text := range []string{"one", "two", strings.Repeat("x", 70_000), "three"} {
		s.ticks.emit(text)
		for _, socket := range []*websocket.Conn{c, other} {
			hears(t, socket, fmt.Sprintf(`{"id":"1","type":"next","payload":{"data":{"ticks":"%s"}}}`, text))
		}
	}
	tellServer(t, c, `{"id":"1","type":"subscribe","payload":{"query":"subscription { ticks }"}}`)
	if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != 4409 {
		t.Errorf("the same id twice ends with %v", err)
	}
	s.ticks.members(t, 1)
	s.stop()
	if _, _, err := other.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusServiceRestart {
		t.Errorf("draining ends with %v", err)
	}
	await(t, s.ended)
	s.ticks.members(t, 0)
}

// TestSlowConsumersOverTLS holds that who reads nothing delays nobody there either.
func TestSlowConsumersOverTLS(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{})
	server := s.secure(t)
	slow, fast := secureSocket(t, server), secureSocket(t, server)
	for _, socket := range []*websocket.Conn{slow, fast} {
		tellServer(t, socket, `{"id":"1","type":"subscribe","payload":{"query":"subscription { ticks }"}}`)
	}
	s.ticks.members(t, 2)
	text := strings.Repeat("x", 16<<10)
	for range 700 { // 11 MB: more than what kernels keep
		s.ticks.emit(text)
		hears(t, fast, `{"id":"1","type":"next","payload":{"data":{"ticks":"`+text+`"}}}`)
	}
	s.ticks.members(t, 1)
	for payloads := 0; ; payloads++ {
		_, raw, err := slow.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(raw), `"type":"next"`) {
			if want := fmt.Sprintf(`"cursor":"c%d"`, payloads); !strings.Contains(string(raw), want) {
				t.Errorf("after %d payloads comes %.300s", payloads, raw)
			}
			break
		}
	}
	tellServer(t, slow, `{"type":"ping"}`) // the connection is as good as before
	hears(t, slow, `{"type":"pong"}`)
}

func TestEventStreamsOverTLS(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{})
	server := s.secure(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/graphql?query="+url.QueryEscape(subscription), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	s.ticks.members(t, 1)
	s.ticks.emit("one")
	lines := bufio.NewReader(response.Body)
	for _, want := range []string{":\n", "\n", "event: next\n", "id: c1\n", `data: {"data":{"ticks":"one"}}` + "\n", "\n"} {
		if line, err := lines.ReadString('\n'); line != want || err != nil {
			t.Fatalf("got %q, %v, want %q", line, err, want)
		}
	}
	s.stop()
	if rest, err := io.ReadAll(lines); len(rest) > 0 || err != nil {
		t.Errorf("a server that stops ends the stream with %q, %v", rest, err)
	}
	await(t, s.ended)
}

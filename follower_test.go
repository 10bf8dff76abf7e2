package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/coder/websocket"
)

// heard is a payload as a subscriber has it.
type heard struct {
	cursor string
	fields map[string]any // of the root field, which is called x
}

// errRefused says that the server answered with errors: whoever comes back will hear them again.
var errRefused = errors.New("refused")

// line is a connection with one subscription on it.
type line struct {
	tcp  *net.TCPConn
	next func() (heard, error) // waits
	bye  func()                // leaves as the protocol has it; it may be called after cut
}

// cut ends the connection as a network that breaks does: the server gets a reset, and what was under way is lost.
func (l *line) cut() {
	_ = l.tcp.SetLinger(0) // it may be closed already
	_ = l.tcp.Close()
	l.bye()
}

// dialing is a client with one connection, which it hands out.
func dialing() (client *http.Client, conn func() *net.TCPConn) {
	var mu sync.Mutex
	var tcp *net.TCPConn
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		made, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		tcp = made.(*net.TCPConn)
		return made, nil
	}}
	return &http.Client{Transport: transport}, func() *net.TCPConn {
		mu.Lock()
		defer mu.Unlock()
		return tcp
	}
}

// opening opens a line to a server, behind a cursor; ctx ends it.
type opening func(ctx context.Context, base, query, after string) (*line, error)

// overWebsocket opens a line by graphql-transport-ws. The cursor is the variable after.
func overWebsocket(ctx context.Context, base, query, after string) (*line, error) {
	client, conn := dialing()
	socket, _, err := websocket.Dial(ctx, base+"/graphql", &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		return nil, err
	}
	socket.SetReadLimit(1 << 20)
	if err := begin(ctx, socket, query, after); err != nil {
		_ = socket.CloseNow() // it may be closed already
		return nil, err
	}
	return &line{
		tcp: conn(), next: func() (heard, error) { return nextMessage(ctx, socket) },
		bye: func() { _ = socket.Close(websocket.StatusNormalClosure, "") },
	}, nil
}

// begin has the connection acknowledged, and subscribes.
func begin(ctx context.Context, socket *websocket.Conn, query, after string) error {
	if err := socket.Write(ctx, websocket.MessageText, []byte(`{"type":"connection_init"}`)); err != nil {
		return err
	}
	_, raw, err := socket.Read(ctx)
	if err != nil {
		return err
	}
	if string(raw) != `{"type":"connection_ack"}` {
		return fmt.Errorf("%w: %s", errRefused, raw)
	}
	message, err := json.Marshal(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": query, "variables": map[string]any{"after": after}}})
	if err != nil {
		return err
	}
	return socket.Write(ctx, websocket.MessageText, message)
}

// nextMessage reads up to the next payload.
func nextMessage(ctx context.Context, socket *websocket.Conn) (heard, error) {
	for {
		_, raw, err := socket.Read(ctx)
		if err != nil {
			return heard{}, err
		}
		var m struct {
			Type    string
			Payload json.RawMessage
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			return heard{}, err
		}
		switch m.Type {
		case "next":
			h, err := hear(m.Payload)
			h.cursor, _ = h.fields["cursor"].(string)
			return h, err
		case "ping":
			if err := socket.Write(ctx, websocket.MessageText, []byte(`{"type":"pong"}`)); err != nil {
				return heard{}, err
			}
		default:
			return heard{}, fmt.Errorf("%w: %s", errRefused, raw)
		}
	}
}

// overEvents opens a line by an event stream. The cursor is Last-Event-ID.
func overEvents(ctx context.Context, base, query, after string) (*line, error) {
	ctx, cancel := context.WithCancel(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/graphql?query="+url.QueryEscape(query), http.NoBody)
	if err != nil {
		cancel()
		return nil, err
	}
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Last-Event-ID", after)
	client, conn := dialing()
	response, err := client.Do(request)
	if err != nil {
		cancel()
		return nil, err
	}
	bye := func() {
		cancel()
		response.Body.Close()
	}
	if response.StatusCode != http.StatusOK {
		bye()
		return nil, fmt.Errorf("the stream is answered with %s", response.Status)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	return &line{tcp: conn(), bye: bye, next: func() (heard, error) { return nextEvent(lines) }}, nil
}

// nextEvent reads up to the next payload. Of an event that did not come whole nothing counts.
func nextEvent(lines *bufio.Scanner) (heard, error) {
	var id, kind, data string
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			id = value
		case "event":
			kind = value
		case "data":
			data = value
		case "":
			if kind == "complete" {
				return heard{}, fmt.Errorf("%w: the stream is complete", errRefused)
			}
			if kind == "next" {
				h, err := hear([]byte(data))
				if h.cursor = id; err == nil && h.fields["cursor"] != id {
					err = fmt.Errorf("%w: id %s is not that of %s", errRefused, id, data)
				}
				return h, err
			}
		}
	}
	return heard{}, cmp.Or(lines.Err(), io.EOF)
}

func hear(raw []byte) (heard, error) {
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		return heard{}, err
	}
	fields, ok := a.Data["x"].(map[string]any)
	if !ok || len(a.Errors) > 0 {
		return heard{}, fmt.Errorf("%w: %s", errRefused, raw)
	}
	return heard{fields: fields}, nil
}

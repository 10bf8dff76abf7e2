package wire_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/operation"
	"tributary/internal/wire"
)

// TestClosings holds every reason of the protocol for the server to close.
func TestClosings(t *testing.T) {
	const init = `{"type":"connection_init"}`
	const subscribe = `{"id":"1","type":"subscribe","payload":{"query":"subscription { ticks }"}}`
	for name, tt := range map[string]struct {
		send   []string // each with its first character apart where that is not {: b for a binary frame
		code   int
		reason string
	}{
		"no JSON":                       {[]string{"{nonsense"}, 4400, "Invalid message"},
		"no object":                     {[]string{` [1]`}, 4400, "Invalid message"},
		"null":                          {[]string{` null`}, 4400, "Invalid message"},
		"nothing":                       {[]string{` `}, 4400, "Invalid message"},
		"no UTF-8":                      {[]string{"{\"type\":\"ping\",\"payload\":{\"a\":\"\xff\"}}"}, 4400, "Invalid message"},
		"too deep":                      {[]string{`{"type":"ping","payload":{"a":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}}`}, 4400, "Invalid message"},
		"binary":                        {[]string{"b" + init}, 4400, "Invalid message"},
		"no type":                       {[]string{`{"id":"1"}`}, 4400, "Invalid message"},
		"type no string":                {[]string{`{"type":1}`}, 4400, "Invalid message"},
		"unknown type":                  {[]string{`{"type":"start"}`}, 4400, "Invalid message"},
		"type of the server: ack":       {[]string{`{"type":"connection_ack"}`}, 4400, "Invalid message"},
		"type of the server: next":      {[]string{init, `{"id":"1","type":"next","payload":{}}`}, 4400, "Invalid message"},
		"type of the server: error":     {[]string{init, `{"id":"1","type":"error","payload":[]}`}, 4400, "Invalid message"},
		"init payload no object":        {[]string{`{"type":"connection_init","payload":"x"}`}, 4400, "Invalid message"},
		"ping payload no object":        {[]string{`{"type":"ping","payload":[]}`}, 4400, "Invalid message"},
		"pong payload no object":        {[]string{`{"type":"pong","payload":1}`}, 4400, "Invalid message"},
		"subscribe without id":          {[]string{init, `{"type":"subscribe","payload":{"query":"{echo}"}}`}, 4400, "Invalid message"},
		"subscribe with empty id":       {[]string{init, `{"id":"","type":"subscribe","payload":{"query":"{echo}"}}`}, 4400, "Invalid message"},
		"subscribe with an id too long": {[]string{init, `{"id":"` + strings.Repeat("x", 257) + `","type":"subscribe","payload":{"query":"{echo}"}}`}, 4400, "Invalid message"},
		"subscribe with a number as id": {[]string{init, `{"id":1,"type":"subscribe","payload":{"query":"{echo}"}}`}, 4400, "Invalid message"},
		"subscribe without payload":     {[]string{init, `{"id":"1","type":"subscribe"}`}, 4400, "Invalid message"},
		"subscribe without query":       {[]string{init, `{"id":"1","type":"subscribe","payload":{}}`}, 4400, "Invalid message"},
		"query no string":               {[]string{init, `{"id":"1","type":"subscribe","payload":{"query":1}}`}, 4400, "Invalid message"},
		"operationName no string":       {[]string{init, `{"id":"1","type":"subscribe","payload":{"query":"{echo}","operationName":1}}`}, 4400, "Invalid message"},
		"variables no object":           {[]string{init, `{"id":"1","type":"subscribe","payload":{"query":"{echo}","variables":[]}}`}, 4400, "Invalid message"},
		"extensions no object":          {[]string{init, `{"id":"1","type":"subscribe","payload":{"query":"{echo}","extensions":1}}`}, 4400, "Invalid message"},
		"complete without id":           {[]string{init, `{"type":"complete"}`}, 4400, "Invalid message"},
		"subscribe before init":         {[]string{subscribe}, 4401, "Unauthorized"},
		"bad token":                     {[]string{`{"type":"connection_init","payload":{"Authorization":"bad token"}}`}, 4403, "Forbidden"},
		"bad token in lower case":       {[]string{`{"type":"connection_init","payload":{"authorization":"bad token"}}`}, 4403, "Forbidden"},
		"token no string":               {[]string{`{"type":"connection_init","payload":{"Authorization":1}}`}, 4403, "Forbidden"},
		"nobody can tell":               {[]string{`{"type":"connection_init","payload":{"Authorization":"unknown"}}`}, 1013, ""},
		"the same id twice":             {[]string{init, subscribe, subscribe}, 4409, "Subscriber for 1 already exists"},
		"a second init":                 {[]string{init, init}, 4429, "Too many initialisation requests"},
		"a second init after a first":   {[]string{init, subscribe, init}, 4429, "Too many initialisation requests"},
		"too long before init":          {[]string{`{"type":"ping","payload":{"a":"` + strings.Repeat("x", 9<<10) + `"}}`}, 1009, ""},
		"too long":                      {[]string{init, `{"type":"ping","payload":{"a":"` + strings.Repeat("x", 1<<20) + `"}}`}, 1009, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStreamSite(t, wire.ConnectionsConfig{})
			c := s.connect(t)
			for _, text := range tt.send {
				head := byte(0x81)
				if rest, binary := strings.CutPrefix(text, "b"); binary {
					head, text = 0x82, rest
				}
				c.frame(head, text)
			}
			c.wantsClose(tt.code, tt.reason)
			s.ticks.members(t, 0)
			if strings.Contains(s.log.String(), "SECRET") {
				t.Error("the log has what it should not")
			}
		})
	}
}

func TestSubprotocols(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{})
	for name, tt := range map[string]struct {
		fields []string
		ok     bool
	}{
		"none":              {nil, false},
		"the older one":     {[]string{"Sec-WebSocket-Protocol: graphql-ws"}, false},
		"both":              {[]string{"Sec-WebSocket-Protocol: graphql-ws, graphql-transport-ws"}, true},
		"in two fields":     {[]string{"Sec-WebSocket-Protocol: graphql-ws", "Sec-WebSocket-Protocol: graphql-transport-ws"}, true},
		"the one of others": {[]string{"Sec-WebSocket-Protocol: mqtt"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.upgrade(t, tt.fields...)
			if !tt.ok {
				c.wantsClose(4406, "Subprotocol not acceptable")
				return
			}
			c.send(`{"type":"connection_init"}`)
			c.wants(`{"type":"connection_ack"}`)
		})
	}
}

func TestInitTimeout(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{InitTimeout: 50 * time.Millisecond})
	c := s.connect(t)
	c.send(`{"type":"ping"}`) // does not count
	start := time.Now()
	c.wantsClose(4408, "Connection initialisation timeout")
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestOriginsOfWebsockets(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{})
	s.http.Origins = origins(t, "https://app.example")
	for fields, want := range map[string]int{
		"X-None: 1":                                        http.StatusSwitchingProtocols,
		"Origin: http://localhost":                         http.StatusSwitchingProtocols,
		"Origin: https://app.example":                      http.StatusSwitchingProtocols,
		"Origin: https://evil.example":                     http.StatusForbidden,
		"Origin: null":                                     http.StatusForbidden,
		"Sec-Fetch-Site: cross-site":                       http.StatusForbidden,
		"Origin: https://a.b\r\nOrigin: https://a.b":       http.StatusForbidden,
		"Origin: https://x\r\nSec-Fetch-Site: same-origin": http.StatusSwitchingProtocols,
	} {
		if c := s.upgrade(t, fields); c.reply.StatusCode != want {
			t.Errorf("%q: %s, want %d", fields, c.reply.Status, want)
		}
	}
}

func TestPingsAndPongs(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{})
	c := s.connect(t)
	c.send(`{"type":"ping"}`) // at any time
	c.wants(`{"type":"pong"}`)
	c.send(`{"type":"ping","payload":{"a":[1,"é"]}}`)
	c.wants(`{"type":"pong","payload":{"a":[1,"é"]}}`)
	c.send(`{"type":"ping","payload":null}`)
	c.wants(`{"type":"pong","payload":null}`)
	c.send(`{"type":"pong"}`) // unasked, and no answer to it
	c.send(`{"type":"pong","payload":{"a":1}}`)
	c.silent()
	c.frame(0x89, "frame") // RFC 6455's own
	if opcode, payload, err := c.read(); opcode != 10 || string(payload) != "frame" || err != nil {
		t.Fatalf("got %d %q %v", opcode, payload, err)
	}
	c.frame(0x01, `{"type":"pi`) // in two frames
	c.frame(0x80, `ng"}`)
	c.wants(`{"type":"pong"}`)
	c.frame(0x88, "\x03\xe8") // 1000
	c.wantsClose(1000, "")
}

// TestBytesBehindTheUpgrade holds that what a client sends without waiting is not lost.
func TestBytesBehindTheUpgrade(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{})
	c := s.dial(t)
	c.write("GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n" +
		string(maskedFrame(0x81, `{"type":"connection_init","payload":{"pad":"`+strings.Repeat("x", 1500)+`"}}`)) + string(maskedFrame(0x81, `{"type":"ping"}`)))
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(err)
	}
	b := &bare{TCPConn: c.TCPConn, t: t, reader: c.reader}
	b.wants(`{"type":"connection_ack"}`)
	b.wants(`{"type":"pong"}`)
}

func TestWhoCallsOverWebsocket(t *testing.T) {
	for name, tt := range map[string]struct{ header, init, want string }{
		"nobody":                 {"X-None: 1", `{"type":"connection_init"}`, ""},
		"by the header":          {"Authorization: ann", `{"type":"connection_init","payload":{}}`, "ann"},
		"by the init":            {"X-None: 1", `{"type":"connection_init","payload":{"Authorization":"bob"}}`, "bob"},
		"by the init, lower":     {"X-None: 1", `{"type":"connection_init","payload":{"authorization":"bob"}}`, "bob"},
		"the init wins":          {"Authorization: ann", `{"type":"connection_init","payload":{"AUTHORIZATION":"bob"}}`, "bob"},
		"a key replaces a token": {"Authorization: ann", `{"type":"connection_init","payload":{"x-api-key":"k"}}`, ""},
		"null":                   {"Authorization: ann", `{"type":"connection_init","payload":{"authorization":null}}`, "ann"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStreamSite(t, wire.ConnectionsConfig{})
			c := s.connect(t, tt.header)
			c.send(tt.init)
			c.wants(`{"type":"connection_ack"}`)
			c.subscribe("q", "query A { echo }")
			if got := c.text(); !strings.Contains(got, `"viewer":"`+tt.want+`"`) || !strings.HasPrefix(got, `{"id":"q","type":"next","payload":{"data":`) {
				t.Errorf("got %s", got)
			}
			c.wants(`{"id":"q","type":"complete"}`)
		})
	}
}

// TestOneAnswer holds what becomes of operations that have one answer.
func TestOneAnswer(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{})
	c := s.ready(t)
	c.send(`{"id":"1","type":"subscribe","payload":{"query":"query A { echo } query B($int: Int) { echo(int: $int) }","operationName":"B","variables":{"int":7},"extensions":{}}}`)
	if got := c.text(); !strings.Contains(got, `"operation":"B","variables":{"int":7}`) {
		t.Errorf("got %s", got)
	}
	c.wants(`{"id":"1","type":"complete"}`)
	c.subscribe("1", "mutation { set(v: 1) }") // the id is free again
	if got := c.text(); !strings.HasPrefix(got, `{"id":"1","type":"next"`) {
		t.Errorf("got %s", got)
	}
	c.wants(`{"id":"1","type":"complete"}`)
	for document, code := range map[string]string{
		"{":                     operation.CodeParseFailed,
		"{ nothing }":           operation.CodeValidationFailed,
		"subscription { none }": operation.CodeValidationFailed,
	} {
		c.subscribe(`"quoted" é`, document)
		c.wantsError(`"quoted" é`, code)
		c.silent() // no complete after an error, and the connection is as good as before
	}
	c.send(`{"id":"x","type":"subscribe","payload":{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}}}}`)
	c.wantsError("x", wire.CodePersistedQueryNotSupported)
	s.http.Pipeline.Limiter = nil
	s.executor = answers(operation.Result{Outcome: operation.Throttled, Errors: gqlerror.List{{Message: "m", Extensions: map[string]any{"code": "THROTTLED"}}}})
	c.subscribe("t", "{ echo }")
	c.wantsError("t", "THROTTLED")
	s.executor = executorFunc(func(context.Context, *operation.Prepared) *operation.Result { panic("SECRET") })
	c.subscribe("p", "{ echo }")
	c.wantsError("p", wire.CodeInternal)
	c.silent()
}

// TestTheClientCompletes holds that the work ends then, and that nothing is said of how.
func TestTheClientCompletes(t *testing.T) {
	for _, document := range []string{"{ echo }", subscription} {
		s := newStreamSite(t, wire.ConnectionsConfig{})
		started, ended := make(chan struct{}), make(chan struct{})
		s.executor = executorFunc(func(ctx context.Context, _ *operation.Prepared) *operation.Result {
			close(started)
			<-ctx.Done()
			close(ended)
			return &operation.Result{Data: []byte("null"), Errors: gqlerror.List{{Message: "it was stopped"}}}
		})
		c := s.ready(t)
		c.subscribe("1", document)
		await(t, started)
		c.send(`{"id":"1","type":"complete"}`)
		await(t, ended)
		c.send(`{"id":"1","type":"complete"}`) // there is nothing to complete any more
		c.send(`{"id":"never","type":"complete"}`)
		for range 20 { // the operation has still to see that it was stopped
			c.silent()
		}
	}
}

func TestTooManyOperations(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{})
	s.ws.MaxOperations = 2
	c := s.ready(t)
	for _, id := range []string{"1", "2"} {
		c.subscribe(id, "subscription { ticks }")
	}
	c.subscribe("3", "subscription { ticks }")
	c.wantsError("3", wire.CodeTooManyOperations)
	c.send(`{"id":"1","type":"complete"}`)
	c.subscribe("3", "query { echo }")
	if got := c.text(); !strings.HasPrefix(got, `{"id":"3","type":"next"`) {
		t.Errorf("got %s", got)
	}
}

func TestTooManyConnections(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{MaxPerCaller: 2})
	as := func(c *bare, who string) *bare {
		c.send(`{"type":"connection_init","payload":{"Authorization":"` + who + `"}}`)
		return c
	}
	first := as(s.connect(t), "ann")
	first.wants(`{"type":"connection_ack"}`)
	as(s.connect(t), "ann").wants(`{"type":"connection_ack"}`)
	as(s.connect(t), "ann").wantsClose(1013, wire.CodeTooManyConnections)
	as(s.connect(t), "bob").wants(`{"type":"connection_ack"}`)
	first.frame(0x88, "\x03\xe8")
	first.wantsClose(1000, "")
	eventually(t, func() bool { // its place is free a moment later
		c := as(s.connect(t), "ann")
		opcode, _, err := c.read()
		return opcode == 1 && err == nil
	})
	s.ready(t) // those of users do not count for the address
	s.ready(t)
	if c := s.upgrade(t); c.reply.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a third one of the address: %s", c.reply.Status)
	}
}

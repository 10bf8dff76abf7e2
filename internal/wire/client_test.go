package wire_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"tributary/internal/operation"
	"tributary/internal/wire"
)

func TestClient(t *testing.T) {
	for name, tt := range map[string]struct {
		fields        []string
		named, called string
	}{
		"nobody":         {[]string{"X-Client-Name", "web"}, "", ""},
		"Apollo's":       {[]string{"apollographql-client-name", "web", "apollographql-client-version", "1.2"}, "web", "1.2"},
		"plain":          {[]string{"GraphQL-Client-Name", "web", "GraphQL-Client-Version", "1.2"}, "web", "1.2"},
		"both":           {[]string{"GraphQL-Client-Name", "a", "apollographql-client-name", "b", "GraphQL-Client-Version", "1"}, "b", ""},
		"no version":     {[]string{"GraphQL-Client-Name", "web"}, "web", ""},
		"a version only": {[]string{"GraphQL-Client-Version", "1"}, "", ""},
		"too long":       {[]string{"GraphQL-Client-Name", strings.Repeat("a", 1000)}, strings.Repeat("a", 128), ""},
	} {
		header := http.Header{}
		for i := 0; i < len(tt.fields); i += 2 {
			header.Set(tt.fields[i], tt.fields[i+1])
		}
		if named, called := wire.Client(header); named != tt.named || called != tt.called {
			t.Errorf("%s: %q, %q", name, named, called)
		}
	}
}

// TestTheClientOfAWebsocket names itself at its beginning, in the header or in the payload.
func TestTheClientOfAWebsocket(t *testing.T) {
	for name, tt := range map[string]struct{ header, init, want string }{
		"nobody":             {"X-None: 1", `{}`, "  "},
		"by the header":      {"GraphQL-Client-Name: web", `{}`, "web  "},
		"by the init":        {"Authorization: ann", `{"apollographql-client-name":"web","apollographql-client-version":"1.2"}`, "web 1.2 ann"},
		"with a token":       {"X-None: 1", `{"GraphQL-Client-Name":"web","Authorization":"bob"}`, "web  bob"},
		"the init wins":      {"GraphQL-Client-Name: a", `{"graphql-client-name":"b"}`, "b  "},
		"no string, no name": {"X-None: 1", `{"GraphQL-Client-Name":{"a":1}}`, "  "},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStreamSite(t, wire.ConnectionsConfig{})
			calls := make(chan operation.Call, 1)
			enter := s.http.Pipeline.Enter
			s.http.Pipeline.Enter = func(ctx context.Context, c operation.Call) context.Context {
				calls <- c
				return enter(ctx, c)
			}
			c := s.connect(t, tt.header)
			c.send(`{"type":"connection_init","payload":` + tt.init + `}`)
			c.wants(`{"type":"connection_ack"}`)
			c.subscribe("q", "query A { echo }")
			if call := <-calls; call.Client+" "+call.ClientVersion+" "+call.Viewer.UserID != tt.want {
				t.Errorf("got %q %q %q", call.Client, call.ClientVersion, call.Viewer.UserID)
			}
			c.text()
			c.wants(`{"id":"q","type":"complete"}`)
		})
	}
}

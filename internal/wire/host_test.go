package wire_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"tributary/internal/wire"
)

func TestHosts(t *testing.T) {
	allowed := []string{"Graph.Example.com", "other.example.:8443", "2001:db8::1", "[2001:DB8::2]:80", "192.0.2.7", ""}
	handler := wire.Hosts(allowed, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for host, ok := range map[string]bool{
		"localhost": true, "LocalHost": true, "localhost:8080": true, "localhost:0": true, "localhost:": true, "localhost.": true, "localhost.:80": true,
		"127.0.0.1": true, "127.0.0.1:8080": true, "127.0.0.2": true, "127.255.255.254:1": true, "127.0.0.1.": true,
		"[::1]": true, "[::1]:8080": true, "::1": true, "[::ffff:127.0.0.1]": true, "[0:0:0:0:0:0:0:1]:80": true,
		"graph.example.com": true, "GRAPH.EXAMPLE.COM:443": true, "graph.example.com.": true, "other.example": true, "other.example:1": true,
		"[2001:db8::1]": true, "[2001:0db8:0::1]:9": true, "[2001:db8::2]": true, "192.0.2.7:80": true,

		"": false, ":80": false, ".": false, "evil.example": false, "evil.example:8080": false,
		"localhost.evil.example": false, "localhost.evil.example:80": false, "evil.localhost": false, "localhost..": false, "notlocalhost": false,
		"127.0.0.1.evil.example": false, "127.1": false, "127.0.0.01": false, "2130706433": false, "0x7f.0.0.1": false, "0.0.0.0": false, "0.0.0.0:8080": false, "[::]": false, "10.0.0.1": false,
		"sub.graph.example.com": false, "graph.example.com.evil.example": false, "xgraph.example.com": false,
		"localhost:evil": false, "localhost:80:90": false, "localhost:-1": false, "localhost:65536": false, "localhost:+80": false, "localhost: 80": false, "localhost:８０": false,
		"[localhost]": false, "[127.0.0.1]:80": false, "[::1": false, "[::1]8080": false, "[::1]:evil": false, "[::1]]": false, "[[::1]]": false, "[]": false, "[evil.example]": false, "::1]": false,
		"localhost@evil.example": false, "evil.example#localhost": false, "localhost/": false, " localhost": false, "localhost\x00": false,
	} {
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.Host = host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, request)
		if want := map[bool]int{true: http.StatusNoContent, false: http.StatusMisdirectedRequest}[ok]; w.Code != want {
			t.Errorf("%q: %d, want %d", host, w.Code, want)
		}
	}
}

func TestARefusedHostIsToldSoAndNothingElse(t *testing.T) {
	s := newSite(t, "graph.example.com")
	for _, path := range []string{"/graphql", "/healthz", "/readyz", "/nowhere"} {
		s.send(t, http.MethodGet, path, "", "Host: SECRET.example").wants(t, http.StatusMisdirectedRequest, wire.CodeMisdirected)
	}
	s.send(t, http.MethodPost, "/graphql", query, "Content-Type: application/json", "Host: evil.example", "X-Forwarded-Host: localhost").wants(t, http.StatusMisdirectedRequest, wire.CodeMisdirected)
	s.send(t, http.MethodPost, "/graphql", query, "Content-Type: application/json", "Host: graph.example.com").wants(t, http.StatusOK, "")
}

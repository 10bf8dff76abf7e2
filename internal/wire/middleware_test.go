package wire_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"tributary/internal/operation"
	"tributary/internal/wire"
)

func TestRequestIDs(t *testing.T) {
	s := newSite(t)
	for id, kept := range map[string]bool{
		"7":                         true,
		"a-B_c.D:e/f+g=":            true,
		strings.Repeat("x", 128):    true,
		strings.Repeat("x", 129):    false,
		"with space":                false,
		"quote\"d":                  false,
		"ü":                         false,
		"<script>":                  false,
		"":                          false,
		"../../etc/passwd\\":        false,
		"a,b":                       false,
		"{\"injected\":\"into logs": false,
	} {
		r := s.post(t, query, "X-Request-Id: "+id)
		got := r.header.Get("X-Request-Id")
		if (got == id) != kept || got == "" {
			t.Errorf("%q comes back as %q", id, got)
		}
		if ran := r.echoed(t).RequestID; ran != got {
			t.Errorf("the operation ran under %q, the client was told %q", ran, got)
		}
		if !strings.Contains(s.log.String(), `"request_id":"`+got+`"`) {
			t.Errorf("%q is not in the log", got)
		}
	}
	if first, second := s.post(t, query), s.post(t, query); first.header.Get("X-Request-Id") == second.header.Get("X-Request-Id") {
		t.Error("two requests were given one id")
	}
	if id := wire.RequestID(t.Context()); id != "" {
		t.Errorf("outside of Identify there is an id: %q", id)
	}
}

func TestTheTraceGoesOn(t *testing.T) {
	var span trace.SpanContext
	handler := wire.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { span = trace.SpanContextFromContext(r.Context()) }))
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	handler.ServeHTTP(httptest.NewRecorder(), request)
	if span.TraceID().String() != "0af7651916cd43dd8448eb211c80319c" || span.SpanID().String() != "b7ad6b7169203331" || !span.IsRemote() {
		t.Errorf("span %+v", span)
	}
	request.Header.Set("Traceparent", "nonsense")
	if handler.ServeHTTP(httptest.NewRecorder(), request); span.IsValid() {
		t.Errorf("nonsense gives the span %+v", span)
	}
}

func TestPanicsAreAnswered(t *testing.T) {
	s := newSite(t)
	s.executor = executorFunc(func(context.Context, *operation.Prepared) *operation.Result { panic("SECRET") })
	r := s.post(t, query, "X-Request-Id: r1")
	r.wants(t, http.StatusInternalServerError, wire.CodeInternal)
	log := s.log.String()
	for _, want := range []string{`"msg":"panic"`, `"request_id":"r1"`, "SECRET", "middleware_test.go", `"status":500`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
	s.executor = echo{}
	s.post(t, query).wants(t, http.StatusOK, "")
}

// broken serves one handler within the program's layers.
func broken(t *testing.T, handler http.HandlerFunc) *site {
	t.Helper()
	s := &site{log: &lockedBuffer{}}
	s.Server = httptest.NewUnstartedServer(s.chain(handler))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// lines are what was logged, one object each.
func (s *site) lines(t *testing.T) (lines []map[string]any) {
	t.Helper()
	for line := range strings.Lines(s.log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		lines = append(lines, entry)
	}
	return lines
}

func TestAPanicInTheMiddleOfAnAnswerDropsIt(t *testing.T) {
	for name, start := range map[string]func(http.ResponseWriter){
		"header written": func(w http.ResponseWriter) { w.WriteHeader(http.StatusAccepted) },
		"body written":   func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"data":{`) },
		"flushed":        func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
	} {
		t.Run(name, func(t *testing.T) {
			s := broken(t, func(w http.ResponseWriter, _ *http.Request) {
				start(w)
				panic("SECRET")
			})
			response, err := s.Client().Get(s.URL)
			if err == nil {
				raw, rerr := io.ReadAll(response.Body)
				response.Body.Close()
				if err = rerr; strings.Contains(string(raw), "INTERNAL") {
					t.Errorf("an error was written into the answer: %s", raw)
				}
			}
			if err == nil {
				t.Error("the client cannot tell that the answer is not whole")
			}
			s.Close()
			if lines := s.lines(t); len(lines) != 2 || lines[0]["msg"] != "panic" || lines[1]["msg"] != "request" || lines[1]["status"] == 0.0 {
				t.Errorf("log %v", lines)
			}
		})
	}
}

func TestAPanicForgetsTheHeadersOfTheAnswerThatIsNotComing(t *testing.T) {
	s := broken(t, func(w http.ResponseWriter, _ *http.Request) {
		for _, name := range []string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified"} {
			w.Header().Set(name, "7")
		}
		panic("SECRET")
	})
	r := s.send(t, http.MethodGet, "/", "")
	r.wants(t, http.StatusInternalServerError, wire.CodeInternal)
	for _, name := range []string{"Content-Encoding", "Etag", "Last-Modified"} {
		if r.header.Get(name) != "" {
			t.Errorf("%s is still there", name)
		}
	}
}

func TestAbortedHandlersAreNotAnswered(t *testing.T) {
	s := broken(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if response, err := s.Client().Get(s.URL); err == nil {
		response.Body.Close()
		t.Errorf("answered with %s", response.Status)
	}
	s.Close()
	if lines := s.lines(t); len(lines) != 1 || lines[0]["msg"] != "request" || lines[0]["status"] != 0.0 {
		t.Errorf("log %v", lines)
	}
	// In front of Recover the panic is still what the server knows.
	defer func() {
		if value := recover(); value != http.ErrAbortHandler {
			t.Errorf("Recover lets %v out", value)
		}
	}()
	log := slog.New(slog.DiscardHandler)
	wire.Recover(log, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).
		ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
}

func TestOneLineForEachRequest(t *testing.T) {
	s := newSite(t)
	s.post(t, `{"query":"query SECRET($text: String) { echo(text: $text) }","variables":{"text":"SECRET"}}`, "Authorization: SECRET", "X-Request-Id: one")
	s.send(t, http.MethodGet, "/graphql?query=%7Becho%7D&variables=SECRET", "", "Authorization: bad token", "Cookie: SECRET", "X-Request-Id: two")
	s.post(t, `{"query":"{ SECRET }"}`, "Accept: application/graphql-response+json", "X-Request-Id: three")
	s.send(t, http.MethodGet, "/"+strings.Repeat("p", 1000), "", "X-Request-Id: four")
	s.send(t, strings.Repeat("M", 1000), "/graphql", "", "X-Request-Id: five")
	s.Close()
	lines := s.lines(t)
	if len(lines) != 5 || strings.Contains(s.log.String(), "SECRET") {
		t.Fatalf("log:\n%s", s.log.String())
	}
	for i, want := range []struct {
		id, method, path string
		status           float64
	}{
		{"one", "POST", "/graphql", 200}, {"two", "GET", "/graphql", 400}, {"three", "POST", "/graphql", 400},
		{"four", "GET", "/" + strings.Repeat("p", 255), 404}, {"five", strings.Repeat("M", 256), "/graphql", 405},
	} {
		line := lines[i]
		if line["request_id"] != want.id || line["method"] != want.method || line["path"] != want.path || line["status"] != want.status || line["bytes"].(float64) <= 0 || line["duration_ms"].(float64) < 0 {
			t.Errorf("line %v, want %+v", line, want)
		}
	}
}

// TestTheLayersLetThrough holds what the layers must not take from a handler.
func TestTheLayersLetThrough(t *testing.T) {
	s := broken(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
		w.WriteHeader(http.StatusAccepted) // too late
		_, _ = io.WriteString(w, "short and ")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, "stout")
	})
	if r := s.send(t, http.MethodGet, "/", ""); r.status != http.StatusTeapot || r.text != "short and stout" {
		t.Errorf("%+v", r)
	}
	silent := broken(t, func(http.ResponseWriter, *http.Request) {})
	silent.send(t, http.MethodGet, "/", "")
	s.Close()
	silent.Close()
	if line := s.lines(t)[0]; line["status"] != 418.0 || line["bytes"] != 15.0 {
		t.Errorf("line %v", line)
	}
	if line := silent.lines(t)[0]; line["status"] != 200.0 || line["bytes"] != 0.0 {
		t.Errorf("line %v", line)
	}
}

func TestHealthAndReadiness(t *testing.T) {
	s := newSite(t)
	status := func(path string) string {
		t.Helper()
		r := s.send(t, http.MethodGet, path, "")
		if r.header.Get("Content-Type") != "application/json" || !json.Valid([]byte(r.text)) {
			t.Errorf("%s: %+v", path, r)
		}
		return http.StatusText(r.status) + " " + strings.TrimSpace(r.text)
	}
	if got := status("/healthz"); got != `OK {"status":"ok"}` {
		t.Error(got)
	}
	if got := status("/readyz"); got != `OK {"status":"ready"}` {
		t.Error(got)
	}
	close(s.draining)
	if got := status("/readyz"); got != `Service Unavailable {"status":"draining"}` {
		t.Error(got)
	}
	if got := status("/healthz"); got != `OK {"status":"ok"}` {
		t.Errorf("while draining: %s", got)
	}
	s.post(t, query).wants(t, http.StatusOK, "") // what still arrives is answered
	if r := s.send(t, http.MethodPost, "/healthz", ""); r.status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", r.status)
	}
}

var errGone = errors.New("gone")

type goneWriter struct{ http.ResponseWriter }

func (goneWriter) Write([]byte) (int, error) { return 0, errGone }

func TestAClientThatIsGoneHarmsNobody(t *testing.T) {
	log := &lockedBuffer{}
	handler := wire.Log(slog.New(slog.NewJSONHandler(log, nil)), wire.Healthy())
	handler.ServeHTTP(goneWriter{httptest.NewRecorder()}, httptest.NewRequest(http.MethodGet, "/somewhere", nil))
	if !strings.Contains(log.String(), `"bytes":0`) {
		t.Errorf("log: %s", log.String())
	}
}

func TestEveryAnswerIsSecured(t *testing.T) {
	s := newSite(t)
	s.executor = executorFunc(func(context.Context, *operation.Prepared) *operation.Result { panic("broken") })
	for name, r := range map[string]reply{
		"a panic": s.post(t, query), "a refusal": s.post(t, ""), "a preflight": s.send(t, http.MethodOptions, "/graphql", ""), "a wrong host": s.send(t, http.MethodGet, "/", "", "Host: evil.example"),
		"nothing": s.send(t, http.MethodGet, "/nowhere", ""), "health": s.send(t, http.MethodGet, "/healthz", ""), "a slash more": s.send(t, http.MethodPost, "/graphql/", query),
	} {
		for field, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin", "Server": "",
		} {
			if got := r.header.Get(field); got != want {
				t.Errorf("%s: %s %q", name, field, got)
			}
		}
	}
	if r := s.send(t, http.MethodPost, "/graphql/", query); r.status != http.StatusNotFound {
		t.Errorf("a slash more: %d", r.status)
	}
}

// TestWhatMachinesAskForIsNoNews looks for lines about health and events at the usual level.
func TestWhatMachinesAskForIsNoNews(t *testing.T) {
	for path, lines := range map[string]int{"/healthz": 0, "/events": 0, "/graphql": 1} {
		log := &lockedBuffer{}
		wire.Log(slog.New(slog.NewJSONHandler(log, nil)), wire.Healthy()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
		refused := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusConflict) })
		wire.Log(slog.New(slog.NewJSONHandler(log, nil)), refused).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, path, nil))
		if n := strings.Count(log.String(), "\n"); n != lines+1 { // what goes wrong is always told
			t.Errorf("%s: %d lines: %s", path, n, log.String())
		}
	}
}

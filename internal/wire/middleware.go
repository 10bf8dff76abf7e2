package wire

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"go.opentelemetry.io/otel/propagation"
)

const (
	headerRequestID = "X-Request-Id"
	maxRequestID    = 128
	maxLogged       = 256 // bytes of a path or method
)

type requestIDKey struct{}

// RequestID is the id that the request came with or was given, empty outside of Identify.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// Identify gives every request an id, the client's own where it sent a usable one, returns it in X-Request-Id, and takes over the
// trace that the request belongs to.
func Identify(next http.Handler) http.Handler {
	trace := propagation.TraceContext{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(headerRequestID)
		if !usable(id) {
			id = rand.Text()
		}
		w.Header().Set(headerRequestID, id)
		ctx := r.Context()
		if r.Header["Traceparent"] != nil {
			ctx = trace.Extract(ctx, propagation.HeaderCarrier(r.Header))
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, requestIDKey{}, id)))
	})
}

// usable keeps ids that would have to be quoted out of logs and headers.
func usable(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	return !strings.ContainsFunc(id, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-._:/+=", c))
	})
}

// Secure puts the fields on every answer that keep a browser from taking it for something else, from telling others where it came
// from, and from embedding it elsewhere. Handlers may set their own. It stands around everything else.
func Secure(next http.Handler) http.Handler {
	nosniff, noReferrer, sameOrigin := []string{"nosniff"}, []string{"no-referrer"}, []string{"same-origin"} // shared: who changes a field puts another
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header["X-Content-Type-Options"], header["Referrer-Policy"], header["Cross-Origin-Resource-Policy"] = nosniff, noReferrer, sameOrigin
		next.ServeHTTP(w, r)
	})
}

// Recover answers a panic with code INTERNAL and logs its value and stack. Once part of an answer is out it drops the
// connection instead, so that nobody takes the rest for the answer; a panic that is the server's own way of dropping one goes on.
func Recover(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counted, ok := w.(*countingWriter) // that of Log
		if !ok {
			counted = &countingWriter{ResponseWriter: w}
		}
		defer func() {
			value := recover()
			if value == nil {
				return
			}
			if value == http.ErrAbortHandler {
				panic(value)
			}
			log.ErrorContext(r.Context(), "panic", "request_id", RequestID(r.Context()), "value", fmt.Sprint(value), "stack", string(debug.Stack()))
			if counted.status != 0 {
				panic(http.ErrAbortHandler)
			}
			for _, name := range []string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified"} {
				w.Header().Del(name) // they told of the answer that is not coming
			}
			writeRefusal(w, http.StatusInternalServerError, CodeInternal, internalMessage)
		}()
		next.ServeHTTP(counted, r)
	})
}

// Log writes one line for each request, also for one that was dropped: its status is 0 when nothing had been answered. It
// names the path, never the query: that may hold what is private. What machines ask for all the time is of debug level while it goes well.
func Log(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		counted := &countingWriter{ResponseWriter: w}
		defer func() {
			level := slog.LevelInfo
			if machines[r.URL.Path] && counted.status < http.StatusBadRequest {
				level = slog.LevelDebug
			}
			log.LogAttrs(r.Context(), level, "request", slog.String("request_id", RequestID(r.Context())), slog.String("method", clip(r.Method)), slog.String("path", clip(r.URL.Path)),
				slog.Int("status", counted.status), slog.Int64("bytes", counted.bytes), slog.Float64("duration_ms", float64(time.Since(start).Microseconds())/1000))
		}()
		next.ServeHTTP(counted, r)
		if counted.status == 0 { // what net/http answers for a handler that wrote nothing
			counted.status = http.StatusOK
		}
	})
}

// machines are the paths that machines ask for all the time.
var machines = map[string]bool{"/events": true, "/healthz": true, "/readyz": true, "/metrics": true}

func clip(s string) string { return s[:min(len(s), maxLogged)] }

// countingWriter notes the status, 0 until there is one, and the bytes of the body.
type countingWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader notes the final status and passes it on, and passes informational ones on.
func (w *countingWriter) WriteHeader(status int) {
	if w.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts and passes on.
func (w *countingWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// FlushError sends what there is, the header first.
func (w *countingWriter) FlushError() error {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap gives the writer underneath to http.ResponseController.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

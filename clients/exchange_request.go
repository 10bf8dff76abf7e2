package clients

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/propagation"
)

// write makes the bytes of a request from nothing: no header field of the gateway's own clients goes on.
func (w *wire) write(ctx context.Context, s *service, r *request) error {
	if !visible(r.target) {
		return errors.New("building a request: its target has characters that no URL has")
	}
	h := &w.req
	h.Reset()
	h.SetNoDefaultContentType(true)
	h.SetMethod(r.method)
	w.target = append(append(w.target[:0], s.origin.prefix...), r.target...)
	h.SetRequestURIBytes(w.target)
	h.SetHost(s.origin.host)
	h.SetUserAgent("tributary")
	h.Add("Accept", "application/json, application/problem+json")
	if s.bearer != "" {
		h.Add("Authorization", s.bearer)
	}
	caller := CallerFrom(ctx)
	if validID(string(caller.Actor)) {
		h.Add("X-Actor", string(caller.Actor))
	}
	if validRequestID(caller.RequestID) {
		h.Add("X-Request-Id", caller.RequestID)
	}
	if r.body != nil {
		h.SetContentType("application/json")
	}
	if r.body != nil || r.method == http.MethodPost || r.method == http.MethodPatch {
		h.SetContentLength(len(r.body))
	}
	if r.version > 0 {
		h.Add("If-Match", strconv.Quote(strconv.Itoa(r.version)))
	}
	if r.key != "" {
		h.Add("Idempotency-Key", r.key)
	}
	if r.fence != "" {
		h.Add("Idempotency-Fence", r.fence)
	}
	propagation.TraceContext{}.Inject(ctx, (*fields)(h))
	w.out = append(h.AppendBytes(w.out[:0]), r.body...)
	return nil
}

// fields are header fields as a carrier of a trace's context.
type fields fasthttp.RequestHeader

func (f *fields) header() *fasthttp.RequestHeader { return (*fasthttp.RequestHeader)(f) }

func (f *fields) Get(key string) string { return string(f.header().Peek(key)) }

func (f *fields) Set(key, value string) { f.header().Set(key, value) }

func (f *fields) Keys() []string {
	var keys []string
	for key := range f.header().All() {
		keys = append(keys, string(key))
	}
	return keys
}

// visible tells whether a text consists of printable ASCII characters without space.
func visible(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

func validRequestID(id string) bool { return id != "" && len(id) <= 128 && visible(id) }

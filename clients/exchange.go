package clients

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"

	"go.opentelemetry.io/otel/propagation"
)

// request is one call as it is sent, the same for all its attempts.
type request struct {
	method   string
	endpoint string
	target   string
	keys     int
	body     []byte // writes; nil: none
	version  int    // If-Match; 0: none
	key      string // Idempotency-Key; "" on reads
	fence    string // Idempotency-Fence; "": none
	bulk     bool   // a write to everything of a user, see ServiceConfig.Bulk
}

// answer is a 2xx answer. Its body is valid only until the function that was given it returns.
type answer struct {
	status   int
	replayed bool // a write was repeated, and this is the first answer again
	body     []byte
}

// maxProblemBytes bounds what is read of an answer that is an error anyway.
const maxProblemBytes = 64 << 10

// maxPooledBytes is the largest body buffer worth keeping.
const maxPooledBytes = 1 << 20

// exchanged is what one exchange came to.
type exchanged struct {
	value  any
	status int  // 0 without an answer
	size   int  // bytes of the body read
	sent   bool // a write: the service may have got it
}

// exchange sends a request once and has a 2xx answer decoded.
func (s *service) exchange(ctx context.Context, r *request, decode func(answer) (any, error)) (x exchanged, err error) {
	var sent atomic.Bool
	if r.key != "" {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	}
	req, err := s.newRequest(ctx, r)
	if err != nil {
		return x, &Error{Kind: KindInternal, Service: s.name, err: err}
	}
	res, err := s.http.Do(req)
	x.sent = sent.Load()
	if err != nil {
		return x, s.failed(ctx, err)
	}
	defer func() { _ = res.Body.Close() }()
	x.status = res.StatusCode
	x.value, x.size, err = s.receive(ctx, r, res, decode)
	return x, err
}

// receive reads an answer and has it decoded if it is 2xx. size is how much it has read.
func (s *service) receive(ctx context.Context, r *request, res *http.Response, decode func(answer) (any, error)) (value any, size int, err error) {
	buf := s.buffers.Get().(*bytes.Buffer)
	defer func() {
		size = buf.Len()
		if buf.Cap() <= maxPooledBytes {
			buf.Reset()
			s.buffers.Put(buf)
		}
	}()
	if res.StatusCode/100 != 2 {
		if err := s.readBody(ctx, res, buf, maxProblemBytes); err != nil && ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		return nil, 0, s.rejected(r, res, buf.Bytes())
	}
	if err := s.readBody(ctx, res, buf, s.cfg.MaxBodyBytes); err != nil {
		return nil, 0, err
	}
	if res.StatusCode != http.StatusNoContent && mediaType(res) != "application/json" {
		return nil, 0, breach(s.name, "content type %.60q", res.Header.Get("Content-Type"))
	}
	value, err = decode(answer{res.StatusCode, res.Header.Get("Idempotency-Replayed") == "true", buf.Bytes()})
	if err != nil {
		return nil, 0, breach(s.name, "%v", err)
	}
	return value, 0, nil
}

// newRequest builds the request from nothing: no header of the gateway's own clients goes on.
func (s *service) newRequest(ctx context.Context, r *request) (*http.Request, error) {
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, s.base+r.target, body)
	if err != nil {
		return nil, fmt.Errorf("building a request: %w", err)
	}
	h := req.Header
	h.Set("Accept", "application/json, application/problem+json")
	h.Set("User-Agent", "tributary")
	if s.cfg.Token != "" {
		h.Set("Authorization", "Bearer "+s.cfg.Token)
	}
	caller := CallerFrom(ctx)
	if validID(string(caller.Actor)) {
		h.Set("X-Actor", string(caller.Actor))
	}
	if validRequestID(caller.RequestID) {
		h.Set("X-Request-Id", caller.RequestID)
	}
	if r.body != nil {
		h.Set("Content-Type", "application/json")
	}
	if r.version > 0 {
		h.Set("If-Match", strconv.Quote(strconv.Itoa(r.version)))
	}
	if r.key != "" {
		h.Set("Idempotency-Key", r.key)
	}
	if r.fence != "" {
		h.Set("Idempotency-Fence", r.fence)
	}
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(h))
	return req, nil
}

func validRequestID(id string) bool {
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return false
		}
	}
	return id != "" && len(id) <= 128
}

// readBody reads a whole body, up to a limit. What it leaves unread costs the connection, not memory.
func (s *service) readBody(ctx context.Context, res *http.Response, into *bytes.Buffer, limit int64) error {
	oversized := breach(s.name, "body of more than %d bytes", limit)
	oversized.abandoned = true
	if res.ContentLength > limit {
		return oversized
	}
	into.Grow(int(min(max(res.ContentLength, 0), maxPooledBytes/2)) + bytes.MinRead)
	n, err := into.ReadFrom(io.LimitReader(res.Body, limit+1))
	switch {
	case err != nil:
		return s.failed(ctx, err)
	case n > limit:
		return oversized
	}
	return nil
}

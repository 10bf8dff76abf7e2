package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

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
	buf := s.buffers.Get().(*bytes.Buffer)
	defer func() {
		x.size = buf.Len()
		if buf.Cap() <= maxPooledBytes {
			buf.Reset()
			s.buffers.Put(buf)
		}
	}()
	x.status = res.StatusCode
	if res.StatusCode/100 != 2 {
		if err := s.readBody(ctx, res, buf, maxProblemBytes); err != nil && ctx.Err() != nil {
			return x, ctx.Err()
		}
		return x, s.rejected(r, res, buf.Bytes())
	}
	if err := s.readBody(ctx, res, buf, s.cfg.MaxBodyBytes); err != nil {
		return x, err
	}
	if res.StatusCode != http.StatusNoContent && mediaType(res) != "application/json" {
		return x, breach(s.name, "content type %.60q", res.Header.Get("Content-Type"))
	}
	x.value, err = decode(answer{res.StatusCode, res.Header.Get("Idempotency-Replayed") == "true", buf.Bytes()})
	if err != nil {
		return x, breach(s.name, "%v", err)
	}
	return x, nil
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
	caller := callerOf(ctx)
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

// failed makes of a failed exchange an outage, or the context's own error where that has ended it.
func (s *service) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // without method and URL, which the log has anyway
	}
	if slow, ok := errors.AsType[net.Error](err); ok && slow.Timeout() {
		return unavailable(s.name, Timeout, err)
	}
	return unavailable(s.name, Unavailable, err)
}

// rejected makes an error of an answer that is not 2xx.
func (s *service) rejected(r *request, res *http.Response, body []byte) *Error {
	kind := mediaType(res)
	isProblem := kind == "application/problem+json"
	var problem struct {
		Code    string       `json:"code"`
		Errors  []FieldError `json:"errors"`
		Version int          `json:"version"`
	}
	if isProblem || kind == "application/json" {
		_ = json.Unmarshal(body, &problem) // without it the status has to do
	}
	e := &Error{Service: s.name, Status: res.StatusCode, Code: problem.Code, Fields: problem.Errors, Version: problem.Version}
	switch code := res.StatusCode; {
	case code >= 500, code == http.StatusTooManyRequests, code == http.StatusRequestTimeout:
		e.Kind, e.Outage = KindUnavailable, &Outage{Service: s.name, Reason: Unavailable, RetryAfter: retryAfter(res, s.now())}
		// The contract keeps no answer of 5xx, so a service that says so itself has not done the write. A gateway between
		// cannot know.
		e.applied = code == http.StatusBadGateway || code == http.StatusGatewayTimeout || (code >= 500 && code != 503 && !isProblem)
	case code < 400 || (!isProblem && kind != "application/json"):
		e.Kind, e.Outage = KindUnavailable, &Outage{Service: s.name, Reason: Unavailable}
		e.err = fmt.Errorf("%w: status %d with content type %.60q", ErrContract, code, res.Header.Get("Content-Type"))
	case r.key == "": // a read that the service refuses: the two sides disagree
		e.Kind, e.err = KindInternal, ErrContract
	case code == http.StatusNotFound:
		e.Kind = KindNotFound
	case code == http.StatusConflict, code == http.StatusPreconditionFailed:
		e.Kind = KindConflict
	case code == http.StatusBadRequest, code == http.StatusUnprocessableEntity:
		e.Kind = KindInvalid
	default:
		e.Kind, e.err = KindInternal, ErrContract
	}
	return e
}

func mediaType(res *http.Response) string {
	header := res.Header.Get("Content-Type")
	if header == "application/json" { // nearly always
		return header
	}
	kind, _, err := mime.ParseMediaType(header)
	if err != nil {
		return ""
	}
	return kind
}

// retryAfter reads the Retry-After field (RFC 9110, 10.2.3) in either of its forms; 0 if it is missing or malformed.
func retryAfter(res *http.Response, now time.Time) time.Duration {
	header := res.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(seconds, 0), 3600)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), time.Hour)
	}
	return 0
}

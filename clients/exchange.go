package clients

import (
	"context"
	"net/http"
	"os"
	"time"
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

// exchanged is what one exchange came to.
type exchanged struct {
	value  any
	status int  // 0 without an answer
	size   int  // bytes of the body read
	sent   bool // a write: the service may have got it
}

// exchange sends a request once and has a 2xx answer decoded. It ends at the deadline, with an outage, or with its context.
func (s *service) exchange(ctx context.Context, deadline time.Time, r *request, decode func(answer) (any, error)) (x exchanged, err error) {
	if err := ctx.Err(); err != nil {
		return x, err
	}
	if !time.Now().Before(deadline) { // it has waited for its turn too long
		late := unavailable(s.name, Timeout, os.ErrDeadlineExceeded)
		late.Outage.Unasked = true
		return x, late
	}
	w := s.wires.Get().(*wire)
	defer s.release(w)
	if err := w.write(ctx, s, r); err != nil {
		return x, &Error{Kind: KindInternal, Service: s.name, err: err}
	}
	w.most = s.cfg.MaxBodyBytes
	if x.sent, err = s.transmit(ctx, deadline, w, r); err != nil {
		return x, s.failed(ctx, err)
	}
	x.status = w.res.StatusCode()
	x.value, x.size, err = s.receive(ctx, w, r, decode)
	return x, err
}

// transmit sends a request on a connection and has its answer read, the body as far as it came. A read that a kept connection
// leaves without a byte of an answer is sent again on a new one: the service had closed it meanwhile. A write is not.
func (s *service) transmit(ctx context.Context, deadline time.Time, w *wire, r *request) (sent bool, err error) {
	for c, err := s.conns.take(ctx, deadline); ; c, err = s.conns.dialer.dial(ctx, deadline) {
		if err != nil {
			return false, err
		}
		kept := c.used
		whole, err := c.converse(ctx, w)
		if whole && w.ended {
			s.conns.put(c)
		} else {
			c.close()
		}
		if err == nil || w.answered || !kept || r.key != "" || ctx.Err() != nil || isTimeout(err) {
			return r.key != "", err
		}
	}
}

// receive has an answer decoded if it is 2xx. size is how much of its body was read.
func (s *service) receive(ctx context.Context, w *wire, r *request, decode func(answer) (any, error)) (value any, size int, err error) {
	h, size := &w.res.Header, len(w.body)
	if w.res.StatusCode()/100 != 2 {
		if w.broken != nil && ctx.Err() != nil {
			return nil, size, ctx.Err()
		}
		return nil, size, s.rejected(r, h, w.body)
	}
	switch {
	case w.broken == errOversized:
		e := breach(s.name, "body of more than %d bytes", s.cfg.MaxBodyBytes)
		e.abandoned = true
		return nil, size, e
	case w.broken != nil:
		return nil, size, s.failed(ctx, w.broken)
	case w.res.StatusCode() != http.StatusNoContent && mediaType(h) != "application/json":
		return nil, size, breach(s.name, "content type %.60q", h.ContentType())
	}
	replayed := r.key != "" && string(h.Peek("Idempotency-Replayed")) == "true"
	value, err = decode(answer{w.res.StatusCode(), replayed, w.body})
	if err != nil {
		return nil, size, breach(s.name, "%v", err)
	}
	return value, size, nil
}

// release gives back what an exchange needed. A body that was large is left to the garbage collector.
func (s *service) release(w *wire) {
	if cap(w.res.Body()) > maxPooledBytes || cap(w.out) > maxPooledBytes {
		return
	}
	w.reset()
	s.wires.Put(w)
}

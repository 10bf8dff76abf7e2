package demo

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// serve answers a request under a fault.
func (a *activeFault) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if a.Latency > 0 || a.Hang {
		if !a.hold(w, r) {
			panic(http.ErrAbortHandler)
		}
	}
	if a.ErrorRate > 0 && rand.Float64() < a.ErrorRate {
		a.refusal().write(w)
		return
	}
	if a.Body == BodyIntact {
		next.ServeHTTP(w, r)
		return
	}
	a.spoil(w, r, next)
}

// hold makes the request wait, and says whether the client is still there.
func (a *activeFault) hold(w http.ResponseWriter, r *http.Request) bool {
	// The server notices that a client has left only once it has read the body.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes+1))
	if err != nil && len(body) <= maxBodyBytes {
		return false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	// What was meant for honest requests must not end this one.
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Time{})  // then the server's limits hold
	control.SetWriteDeadline(time.Time{}) // likewise
	ctx := r.Context()
	if !a.Hang {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, a.Latency)
		defer cancel()
	}
	select {
	case <-ctx.Done():
	case <-a.lifted:
	case <-a.faults.released:
	}
	return r.Context().Err() == nil
}

func (a *activeFault) refusal() *problem {
	p := &problem{status: a.Status, code: "INTERNAL", detail: "a fault is set"}
	p.retryAfter = int((a.RetryAfter + time.Second - 1) / time.Second)
	switch a.Status {
	case 0, http.StatusServiceUnavailable:
		p.status, p.code, p.retryAfter = http.StatusServiceUnavailable, "UNAVAILABLE", max(p.retryAfter, 1)
	case http.StatusTooManyRequests:
		p.code, p.retryAfter = "THROTTLED", max(p.retryAfter, 1)
	}
	return p
}

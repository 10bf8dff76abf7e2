package clients

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"
)

// failed makes of a failed exchange an outage, or the context's own error where that has ended it.
func (s *service) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if isTimeout(err) {
		return unavailable(s.name, Timeout, withoutAddress(err))
	}
	return unavailable(s.name, Unavailable, withoutAddress(err))
}

func isTimeout(err error) bool {
	slow, ok := errors.AsType[net.Error](err)
	return ok && slow.Timeout()
}

// withoutAddress is an error of the network without the names and addresses in its text.
func withoutAddress(err error) error {
	if of, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("looking up the service's name: %s", of.Err)
	}
	if of, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("%s: %w", of.Op, of.Err)
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return errors.New("TLS: the certificate is for another name")
	}
	return err
}

// rejected makes an error of an answer that is not 2xx.
func (s *service) rejected(r *request, h *fasthttp.ResponseHeader, body []byte) *Error {
	kind := mediaType(h)
	isProblem := kind == "application/problem+json"
	var problem struct {
		Code    string       `json:"code"`
		Errors  []FieldError `json:"errors"`
		Version int          `json:"version"`
	}
	if isProblem || kind == "application/json" {
		_ = json.Unmarshal(body, &problem) // without it the status has to do
	}
	e := &Error{Service: s.name, Status: h.StatusCode(), Code: problem.Code, Fields: problem.Errors, Version: problem.Version}
	switch code := h.StatusCode(); {
	case code >= 500, code == http.StatusTooManyRequests, code == http.StatusRequestTimeout:
		e.Kind, e.Outage = KindUnavailable, &Outage{Service: s.name, Reason: Unavailable, RetryAfter: retryAfter(h, s.now())}
		// The contract keeps no answer of 5xx, so a service that says so itself has not done the write. A gateway between
		// cannot know.
		e.applied = code == http.StatusBadGateway || code == http.StatusGatewayTimeout || (code >= 500 && code != 503 && !isProblem)
	case code < 400 || (!isProblem && kind != "application/json"):
		e.Kind, e.Outage = KindUnavailable, &Outage{Service: s.name, Reason: Unavailable}
		e.err = fmt.Errorf("%w: status %d with content type %.60q", ErrContract, code, h.ContentType())
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

func mediaType(h *fasthttp.ResponseHeader) string {
	header := h.ContentType()
	if string(header) == "application/json" { // nearly always
		return "application/json"
	}
	kind, _, err := mime.ParseMediaType(string(header))
	if err != nil {
		return ""
	}
	return kind
}

// retryAfter reads the Retry-After field (RFC 9110, 10.2.3) in either of its forms; 0 if it is missing or malformed.
func retryAfter(h *fasthttp.ResponseHeader, now time.Time) time.Duration {
	header := string(h.Peek("Retry-After"))
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(seconds, 0), 3600)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), time.Hour)
	}
	return 0
}

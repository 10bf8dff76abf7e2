package demo

import (
	"fmt"
	"net/http"
	"strconv"
)

// problem is an answer of RFC 9457, and the error that leads to it. Detail is written for the client: no addresses,
// no internals.
type problem struct {
	status     int
	code       string
	detail     string
	version    int64        // with VERSION_MISMATCH
	errors     []fieldError // with INVALID
	allow      string       // with METHOD_NOT_ALLOWED
	retryAfter int          // seconds, with THROTTLED and UNAVAILABLE
}

// fieldError says what is wrong with one member of a body. Code is REQUIRED, TOO_SHORT, TOO_LONG, INVALID or TAKEN.
type fieldError struct{ field, code, message string }

func (p *problem) Error() string { return fmt.Sprintf("%d %s: %s", p.status, p.code, p.detail) }

func badRequest(format string, args ...any) *problem {
	return &problem{status: http.StatusBadRequest, code: "BAD_REQUEST", detail: fmt.Sprintf(format, args...)}
}

func notFound(detail string) *problem {
	return &problem{status: http.StatusNotFound, code: "NOT_FOUND", detail: detail}
}

func conflict(detail string) *problem {
	return &problem{status: http.StatusConflict, code: "CONFLICT", detail: detail}
}

func invalid(errs ...fieldError) *problem {
	detail := "one member is not acceptable"
	if len(errs) > 1 {
		detail = fmt.Sprintf("%d members are not acceptable", len(errs))
	}
	return &problem{status: http.StatusUnprocessableEntity, code: "INVALID", detail: detail, errors: errs}
}

func unavailable() *problem {
	return &problem{status: http.StatusServiceUnavailable, code: "UNAVAILABLE", detail: "ask again later", retryAfter: 1}
}

// internal stands for every failure whose cause is none of the client's business.
func internal() *problem {
	return &problem{status: http.StatusInternalServerError, code: "INTERNAL", detail: "the service failed"}
}

func (p *problem) appendJSON(b []byte) []byte {
	b = appendMember(append(b, '{'), "type", "about:blank")
	b = appendMember(b, "title", http.StatusText(p.status))
	b = strconv.AppendInt(appendName(b, "status"), int64(p.status), 10)
	b = appendMember(append(b, ','), "detail", p.detail)
	b = appendString(appendName(b, "code"), p.code)
	if p.version > 0 {
		b = strconv.AppendInt(appendName(append(b, ','), "version"), p.version, 10)
	}
	for i, e := range p.errors {
		if i == 0 {
			b = append(appendName(append(b, ','), "errors"), '[')
		} else {
			b = append(b, ',')
		}
		b = appendMember(append(b, '{'), "field", e.field)
		b = appendMember(b, "code", e.code)
		b = append(appendString(appendName(b, "message"), e.message), '}')
	}
	if len(p.errors) > 0 {
		b = append(b, ']')
	}
	return append(b, '}')
}

// write answers with the problem document.
func (p *problem) write(w http.ResponseWriter) {
	h := w.Header()
	if p.allow != "" {
		h.Set("Allow", p.allow)
	}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	body := p.appendJSON(nil)
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.status)
	w.Write(body) // the client has gone
}

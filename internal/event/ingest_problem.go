package event

import (
	"encoding/json"
	"net/http"
	"strings"
)

// none is the index of a refusal that is about no event of the batch.
const none = -1

// refusal is why a delivery is not taken. Its detail is written for the sender.
type refusal struct {
	status   int
	code     string
	detail   string
	index    int   // of the event in the batch, or none
	expected int64 // the version that is next, with 409
}

func unsigned() *refusal {
	return &refusal{status: http.StatusUnauthorized, code: "UNAUTHENTICATED", index: none,
		detail: "the delivery is not signed by its source, or not now"}
}

func malformed(index int, detail string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "BAD_REQUEST", detail: detail, index: index}
}

func tooLarge(detail string) *refusal {
	return &refusal{status: http.StatusRequestEntityTooLarge, code: "TOO_LARGE", detail: detail, index: none}
}

func unfit(index int, detail string) *refusal {
	return &refusal{status: http.StatusUnprocessableEntity, code: "INVALID", detail: detail, index: index}
}

// outcome is the refusal as a metric's label.
func (p *refusal) outcome() string { return strings.ToLower(p.code) }

// write answers with the problem document.
func (p *refusal) write(w http.ResponseWriter) {
	document := struct {
		Type     string `json:"type"`
		Title    string `json:"title"`
		Status   int    `json:"status"`
		Detail   string `json:"detail"`
		Code     string `json:"code"`
		Index    *int   `json:"index,omitempty"`
		Expected int64  `json:"expected,omitempty"`
	}{Type: "about:blank", Title: http.StatusText(p.status), Status: p.status, Detail: p.detail, Code: p.code, Expected: p.expected}
	if p.index != none {
		document.Index = &p.index
	}
	header := w.Header()
	switch p.status {
	case http.StatusMethodNotAllowed:
		header.Set("Allow", http.MethodPost)
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", "Webhook-Signature")
	case http.StatusUnsupportedMediaType:
		header.Set("Accept-Post", typeEvent+", "+typeBatch)
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", "1")
	}
	header.Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.status)
	json.NewEncoder(w).Encode(document) // the sender has gone
}

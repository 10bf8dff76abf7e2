package rest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"tributary/internal/wire"
	"tributary/internal/work/webhook"
)

// problem is a problem document (RFC 9457).
type problem struct {
	Type   string  `json:"type"`
	Title  string  `json:"title"`
	Status int     `json:"status"`
	Detail string  `json:"detail"`
	Code   string  `json:"code"`
	Errors []fault `json:"errors,omitempty"`
}

// fault is what is wrong with one member of a body.
type fault struct {
	Field   string `json:"field"` // empty: the request as a whole
	Code    string `json:"code"`
	Message string `json:"message"`
}

func refuse(w http.ResponseWriter, status int, code, detail string, faults ...fault) {
	w.Header().Set("Content-Type", "application/problem+json")
	write(w, status, problem{"about:blank", http.StatusText(status), status, detail, code, faults})
}

// refuseInput answers with the administration's refusal of what was asked.
func refuseInput(w http.ResponseWriter, refusal *webhook.Error) {
	if refusal.Code == webhook.CodeNotFound {
		refuse(w, http.StatusNotFound, refusal.Code, refusal.Message)
		return
	}
	field := refusal.Field
	if field == "eventTypes" {
		field = "events"
	}
	refuse(w, http.StatusUnprocessableEntity, refusal.Code, refusal.Message, fault{field, refusal.Code, refusal.Message})
}

func write(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // the caller has gone
}

// seconds rounds a time up, as Retry-After has it.
func seconds(wait time.Duration) string {
	return strconv.FormatInt(max(1, int64((wait+time.Second-1)/time.Second)), 10)
}

// Foreign refuses what a browser sent on behalf of a page that may not use this server.
func Foreign() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		refuse(w, http.StatusForbidden, wire.CodeCSRFRefused, "Pages of that origin may not use this server: see --allowed-origins.")
	})
}

// Overloaded answers what a server that has more to do than it can does not take.
func Overloaded() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		refuse(w, http.StatusServiceUnavailable, wire.CodeOverloaded, "This server has more to do than it can: come back in a moment.")
	})
}

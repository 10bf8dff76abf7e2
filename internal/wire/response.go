package wire

import (
	"encoding/json"
	"net/http"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// response is the answer as it goes over the wire: errors stand first, where a person reading it sees them.
type response struct {
	Errors     gqlerror.List   `json:"errors,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	Extensions map[string]any  `json:"extensions,omitempty"`
}

const internalMessage = "something went wrong on our side"

func write(w http.ResponseWriter, media string, status int, answer response) {
	raw, err := json.Marshal(answer)
	if err != nil { // extensions are ours and data was written by the executor
		status, raw = http.StatusInternalServerError, []byte(`{"errors":[{"message":"`+internalMessage+`","extensions":{"code":"`+CodeInternal+`"}}]}`)
	}
	header := w.Header()
	header.Set("Content-Type", media+"; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store") // answers depend on who asks, also those to a GET
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the client has gone: nobody is left to tell
}

func writeRefusal(w http.ResponseWriter, media string, status int, code, message string) {
	write(w, media, status, response{Errors: gqlerror.List{{Message: message, Extensions: map[string]any{"code": code}}}})
}

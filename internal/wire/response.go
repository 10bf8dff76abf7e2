package wire

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// response is the answer as it goes over the wire: errors stand first, where a person reading it sees them.
type response struct {
	Errors     gqlerror.List   `json:"errors,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	Extensions map[string]any  `json:"extensions,omitempty"`
}

const internalMessage = "something went wrong on our side"

// encode gives the status and the bytes of an answer. One of more than most bytes becomes an error instead. If its operation
// ran, the status stays 200 and data is null: a mutation was carried out, and only its answer is missing.
func encode(a answer, most int64) (status int, raw []byte) {
	raw, err := json.Marshal(a.response)
	if err != nil { // extensions are ours and data was written by the executor
		return http.StatusInternalServerError, marshal(refusalResponse(&refusal{code: CodeInternal, message: internalMessage}))
	}
	if int64(len(raw)) > most {
		tooLarge := refusalResponse(&refusal{code: CodeResponseTooLarge, message: "the answer is larger than this server sends: ask for less at a time"})
		if a.ran {
			tooLarge.Data = json.RawMessage("null")
		}
		raw = marshal(tooLarge)
	}
	return a.status, raw
}

func refusalResponse(refused *refusal) response {
	return response{Errors: gqlerror.List{{Message: refused.message, Extensions: map[string]any{"code": refused.code}}}}
}

// marshal writes a response that has nothing in it but strings.
func marshal(r response) []byte {
	raw, _ := json.Marshal(r)
	return raw
}

// send sends an answer, packed when the client takes that.
func (x *exchange) send(status int, raw []byte) {
	if len(raw) >= minPacked && takesGzip(x.r.Header.Values("Accept-Encoding")) {
		packer := x.packer()
		defer x.release(packer)
		raw = packer.pack(raw)
		x.w.Header().Set("Content-Encoding", "gzip")
	}
	write(x.w, x.media, status, raw)
}

func write(w http.ResponseWriter, media string, status int, raw []byte) {
	header := w.Header()
	header.Set("Content-Type", media+"; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(raw)))
	header.Set("Cache-Control", "no-store") // answers depend on who asks, also those to a GET
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the client has gone: nobody is left to tell
}

// writeRefusal answers for what stands around GraphQL.
func writeRefusal(w http.ResponseWriter, status int, code, message string) {
	write(w, mediaJSON, status, marshal(refusalResponse(&refusal{code: code, message: message})))
}

package wire

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
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
	var out bytes.Buffer
	out.Grow(len(a.Data) + 256)
	if err := a.appendTo(&out); err != nil { // extensions are ours and data was written by the executor
		return http.StatusInternalServerError, marshal(refusalResponse(&refusal{code: CodeInternal, message: internalMessage}))
	}
	raw = out.Bytes()
	if int64(len(raw)) > most {
		tooLarge := refusalResponse(&refusal{code: CodeResponseTooLarge, message: "the answer is larger than this server sends: ask for less at a time"})
		if a.ran {
			tooLarge.Data = json.RawMessage("null")
		}
		raw = marshal(tooLarge)
	}
	return a.status, raw
}

// appendTo writes what json.Marshal would, without its copies. What of the extensions is JSON already is taken for that.
func (r *response) appendTo(out *bytes.Buffer) error {
	next := byte('{')
	member := func(name string) {
		out.WriteByte(next)
		out.WriteString(name)
		next = ','
	}
	if len(r.Errors) > 0 {
		member(`"errors":`)
		if err := appendValue(out, r.Errors); err != nil {
			return err
		}
	}
	if len(r.Data) > 0 {
		member(`"data":`)
		if err := appendJSON(out, r.Data); err != nil {
			return err
		}
	}
	if len(r.Extensions) > 0 {
		member(`"extensions":`)
		next = '{'
		var few [4]string
		names := few[:0]
		for name := range r.Extensions {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			member(strconv.Quote(name) + ":") // ours: none has to be escaped
			if err := appendValue(out, r.Extensions[name]); err != nil {
				return err
			}
		}
		out.WriteByte('}')
	}
	if next == '{' {
		out.WriteByte(next)
	}
	out.WriteByte('}')
	return nil
}

// appendValue writes a value as JSON.
func appendValue(out *bytes.Buffer, value any) error {
	raw, written := value.(json.RawMessage)
	if !written {
		var err error
		if raw, err = json.Marshal(value); err != nil {
			return err
		}
	}
	out.Write(raw)
	return nil
}

// appendJSON writes JSON of others as json.Marshal does: if it is valid, without spaces, and safe within HTML.
func appendJSON(out *bytes.Buffer, raw []byte) error {
	for _, unsafe := range []string{"<", ">", "&", "\u2028", "\u2029"} {
		if bytes.Contains(raw, []byte(unsafe)) {
			safe, err := json.Marshal(json.RawMessage(raw))
			out.Write(safe)
			return err
		}
	}
	return json.Compact(out, raw)
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
	fields := []string{media + "; charset=utf-8", strconv.Itoa(len(raw)), "no-store"}
	header["Content-Type"], header["Content-Length"] = fields[:1:1], fields[1:2:2]
	header["Cache-Control"] = fields[2:] // answers depend on who asks, also those to a GET
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the client has gone: nobody is left to tell
}

// writeRefusal answers for what stands around GraphQL.
func writeRefusal(w http.ResponseWriter, status int, code, message string) {
	write(w, mediaJSON, status, marshal(refusalResponse(&refusal{code: code, message: message})))
}

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

	finished bool // see operation.Result
}

const internalMessage = "something went wrong on our side"

// encode gives the status and the bytes of an answer, appended to into, which has to be empty. One of more than most bytes becomes an
// error instead. If its operation ran, the status stays 200 and data is null: a mutation was carried out, and only its answer is missing.
func encode(a answer, most int64, into []byte) (status int, raw []byte) {
	raw, err := a.appendTo(slices.Grow(into, len(a.Data)+256))
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

// appendTo appends what json.Marshal would write, without its copies. What of the extensions is JSON already is taken for that.
func (r *response) appendTo(b []byte) (_ []byte, err error) {
	next := byte('{')
	if len(r.Errors) > 0 {
		b, next = append(append(b, next), `"errors":`...), ','
		if b, err = appendValue(b, r.Errors); err != nil {
			return nil, err
		}
	}
	if len(r.Data) > 0 {
		b, next = append(append(b, next), `"data":`...), ','
		if b, err = r.appendData(b); err != nil {
			return nil, err
		}
	}
	if len(r.Extensions) > 0 {
		b, next = append(append(b, next), `"extensions":`...), ','
		if b, err = appendExtensions(b, r.Extensions); err != nil {
			return nil, err
		}
	}
	if next == '{' {
		b = append(b, next)
	}
	return append(b, '}'), nil
}

func appendExtensions(b []byte, extensions map[string]any) (_ []byte, err error) {
	var few [4]string
	names := few[:0]
	for name := range extensions {
		names = append(names, name)
	}
	slices.Sort(names)
	next := byte('{')
	for _, name := range names {
		b = append(strconv.AppendQuote(append(b, next), name), ':') // ours: none has to be escaped
		if b, err = appendValue(b, extensions[name]); err != nil {
			return nil, err
		}
		next = ','
	}
	return append(b, '}'), nil
}

// appendValue appends a value as JSON.
func appendValue(b []byte, value any) ([]byte, error) {
	raw, written := value.(json.RawMessage)
	if !written {
		var err error
		if raw, err = json.Marshal(value); err != nil {
			return nil, err
		}
	}
	return append(b, raw...), nil
}

// appendData appends data as json.Marshal does: if it is valid, without spaces, and safe within HTML. What is finished is all that.
func (r *response) appendData(b []byte) ([]byte, error) {
	if r.finished {
		return append(b, r.Data...), nil
	}
	for _, unsafe := range []string{"<", ">", "&", "\u2028", "\u2029"} {
		if bytes.Contains(r.Data, []byte(unsafe)) {
			safe, err := json.Marshal(r.Data)
			return append(b, safe...), err
		}
	}
	out := bytes.NewBuffer(b)
	err := json.Compact(out, r.Data)
	return out.Bytes(), err
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

// contentType is the field of that name.
func contentType(media string) string {
	switch media {
	case mediaGraphQL:
		return mediaGraphQL + "; charset=utf-8"
	case mediaJSON:
		return mediaJSON + "; charset=utf-8"
	}
	return media + "; charset=utf-8"
}

func write(w http.ResponseWriter, media string, status int, raw []byte) {
	header := w.Header()
	fields := []string{contentType(media), strconv.Itoa(len(raw)), "no-store"}
	header["Content-Type"], header["Content-Length"] = fields[:1:1], fields[1:2:2]
	header["Cache-Control"] = fields[2:] // answers depend on who asks, also those to a GET
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the client has gone: nobody is left to tell
}

// writeRefusal answers for what stands around GraphQL.
func writeRefusal(w http.ResponseWriter, status int, code, message string) {
	write(w, mediaJSON, status, marshal(refusalResponse(&refusal{code: code, message: message})))
}

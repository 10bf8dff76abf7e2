package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"unicode/utf8"

	"tributary/internal/operation"
)

// allowedMethods are those of HTTP, as Allow lists them.
const allowedMethods = "GET, HEAD, OPTIONS, POST"

// refusal is why a request never becomes an operation. Its message quotes nothing of the request.
type refusal struct {
	status        int
	code, message string
}

func badRequest(message string) *refusal {
	return &refusal{http.StatusBadRequest, CodeBadRequest, message}
}

// members are those of a request, as JSON. What is missing is not given; of two with one name the last counts.
type members map[string]json.RawMessage

// request is one operation as it was asked for, or in a batch why it is none. Its query is empty where it may be named instead.
type request struct {
	operation.Request
	named   PersistedRequest
	refused *refusal
}

// asked is what one HTTP request asks for: one operation, or a batch of them.
type asked struct {
	requests []request
	batch    bool
}

func (x *exchange) read() (asked, *refusal) {
	switch x.r.Method {
	case http.MethodGet, http.MethodHead:
		return x.readURL()
	case http.MethodPost:
		return x.readBody()
	}
	x.w.Header().Set("Allow", allowedMethods)
	return asked{}, &refusal{http.StatusMethodNotAllowed, CodeMethodNotAllowed, "send GraphQL by POST or GET: there is no single connection mode"}
}

func (x *exchange) readURL() (asked, *refusal) {
	if len(x.r.RequestURI) > cmp.Or(x.MaxURLBytes, DefaultMaxURLBytes) {
		return asked{}, &refusal{http.StatusRequestURITooLong, CodeURITooLong, "the URL is longer than this server takes: send the operation by POST"}
	}
	if x.r.Body != http.NoBody { // while it is unread, nobody would see the client leave
		return asked{}, badRequest("a GET has no body: put the operation into the URL, or send it by POST")
	}
	raw := x.r.URL.RawQuery
	params, err := url.ParseQuery(raw)
	if err != nil || !utf8.ValidString(raw) {
		return asked{}, badRequest("the query string of the URL is malformed")
	}
	for _, values := range params {
		for _, value := range values {
			if !utf8.ValidString(value) {
				return asked{}, badRequest("the query string of the URL is not in UTF-8")
			}
		}
	}
	m := members{}
	for _, name := range []string{"query", "operationName", "documentId", "doc_id", "id"} {
		if params.Has(name) {
			m[name], _ = json.Marshal(params.Get(name)) // a string can always be JSON
		}
	}
	for _, name := range []string{"variables", "extensions"} {
		if given := params.Get(name); given != "" {
			if refused := x.scan([]byte(given)); refused != nil {
				return asked{}, refused
			}
			m[name] = json.RawMessage(given)
		}
	}
	one, refused := decode(m)
	return asked{requests: []request{one}}, refused
}

func decode(m members) (request, *refusal) {
	var req request
	var err error
	if req.Query, err = decodeString(m["query"]); err != nil {
		return request{}, badRequest("query must be a string with a GraphQL document")
	}
	if req.OperationName, err = decodeString(m["operationName"]); err != nil {
		return request{}, badRequest("operationName must be a string")
	}
	if req.Variables, err = decodeObject(m["variables"]); err != nil {
		return request{}, badRequest("variables must be a JSON object")
	}
	extensions, err := decodeObject(m["extensions"])
	if err != nil {
		return request{}, badRequest("extensions must be a JSON object")
	}
	var refused *refusal
	req.named, refused = readPersisted(m, extensions)
	return req, refused
}

// decodeString reads a string of valid JSON, empty for nothing and null.
func decodeString(raw json.RawMessage) (string, error) {
	if len(raw) > 1 && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw[1 : len(raw)-1]), nil
	}
	if len(raw) == 0 {
		return "", nil
	}
	var s string
	err := decodeJSON(raw, &s)
	return s, err
}

// decodeObject reads an object, nil for nothing and null.
func decodeObject(raw json.RawMessage) (map[string]any, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var object map[string]any
	err := decodeJSON(raw, &object)
	return object, err
}

// decodeJSON reads one JSON value, with numbers as they were written; nothing and null leave into as it is.
func decodeJSON(raw json.RawMessage, into any) error {
	if len(raw) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

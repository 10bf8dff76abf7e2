package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"tributary/internal/operation"
)

// refusal is why a request never becomes an operation. Its message quotes nothing of the request.
type refusal struct {
	status        int
	code, message string
}

func badRequest(message string) *refusal {
	return &refusal{http.StatusBadRequest, CodeBadRequest, message}
}

// members are those of a request, as JSON. What is missing is not given.
type members map[string]json.RawMessage

func (h *HTTP) read(w http.ResponseWriter, r *http.Request) (operation.Request, *refusal) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return readURL(r.URL.RawQuery)
	case http.MethodPost:
		return h.readBody(w, r)
	}
	w.Header().Set("Allow", "GET, HEAD, POST")
	return operation.Request{}, &refusal{http.StatusMethodNotAllowed, CodeMethodNotAllowed, "send GraphQL by POST or GET"}
}

func readURL(raw string) (operation.Request, *refusal) {
	params, err := url.ParseQuery(raw)
	if err != nil || !utf8.ValidString(raw) {
		return operation.Request{}, badRequest("the query string of the URL is malformed")
	}
	m := members{}
	for _, name := range []string{"query", "operationName"} {
		if params.Has(name) {
			m[name], _ = json.Marshal(params.Get(name)) // a string can always be JSON
		}
	}
	for _, name := range []string{"variables", "extensions"} {
		if given := params.Get(name); given != "" {
			m[name] = json.RawMessage(given)
		}
	}
	for _, values := range params {
		for _, value := range values {
			if !utf8.ValidString(value) {
				return operation.Request{}, badRequest("the query string of the URL is not in UTF-8")
			}
		}
	}
	return decode(m)
}

func (h *HTTP) readBody(w http.ResponseWriter, r *http.Request) (operation.Request, *refusal) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, encoding := params["charset"], r.Header.Get("Content-Encoding")
	if err != nil || media != mediaJSON || (charset != "" && !strings.EqualFold(charset, "utf-8")) || (encoding != "" && !strings.EqualFold(encoding, "identity")) {
		return operation.Request{}, &refusal{http.StatusUnsupportedMediaType, CodeUnsupportedMediaType, "send the request as " + mediaJSON + " in UTF-8, not compressed"}
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.MaxBodyBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return operation.Request{}, &refusal{http.StatusRequestEntityTooLarge, CodeBodyTooLarge, "the body is larger than this server takes"}
	case err != nil:
		return operation.Request{}, badRequest("the body did not arrive whole")
	case !utf8.Valid(raw):
		return operation.Request{}, badRequest("the body is not in UTF-8")
	}
	var m members
	if err := json.Unmarshal(raw, &m); err != nil {
		return operation.Request{}, badRequest("the body must be a JSON object with a string query, and optionally operationName, variables and extensions")
	}
	return decode(m)
}

func decode(m members) (operation.Request, *refusal) {
	var request operation.Request
	var extensions map[string]any
	switch {
	case decodeJSON(m["query"], &request.Query) != nil || request.Query == "":
		return operation.Request{}, badRequest("query must be a string with a GraphQL document")
	case decodeJSON(m["operationName"], &request.OperationName) != nil:
		return operation.Request{}, badRequest("operationName must be a string")
	case decodeJSON(m["variables"], &request.Variables) != nil:
		return operation.Request{}, badRequest("variables must be a JSON object")
	case decodeJSON(m["extensions"], &extensions) != nil:
		return operation.Request{}, badRequest("extensions must be a JSON object")
	}
	return request, nil
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

package wire

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// expectBody gives the body until the timeout to arrive, also one that is refused: net/http reads on before it answers. Once
// the body is whole, net/http takes the deadline back by itself, to see whether the client leaves while the operation runs.
func (x *exchange) expectBody() {
	if x.r.Body != http.NoBody {
		// A writer that knows no deadlines is none of net/http's.
		_ = http.NewResponseController(x.w).SetReadDeadline(time.Now().Add(cmp.Or(x.BodyTimeout, DefaultBodyTimeout)))
	}
}

func (x *exchange) readBody() (asked, *refusal) {
	if encoding := x.r.Header.Get("Content-Encoding"); !isJSON(x.r.Header.Get("Content-Type")) || (encoding != "" && !strings.EqualFold(encoding, "identity")) {
		return asked{}, &refusal{http.StatusUnsupportedMediaType, CodeUnsupportedMediaType, "send the request as " + mediaJSON + " in UTF-8, not compressed"}
	}
	raw, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, cmp.Or(x.MaxBodyBytes, DefaultMaxBodyBytes)))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return asked{}, &refusal{http.StatusRequestEntityTooLarge, CodeBodyTooLarge, "the body is larger than this server takes"}
	case errors.Is(err, os.ErrDeadlineExceeded):
		x.w.Header().Set("Connection", "close") // the rest of the body would be taken for the next request
		return asked{}, &refusal{http.StatusRequestTimeout, CodeRequestTimeout, "the body took too long to arrive"}
	case err != nil:
		return asked{}, badRequest("the body did not arrive whole")
	}
	if !utf8.Valid(raw) {
		return asked{}, badRequest("the body is not in UTF-8")
	}
	if refused := x.scan(raw); refused != nil {
		return asked{}, refused
	}
	if bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("[")) {
		return x.readBatch(raw)
	}
	one, refused := readOne(raw)
	return asked{requests: []request{one}}, refused
}

// isJSON tells whether a Content-Type is JSON in UTF-8.
func isJSON(contentType string) bool {
	if contentType == mediaJSON {
		return true
	}
	media, params, err := mime.ParseMediaType(contentType)
	charset := params["charset"]
	return err == nil && media == mediaJSON && (charset == "" || strings.EqualFold(charset, "utf-8"))
}

func readOne(raw []byte) (request, *refusal) {
	m, ok := splitObject(raw)
	if !ok {
		return request{}, badRequest("the body must be a JSON object with a string query, and optionally operationName, variables and extensions")
	}
	return decode(m)
}

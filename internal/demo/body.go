package demo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxBodyBytes bounds the body of a request.
const maxBodyBytes = 1 << 20

// object is a JSON object member by member, as merge patches need it: absent and null are different things.
type object map[string]json.RawMessage

// readBody reads the body of a write, or says by a problem why it cannot be one.
func readBody(w http.ResponseWriter, r *http.Request, kind bodyKind) ([]byte, error) {
	if kind == noBody {
		return nil, nil
	}
	media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(parameters["charset"])
	if err != nil || (charset != "" && charset != "utf-8") ||
		(media != "application/json" && (kind != patchBody || media != "application/merge-patch+json")) {
		return nil, &problem{status: http.StatusUnsupportedMediaType, code: "UNSUPPORTED_MEDIA_TYPE", detail: "send application/json in UTF-8"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		detail := fmt.Sprintf("a body may have %d bytes", tooLarge.Limit)
		return nil, &problem{status: http.StatusRequestEntityTooLarge, code: "BODY_TOO_LARGE", detail: detail}
	}
	if err != nil {
		return nil, badRequest("the body did not arrive whole")
	}
	return body, nil
}

// decodeObject reads one JSON object and nothing behind it.
func decodeObject(body []byte) (object, error) {
	if !utf8.Valid(body) {
		return nil, badRequest("the body is not UTF-8")
	}
	var o object
	if err := json.Unmarshal(body, &o); err != nil || !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte{'{'}) {
		return nil, badRequest("the body is not a JSON object")
	}
	return o, nil
}

// checker reads members of an object and gathers what is wrong with them.
type checker struct {
	object object
	errs   []fieldError
}

func (c *checker) fail(field, code, format string, args ...any) {
	c.errs = append(c.errs, fieldError{field: field, code: code, message: fmt.Sprintf(format, args...)})
}

// only refuses members that are not named.
func (c *checker) only(names ...string) {
	var others []string
	for name := range c.object {
		if !slices.Contains(names, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	for _, name := range others[:min(len(others), 20)] {
		c.fail(limitString(name, 64), "INVALID", "cannot be set here")
	}
}

// limitString cuts s to at most n bytes at the border of a character.
func limitString(s string, n int) string {
	for n < len(s) && n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:min(n, len(s))]
}

func (c *checker) has(name string) bool { return c.object[name] != nil }

func (c *checker) isNull(name string) bool { return string(c.object[name]) == "null" }

// text reads a string of minimum to maximum characters; absent, null and, with a minimum, empty are REQUIRED.
func (c *checker) text(name string, minimum, maximum int) string {
	if !c.has(name) || c.isNull(name) {
		c.fail(name, "REQUIRED", "is required")
		return ""
	}
	var s string
	if err := json.Unmarshal(c.object[name], &s); err != nil {
		c.fail(name, "INVALID", "must be a string")
		return ""
	}
	switch n := utf8.RuneCountInString(s); {
	case n == 0 && minimum > 0:
		c.fail(name, "REQUIRED", "must not be empty")
	case n < minimum:
		c.fail(name, "TOO_SHORT", "must have at least %d characters", minimum)
	case n > maximum:
		c.fail(name, "TOO_LONG", "may have at most %d characters", maximum)
	}
	return s
}

// optional is text without a minimum; absent and null are nil.
func (c *checker) optional(name string, maximum int) *string {
	if !c.has(name) || c.isNull(name) {
		return nil
	}
	s := c.text(name, 0, maximum)
	return &s
}

// id reads an id; absent and null are REQUIRED.
func (c *checker) id(name string) string {
	failed := len(c.errs)
	s := c.text(name, 0, maxBodyBytes)
	if len(c.errs) == failed && !validID(s) {
		c.fail(name, "INVALID", "must be an id: 1 to %d characters out of A-Z a-z 0-9 - . _ ~", maxIDBytes)
	}
	return s
}

// optionalID is id; absent and null are nil.
func (c *checker) optionalID(name string) *string {
	if !c.has(name) || c.isNull(name) {
		return nil
	}
	s := c.id(name)
	return &s
}

// oneOf reads one of a few words; absent and null are REQUIRED.
func (c *checker) oneOf(name string, words ...string) string {
	failed := len(c.errs)
	s := c.text(name, 0, maxBodyBytes)
	if len(c.errs) == failed && !slices.Contains(words, s) {
		c.fail(name, "INVALID", "must be one of %s", strings.Join(words, ", "))
	}
	return s
}

// err is the problem that answers what was gathered, nil if nothing was.
func (c *checker) err() error {
	if len(c.errs) == 0 {
		return nil
	}
	return invalid(c.errs...)
}

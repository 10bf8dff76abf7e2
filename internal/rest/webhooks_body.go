package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"
)

const (
	mediaJSON = "application/json"
	maxBody   = 16 << 10
)

// requestError is a request that cannot be read. Its detail is for the caller.
type requestError struct {
	status       int
	code, detail string
}

func (e *requestError) Error() string { return e.code + ": " + e.detail }

func badRequest(detail string) *requestError {
	return &requestError{http.StatusBadRequest, "BAD_REQUEST", detail}
}

// newWebhook is the body that registers a webhook.
type newWebhook struct {
	URL         string
	Events      []string
	Secret      *string
	Description string
	Version     *int
}

// readWebhook reads the body: one object in UTF-8 that has each of its members once, and no others.
func readWebhook(w http.ResponseWriter, r *http.Request) (wanted newWebhook, err error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, encoding := params["charset"], r.Header.Get("Content-Encoding")
	if err != nil || media != mediaJSON || (charset != "" && !strings.EqualFold(charset, "utf-8")) || (encoding != "" && !strings.EqualFold(encoding, "identity")) {
		return newWebhook{}, &requestError{http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "Send the body as " + mediaJSON + " in UTF-8, not compressed."}
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return newWebhook{}, &requestError{http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE", "The body is larger than 16 KB."}
	}
	if err != nil {
		return newWebhook{}, badRequest("The body did not arrive whole.")
	}
	into := map[string]any{"url": &wanted.URL, "events": &wanted.Events, "secret": &wanted.Secret, "description": &wanted.Description, "version": &wanted.Version}
	err = readObject(raw, into)
	return wanted, err
}

var errObject = badRequest("The body must be a JSON object with url, events, and optionally secret, description and version, each once.")

// readObject reads an object whose members are known, each into its place.
func readObject(raw []byte, into map[string]any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') || !utf8.Valid(raw) {
		return errObject
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return errObject
		}
		place, known := into[name.(string)] // between braces, names are strings
		if !known || decoder.Decode(place) != nil {
			return errObject
		}
		delete(into, name.(string))
	}
	if _, err := decoder.Token(); err != nil {
		return errObject
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errObject
	}
	return nil
}

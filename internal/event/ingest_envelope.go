package event

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	typeEvent  = "application/cloudevents+json"
	typeBatch  = "application/cloudevents-batch+json"
	maxIDBytes = 256 // of an event's id
)

// form says whether a body is to be one envelope or an array of them.
func form(header http.Header) (single bool, err *refusal) {
	kind, parameters, parseErr := mime.ParseMediaType(header.Get("Content-Type"))
	charset, given := parameters["charset"]
	coding := header.Get("Content-Encoding")
	if parseErr != nil || (kind != typeEvent && kind != typeBatch) || (given && !strings.EqualFold(charset, "utf-8")) ||
		(coding != "" && !strings.EqualFold(coding, "identity")) {
		return false, &refusal{status: http.StatusUnsupportedMediaType, code: "UNSUPPORTED_MEDIA_TYPE", index: none,
			detail: "send " + typeEvent + " or " + typeBatch + ", in UTF-8 and not compressed"}
	}
	return kind == typeEvent, nil
}

// decode reads the events of one source.
func decode(body []byte, single bool, source string, maxBatch int) ([]Event, *refusal) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, malformed(none, "the body is not JSON in UTF-8")
	}
	raws := []json.RawMessage{body}
	if !single {
		if body = bytes.TrimLeft(body, " \t\r\n"); body[0] != '[' {
			return nil, malformed(none, "a batch is an array")
		}
		if err := json.Unmarshal(body, &raws); err != nil {
			return nil, malformed(none, "the body is not JSON in UTF-8")
		}
	}
	if len(raws) > maxBatch {
		return nil, tooLarge("the batch has more than " + strconv.Itoa(maxBatch) + " events")
	}
	batch := make([]Event, 0, len(raws))
	for i, raw := range raws {
		e, err := readEnvelope(raw, i, source)
		if err == nil {
			err = checkEvent(e, i)
		}
		if err != nil {
			return nil, err
		}
		batch = append(batch, e)
	}
	return batch, nil
}

// readEnvelope reads the event at an index. What CloudEvents allows beside it, as other extensions, is passed over.
func readEnvelope(raw json.RawMessage, index int, source string) (Event, *refusal) {
	attributes, err := members(raw)
	if err != nil {
		return Event{}, malformed(index, "an event is an object that names each attribute once")
	}
	v := envelope{attributes: attributes, index: index}
	if v.text("specversion", 1, 8) != "1.0" {
		v.fail("specversion must be 1.0")
	}
	e := Event{ID: v.text("id", 1, maxIDBytes), Source: source}
	if v.text("source", 1, maxIDBytes) != "/"+source {
		v.fail("source must be the one that signed the delivery, behind a slash: a batch has one source")
	}
	e.Type = v.text("type", 1, maxIDBytes)
	e.Subject = v.text("subject", 1, maxIDBytes)
	e.Time = v.time("time")
	if v.has("datacontenttype") && v.text("datacontenttype", 1, maxIDBytes) != "application/json" {
		v.fail("datacontenttype must be application/json")
	}
	if v.has("data_base64") {
		v.fail("data_base64 is not taken: data is JSON")
	}
	if v.has("actor") {
		if e.Actor = v.text("actor", 0, maxIDBytes); e.Actor != "" && !validID(e.Actor) {
			v.fail("actor must be the id of a user")
		}
	}
	e.Version = v.number("version", string(v.attributes["version"]))
	if v.has("sequence") {
		e.Sequence = v.number("sequence", v.text("sequence", 1, 19))
	}
	if v.has("data") {
		e.Data = compact(v.attributes["data"])
	}
	return e, v.err
}

// envelope reads attributes and keeps the first refusal.
type envelope struct {
	attributes map[string]json.RawMessage
	index      int
	err        *refusal
}

func (v *envelope) fail(detail string) {
	if v.err == nil {
		v.err = malformed(v.index, detail)
	}
}

// has says whether an optional attribute is there; null is as good as missing.
func (v *envelope) has(name string) bool {
	raw, ok := v.attributes[name]
	return ok && string(raw) != "null"
}

// text reads a string of so many bytes without control characters.
func (v *envelope) text(name string, least, most int) string {
	var text *string
	err := json.Unmarshal(orNull(v.attributes[name]), &text)
	if err != nil || text == nil || len(*text) < least || len(*text) > most || strings.ContainsFunc(*text, control) {
		v.fail(name + " must be a string of " + strconv.Itoa(least) + " to " + strconv.Itoa(most) + " bytes")
		return ""
	}
	return *text
}

func (v *envelope) time(name string) time.Time {
	at, err := time.Parse(time.RFC3339, v.text(name, 1, 64))
	if at = at.UTC(); err != nil || at.Year() < 1970 || at.Year() > 2200 {
		v.fail(name + " must be a time of RFC 3339 after 1970")
	}
	return at
}

// number reads a whole number from 1 up, written without sign, zeros in front, fraction or exponent.
func (v *envelope) number(name, text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || text[0] < '1' || text[0] > '9' {
		v.fail(name + " must be a whole number from 1 up; version is a number, sequence is a string of digits")
		return 0
	}
	return n
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

func orNull(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return json.RawMessage("null")
	}
	return raw
}

// compact copies well-formed JSON without the space between its tokens.
func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	json.Compact(&b, raw) // was found well-formed
	return b.Bytes()
}

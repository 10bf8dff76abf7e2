package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
)

// scan refuses JSON that is too deep or has too many values before anything is decoded: a decoded value takes many times the
// bytes of its text.
func (x *exchange) scan(raw []byte) *refusal {
	mostDepth, mostValues := cmp.Or(x.MaxJSONDepth, DefaultMaxJSONDepth), cmp.Or(x.MaxJSONValues, DefaultMaxJSONValues)
	switch depth, values := measureJSON(raw, mostDepth, mostValues); {
	case depth > mostDepth:
		return &refusal{http.StatusBadRequest, CodeJSONTooDeep, fmt.Sprintf("the JSON of the request nests deeper than %d levels", mostDepth)}
	case values > mostValues:
		return &refusal{http.StatusBadRequest, CodeJSONTooLarge, fmt.Sprintf("the JSON of the request has more than %d values and names", mostValues)}
	}
	return nil
}

// measureJSON tells how deep the brackets of a JSON text nest and how many values and names of members it has. It ends as soon
// as one is over its bound. Of a text that is no JSON it tells no less than a decoder gets to see.
func measureJSON(raw []byte, mostDepth, mostValues int) (depth, values int) {
	open := 0
	for i := 0; i < len(raw) && depth <= mostDepth && values <= mostValues; {
		switch raw[i] {
		case ' ', '\t', '\r', '\n', ',', ':':
			i++
			continue
		case ']', '}':
			open--
			i++
			continue
		case '[', '{':
			open++
			depth = max(depth, open)
			i++
		case '"':
			i = endOfString(raw, i+1)
		default:
			i = endOfWord(raw, i+1)
		}
		values++
	}
	return depth, values
}

// endOfString gives where a string ends whose text begins at i: behind its quote.
func endOfString(raw []byte, i int) int {
	for ; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++ // what it escapes is no end
		case '"':
			return i + 1
		}
	}
	return len(raw)
}

// endOfWord gives where a number or a literal ends.
func endOfWord(raw []byte, i int) int {
	for ; i < len(raw); i++ {
		switch raw[i] {
		case ' ', '\t', '\r', '\n', ',', ':', ']', '}', '[', '{', '"':
			return i
		}
	}
	return len(raw)
}

// splitObject gives the members of a JSON object as they stand there, none for null; ok is false for anything else. The texts are
// parts of raw. It is what encoding/json does with such a map, without a copy of each.
func splitObject(raw []byte) (m members, ok bool) {
	if !json.Valid(raw) {
		return nil, false
	}
	raw = bytes.Trim(raw, " \t\r\n")
	if raw[0] != '{' {
		return nil, string(raw) == "null"
	}
	m = members{}
	for i := nextToken(raw, 1); raw[i] != '}'; i = nextToken(raw, i) {
		end := endOfString(raw, i+1)
		name, _ := decodeString(raw[i:end]) // it is a string
		i = nextToken(raw, end)
		end = endOfValue(raw, i)
		m[name] = raw[i:end:end]
		i = end
	}
	return m, true
}

// nextToken gives where the next token of valid JSON begins that is no comma or colon.
func nextToken(raw []byte, i int) int {
	for {
		switch raw[i] {
		case ' ', '\t', '\r', '\n', ',', ':':
			i++
		default:
			return i
		}
	}
}

// endOfValue gives where a value of valid JSON ends that begins at i.
func endOfValue(raw []byte, i int) int {
	for open := 0; ; i = nextToken(raw, i) {
		switch raw[i] {
		case '"':
			i = endOfString(raw, i+1)
		case '{', '[':
			open++
			i++
		case '}', ']':
			open--
			i++
		default:
			i = endOfWord(raw, i+1)
		}
		if open == 0 {
			return i
		}
	}
}

package wire

import (
	"cmp"
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

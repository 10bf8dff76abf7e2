package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Merge applies a merge patch to a JSON value as RFC 7396 (https://www.rfc-editor.org/rfc/rfc7396) says: null removes a member,
// an object goes on inside, anything else takes the place of what was there. An empty target is no value. Numbers keep their
// digits, members come out in the order of their names, and of members of one name the last one counts. The error tells which of
// the two is not JSON and does not quote it.
func Merge(target, patch json.RawMessage) (json.RawMessage, error) {
	var to any
	if len(target) > 0 {
		var err error
		if to, err = decodeJSON(target); err != nil {
			return nil, fmt.Errorf("merge patch: target: %w", err)
		}
	}
	change, err := decodeJSON(patch)
	if err != nil {
		return nil, fmt.Errorf("merge patch: %w", err)
	}
	return encodeJSON(mergeValue(to, change)), nil
}

// mergeValue is RFC 7396's MergePatch. It changes the target, and nothing of the result that can still change belongs to the patch.
func mergeValue(target, patch any) any {
	change, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	to, _ := target.(map[string]any)
	if to == nil {
		to = make(map[string]any, len(change))
	}
	for name, value := range change {
		if value == nil {
			delete(to, name)
		} else {
			to[name] = mergeValue(to[name], value)
		}
	}
	return to
}

var errNotJSON = errors.New("not a JSON value")

// decodeJSON reads one value whose numbers are json.Number.
func decodeJSON(text json.RawMessage) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&value) != nil {
		return nil, errNotJSON
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errNotJSON
	}
	return value, nil
}

// decodeObject reads an object as decodeJSON does.
func decodeObject(text json.RawMessage) (map[string]any, error) {
	value, err := decodeJSON(text)
	if err != nil {
		return nil, err
	}
	members, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	return members, nil
}

// encodeJSON writes what decodeJSON read, which cannot fail.
func encodeJSON(value any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		panic(fmt.Sprintf("event: encoding a %T that was decoded: %v", value, err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// sameJSON compares two decoded values. Null members are as good as absent ones, and numbers are compared by value where one has
// a fraction or an exponent.
func sameJSON(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && len(differing(a, b)) == 0
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !sameJSON(a[i], b[i]) {
				return false
			}
		}
		return true
	case json.Number:
		b, ok := b.(json.Number)
		return ok && sameNumber(a, b)
	}
	switch b.(type) {
	case map[string]any, []any:
		return false
	}
	return a == b
}

func sameNumber(a, b json.Number) bool {
	if a == b || !strings.ContainsAny(string(a+b), ".eE") {
		return a == b
	}
	x, errX := a.Float64()
	y, errY := b.Float64()
	return errX == nil && errY == nil && x == y
}

// differing are the names of the members in which two objects differ, in no order.
func differing(a, b map[string]any) (names []string) {
	for name, value := range a {
		if !sameJSON(value, b[name]) {
			names = append(names, name)
		}
	}
	for name, value := range b {
		if _, both := a[name]; !both && value != nil {
			names = append(names, name)
		}
	}
	return names
}

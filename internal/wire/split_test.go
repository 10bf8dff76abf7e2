package wire

import (
	"bytes"
	"encoding/json"
	"maps"
	"testing"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// FuzzSplitObject holds the members of an object against what encoding/json finds.
func FuzzSplitObject(f *testing.F) {
	for _, seed := range []string{
		`{}`, ` { } `, `null`, ` null`, `[]`, `7`, `"a"`, ``, `{"query":"{a}"}`, `{"a":1,"a":[1,{"b":"]}"}]}`, `{"a" : {"b":[ ] } , "c\u0064":"\"}" }`,
		`{"a":1`, `{"a":1}}`, `{"":-1.5e3,"b":true}`, `{"a":"<\u2028"}`, `{"a\"b":{}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !utf8.Valid(raw) { // it is refused before
			return
		}
		var want members
		err := json.Unmarshal(raw, &want)
		got, ok := splitObject(raw)
		if ok != (err == nil) || !maps.EqualFunc(got, want, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
			t.Errorf("%q gives %q, %t, want %q, %v", raw, got, ok, want, err)
		}
	})
}

// FuzzEncode holds what is written of an answer against what encoding/json writes.
func FuzzEncode(f *testing.F) {
	for _, seed := range []string{`{"a":1}`, `{"a": "<b>"}`, "{\"a\":\"\u2028\"}", `null`, ``, `{"a":`, `[1, 2]`, `"&"`, "\"\xff<\"", "\"\xff\""} {
		f.Add([]byte(seed), "no", "degraded")
	}
	f.Fuzz(func(t *testing.T, data []byte, message, more string) {
		for _, r := range []response{
			{Data: data}, {Errors: gqlerror.List{{Message: message}}}, {Errors: gqlerror.List{{Message: message}}, Data: data},
			{Data: data, Extensions: map[string]any{"cost": json.RawMessage(`{"requested":0}`), "degraded": []string{more}}},
		} {
			want, failed := json.Marshal(r)
			got, err := r.appendTo([]byte("before "))
			if (err == nil) != (failed == nil) || failed == nil && string(got) != "before "+string(want) {
				t.Errorf("%q, %v, want %q, %v", got, err, want, failed)
			}
			if safe, err := json.Marshal(json.RawMessage(data)); err == nil && failed == nil && len(data) > 0 {
				if r.finished = r.Data != nil; r.finished {
					r.Data = safe
				}
				if again, err := r.appendTo(nil); err != nil || string(again) != string(want) {
					t.Errorf("finished: %q, %v, want %q", again, err, want)
				}
			}
		}
	})
}

package event

import (
	"bytes"
	"encoding/json"
	"testing"
)

// TestMergeRFC7396 is the table of the RFC's appendix A, and its example of section 3.
func TestMergeRFC7396(t *testing.T) {
	for _, c := range []struct{ target, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, `null`},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{
			`{"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},"tags":["example","sample"],"content":"This will be unchanged"}`,
			`{"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},"tags":["example"]}`,
			`{"author":{"givenName":"John"},"content":"This will be unchanged","phoneNumber":"+01-123-456-7890","tags":["example"],"title":"Hello!"}`,
		},
		{``, `{"a":null,"b":[null,{"c":null}]}`, `{"b":[null,{"c":null}]}`},
		{`{}`, `{"n":12345678901234567890,"f":1.50}`, `{"f":1.50,"n":12345678901234567890}`},
		{`{}`, `{"a":1,"a":2}`, `{"a":2}`},
		{`{}`, `{"h":"<&>é"}`, `{"h":"<&>é"}`},
	} {
		got, err := Merge(json.RawMessage(c.target), json.RawMessage(c.patch))
		if err != nil || string(got) != c.want {
			t.Errorf("%s with %s: %s, %v, want %s", c.target, c.patch, got, err, c.want)
		}
	}
	for _, c := range [][2]string{{`{}`, ``}, {`{}`, `{"a":}`}, {`{}`, `{} {}`}, {`{"secret`, `{}`}, {`{}`, `nul`}} {
		if got, err := Merge(json.RawMessage(c[0]), json.RawMessage(c[1])); err == nil || bytes.Contains([]byte(err.Error()), []byte("secret")) {
			t.Errorf("%q with %q: %s, %v", c[0], c[1], got, err)
		}
	}
}

// FuzzMerge holds that a patch applied twice does what it does once, that a patch to nothing leaves no null members, and that
// neither side is changed.
func FuzzMerge(f *testing.F) {
	f.Add([]byte(`{"a":{"b":1}}`), []byte(`{"a":{"b":null,"c":[{}]}}`))
	f.Add([]byte(`[1]`), []byte(`{"a":null}`))
	f.Add([]byte(``), []byte(`"x"`))
	f.Fuzz(func(t *testing.T, target, patch []byte) {
		before := [2][]byte{bytes.Clone(target), bytes.Clone(patch)}
		once, err := Merge(target, patch)
		if err != nil {
			return
		}
		if !bytes.Equal(before[0], target) || !bytes.Equal(before[1], patch) {
			t.Fatal("changed what it was given")
		}
		twice, err := Merge(once, patch)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("once %s, twice %s, %v", once, twice, err)
		}
		fresh, err := Merge(nil, patch)
		if err != nil {
			t.Fatal(err)
		}
		value, err := decodeJSON(fresh)
		if err != nil {
			t.Fatal(err)
		}
		if members, ok := value.(map[string]any); ok {
			for name, member := range members {
				if member == nil {
					t.Fatalf("%q is null in %s", name, fresh)
				}
			}
		}
	})
}

func TestSameJSON(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`1`, `1.0`, true}, {`1e2`, `100`, true}, {`1`, `2`, false}, {`9007199254740993`, `9007199254740992`, false},
		{`1e999`, `1e998`, false}, {`"a"`, `"\u0061"`, true}, {`"1"`, `1`, false}, {`null`, `null`, true}, {`true`, `false`, false},
		{`{"a":null,"b":1}`, `{"b":1}`, true}, {`{"b":1}`, `{"a":null,"b":1}`, true}, {`{"a":0}`, `{}`, false}, {`{}`, `{"a":0}`, false},
		{`[1,{"a":[]}]`, `[1,{"a":[]}]`, true}, {`[1]`, `[1,2]`, false}, {`[1]`, `[2]`, false}, {`[]`, `{}`, false}, {`{}`, `[]`, false},
		{`"a"`, `[]`, false}, {`null`, `{}`, false}, {`{}`, `null`, false},
	} {
		a, errA := decodeJSON(json.RawMessage(c.a))
		b, errB := decodeJSON(json.RawMessage(c.b))
		if got := sameJSON(a, b); errA != nil || errB != nil || got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

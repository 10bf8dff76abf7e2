package wire

import (
	"encoding/json"
	"strings"
	"testing"
)

// counted measures valid JSON by its tokens.
func counted(t *testing.T, raw string) (depth, values int) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(raw))
	open := 0
	for {
		token, err := decoder.Token()
		if err != nil {
			return depth, values
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			open++
			depth = max(depth, open)
		case json.Delim(']'), json.Delim('}'):
			open--
			continue
		}
		values++
	}
}

func FuzzMeasureJSON(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `[]`, `{}`, ` [1,2.5e-3,"a",true,{"b":[null]}] `, `"\"[\\"`, `{"a":{"a":{"a":[[[]]]}}}`, `"a`, `"a\`, `]]][[[`, `[}`, `1 2`, `tru[e`, `{"\u005b":"[["}`, "\t\r\n", `[[[[[[[[[[`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		depth, values := measureJSON([]byte(raw), len(raw), len(raw))
		if !json.Valid([]byte(raw)) {
			return // it only must end
		}
		wantDepth, wantValues := counted(t, raw)
		if depth != wantDepth || values != wantValues {
			t.Errorf("%q: depth %d, %d values; want %d, %d", raw, depth, values, wantDepth, wantValues)
		}
		if d, _ := measureJSON([]byte(raw), depth-1, values); depth > 0 && d != depth {
			t.Errorf("%q: the bound %d is passed unseen", raw, depth-1)
		}
		if _, v := measureJSON([]byte(raw), depth, values-1); v != values {
			t.Errorf("%q: the bound %d is passed unseen", raw, values-1)
		}
	})
}

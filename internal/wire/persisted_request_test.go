package wire

import (
	"encoding/json"
	"testing"
)

func TestReadPersisted(t *testing.T) {
	tests := []struct {
		name, body string
		want       PersistedRequest
		code       string
	}{
		{"nothing", `{"query": "{ echo }"}`, PersistedRequest{}, ""},
		{"nulls", `{"documentId": null, "doc_id": null, "id": null, "extensions": {"persistedQuery": null}}`, PersistedRequest{}, ""},
		{"empty names", `{"documentId": "", "doc_id": "", "id": ""}`, PersistedRequest{}, ""},
		{"documentId", `{"documentId": "a"}`, PersistedRequest{DocumentID: "a"}, ""},
		{"doc_id", `{"doc_id": "b"}`, PersistedRequest{DocumentID: "b"}, ""},
		{"id", `{"id": "c"}`, PersistedRequest{DocumentID: "c"}, ""},
		{"all of them", `{"id": "c", "doc_id": "b", "documentId": "a"}`, PersistedRequest{DocumentID: "a"}, ""},
		{"an id that is no string", `{"id": 7, "query": "{ echo }"}`, PersistedRequest{}, ""},
		{"documentId is a number", `{"documentId": 7}`, PersistedRequest{}, CodeBadRequest},
		{"doc_id is a list", `{"documentId": "a", "doc_id": []}`, PersistedRequest{}, CodeBadRequest},
		{"a hash", `{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "ab"}}}`, PersistedRequest{"", "ab", 1}, ""},
		{"id and hash", `{"id": "c", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "ab"}, "more": 1}}`, PersistedRequest{"c", "ab", 1}, ""},
		{"other extensions", `{"extensions": {"more": {"version": 2}}}`, PersistedRequest{}, ""},
		{"version 2", `{"extensions": {"persistedQuery": {"version": 2, "sha256Hash": "ab"}}}`, PersistedRequest{}, CodePersistedQueryNotSupported},
		{"version 2 of another shape", `{"extensions": {"persistedQuery": {"version": 2}}}`, PersistedRequest{}, CodePersistedQueryNotSupported},
		{"version 1.5", `{"extensions": {"persistedQuery": {"version": 1.5, "sha256Hash": "ab"}}}`, PersistedRequest{}, CodePersistedQueryNotSupported},
		{"a huge version", `{"extensions": {"persistedQuery": {"version": 1e400, "sha256Hash": "ab"}}}`, PersistedRequest{}, CodePersistedQueryNotSupported},
		{"version as text", `{"extensions": {"persistedQuery": {"version": "1", "sha256Hash": "ab"}}}`, PersistedRequest{}, CodePersistedQueryNotSupported},
		{"no version", `{"extensions": {"persistedQuery": {"sha256Hash": "ab"}}}`, PersistedRequest{}, CodePersistedQueryNotSupported},
		{"no hash", `{"extensions": {"persistedQuery": {"version": 1}}}`, PersistedRequest{}, CodeBadRequest},
		{"an empty hash", `{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": ""}}}`, PersistedRequest{}, CodeBadRequest},
		{"a hash that is a number", `{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 7}}}`, PersistedRequest{}, CodeBadRequest},
		{"a list", `{"extensions": {"persistedQuery": [1]}}`, PersistedRequest{}, CodeBadRequest},
		{"a text", `{"extensions": {"persistedQuery": "ab"}}`, PersistedRequest{}, CodeBadRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m members
			var extensions map[string]any
			if err := json.Unmarshal([]byte(tt.body), &m); err != nil {
				t.Fatal(err)
			}
			if err := decodeJSON(m["extensions"], &extensions); err != nil {
				t.Fatal(err)
			}
			named, refused := readPersisted(m, extensions)
			if refused != nil {
				if checkRefusal(t, refused); refused.code != tt.code {
					t.Errorf("refused with %+v, want %q", *refused, tt.code)
				}
				return
			}
			if tt.code != "" || named != tt.want || named.Named() != (named.DocumentID != "" || named.Hash != "") {
				t.Errorf("read %+v, want %+v %s", named, tt.want, tt.code)
			}
		})
	}
}

func TestWholeNumber(t *testing.T) {
	for _, tt := range []struct {
		value any
		want  int
	}{{json.Number("1"), 1}, {float64(1), 1}, {1.5, 0}, {1e300, 0}, {json.Number("x"), 0}, {"1", 0}, {nil, 0}, {true, 0}} {
		if got := wholeNumber(tt.value); got != tt.want {
			t.Errorf("%#v is read as %d, want %d", tt.value, got, tt.want)
		}
	}
}

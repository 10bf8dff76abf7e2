package wire

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

func TestManifestsOfTheToolsAreRead(t *testing.T) {
	for file, ids := range map[string]map[string]string{ // id → how its document begins
		"client-preset.json": {
			"e913e601dab89f9d9f1272d4e342186401a52495": "query Echo(", "317bc3989ccb9073124d93c3881f2da28636c1c4": "mutation SetValue(",
		},
		"relay.json": {"fb45857885018e95620635d44866b738": "query EchoQuery(\n", "85ca25ff2f183aa7f44ec49254135e61": "mutation SetMutation(\n"},
		"apollo.json": {
			"091e22e6b51c1f674fbfe2ea6adf58bfe776e68341f436372a94c30dd43eb5ba":        "query EchoText(",
			"sha256:2B3FC65ABE64D01720B5F58978E471D2851FF12454F8E3E67D29DF275B4189B8": "mutation SetTo(",
		},
	} {
		t.Run(file, func(t *testing.T) {
			manifest, err := ReadManifest(filepath.Join("testdata", "persisted", file))
			if err != nil {
				t.Fatal(err)
			}
			if manifest.Len() != len(ids) {
				t.Errorf("%d documents, want %d", manifest.Len(), len(ids))
			}
			for id, begins := range ids {
				text, ok := manifest.document(id)
				if !ok || !strings.HasPrefix(text, begins) || !manifest.has(text) {
					t.Errorf("%s: %q, want %q…", id, text, begins)
				}
				if _, err := parser.ParseQuery(&ast.Source{Input: text}); err != nil {
					t.Errorf("%s: %v", id, err)
				}
				if again, _ := manifest.document(sha(text)); again != text {
					t.Errorf("%s does not answer to the SHA-256 of its document", id)
				}
			}
			for _, id := range []string{"", "sha256:", "e913"} {
				if text, ok := manifest.document(id); ok {
					t.Errorf("%q stands for %q", id, text)
				}
			}
		})
	}
}

func apolloManifest(operations string) string {
	return `{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [` + operations + `]}`
}

func TestManifestsThatAreRefused(t *testing.T) {
	tests := []struct{ name, text, contains string }{
		{"nothing", "", "JSON object"},
		{"blank", " \n", "JSON object"},
		{"a list", `[]`, "JSON object"},
		{"a text", `"a"`, "JSON object"},
		{"cut off", `{"a": "{ echo }"`, "byte 16"},
		{"cut off in a document", `{"a": "{ ec`, `"a"`},
		{"cut off after a name", `{"a"`, "byte 4"},
		{"malformed", `{"a": "{ echo }" "b": "{ echo }"}`, "byte 17"},
		{"two values", `{"a": "{ echo }"} {}`, "byte"},
		{"a trailing word", `{"a": "{ echo }"} x`, "byte"},
		{"not in UTF-8", "{\"a\": \"\xff\"}", "UTF-8"},
		{"deep", `{"a": ` + strings.Repeat("[", 1<<20), `"a"`},
		{"no documents", `{}`, "no documents"},
		{"an empty id", `{"": "{ echo }"}`, `"": the id is empty`},
		{"an empty document", `{"a": "{ echo }", "b": " \n"}`, `"b": the document is empty`},
		{"a document that is null", `{"a": null}`, `"a": the document must be a string`},
		{"a document that is an object", `{"a": {"b": "{ echo }"}}`, `"a": the document must be a string`},
		{"one id for two documents", `{"a": "{ echo }", "b": "{ a: echo }", "a": "{ b: echo }"}`, `"a": the id stands for another`},
		{"one id in two spellings", fmt.Sprintf(`{%q: "{ echo }", %q: "{ a: echo }"}`, sha("{ echo }"), "sha256:"+strings.ToUpper(sha("{ echo }"))), `"sha256:`},
		{"a changed document", fmt.Sprintf(`{%q: "{ echo } "}`, sha("{ echo }")), sha("{ echo } ")},
		{"a changed document under a prefixed id", fmt.Sprintf(`{"sha256:%s": "{ echo } "}`, sha("{ echo }")), "SHA-256 of another"},
		{"Apollo: no operations", apolloManifest(""), "no documents"},
		{"Apollo: another format", `{"format": "apollo", "version": 1, "operations": []}`, `"apollo"`},
		{"Apollo: no format", `{"version": 1, "operations": []}`, "format"},
		{"Apollo: version 2", `{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}`, "version 2"},
		{"Apollo: an operation without id", apolloManifest(`{"name": "A", "body": "{ echo }"}`), `operations[0] ("A"): the id is empty`},
		{"Apollo: an operation without body", apolloManifest(`{"id": "a", "name": "A", "body": "{ echo }"}, {"id": "b", "name": "B"}`), `operations[1] ("B"): the document is empty`},
		{"Apollo: one id for two documents", apolloManifest(`{"id": "a", "body": "{ echo }"}, {"id": "a", "name": "B", "body": "{ a: echo }"}`), `operations[1] ("B")`},
		{"Apollo: a body that is no string", apolloManifest(`{"id": "b", "body": "{ echo }"}, {"id": "a", "body": 7}`), "operations: [1]"},
		{"Apollo: an operation that is a text", apolloManifest(`"{ echo }"`), "operations: [0]"},
		{"Apollo: version as text", `{"format": "apollo-persisted-query-manifest", "version": "1", "operations": []}`, "version:"},
		{"Apollo: operations as an object", `{"format": "apollo-persisted-query-manifest", "version": 1, "operations": {}}`, "must be a string"},
		{"too many", manyDocuments(MaxManifestDocuments + 1), "more than 10000"},
		{"Apollo: too many", apolloManifest(strings.Repeat("{},", MaxManifestDocuments) + "{}"), "more than 10000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "manifest.json")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			manifest, err := ReadManifest(path)
			if manifest != nil || err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), tt.contains) {
				t.Errorf("read %v, error %v: want the path and %q", manifest, err, tt.contains)
			}
			if err != nil && len(err.Error()) > 500 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
		})
	}
}

func manyDocuments(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, `,"id%d":"{ a%d: echo }"`, i, i)
	}
	return "{" + text.String()[1:] + "}"
}

func TestManifestAtItsBounds(t *testing.T) {
	manifest, err := parseManifest(strings.NewReader(manyDocuments(MaxManifestDocuments)))
	if err != nil || manifest.Len() != MaxManifestDocuments {
		t.Errorf("%d documents: %v", MaxManifestDocuments, err)
	}
	same, err := parseManifest(strings.NewReader(`{"a": "{ echo }", "b": "{ echo }", "a": "{ echo }"}`))
	if err != nil || same.Len() != 1 {
		t.Errorf("one document under two ids: %v, %v", same, err)
	}
	if _, err := parseManifest(iotest.ErrReader(os.ErrClosed)); err == nil {
		t.Error("a file that cannot be read is taken")
	}
	if _, err := ReadManifest(filepath.Join(t.TempDir(), "missing.json")); err == nil || !strings.Contains(err.Error(), "missing.json") {
		t.Errorf("a missing file: %v", err)
	}
	large := filepath.Join(t.TempDir(), "large.json")
	if err := os.WriteFile(large, []byte(`{"a": "`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, MaxManifestBytes+1); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadManifest(large); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("a file beyond the bound: %v", err)
	}
}

// FuzzReadManifest holds that no file brings the program down, and that what is taken keeps its own rules.
func FuzzReadManifest(f *testing.F) {
	for _, file := range []string{"client-preset.json", "relay.json", "apollo.json"} {
		raw, err := os.ReadFile(filepath.Join("testdata", "persisted", file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(raw))
	}
	f.Add(`{"a": "{ echo }", "a": "{ echo }", "operations": []}`)
	f.Add(`{"operations": "{ echo }", "format": "x"} `)
	f.Fuzz(func(t *testing.T, text string) {
		manifest, err := parseManifest(strings.NewReader(text))
		if (manifest == nil) == (err == nil) {
			t.Fatalf("read %v and error %v", manifest, err)
		}
		if manifest == nil {
			return
		}
		if manifest.Len() == 0 || manifest.Len() > MaxManifestDocuments {
			t.Fatalf("%d documents", manifest.Len())
		}
		for id, document := range manifest.documents {
			hash, hashed := parseSHA256(id)
			if text, ok := manifest.document(id); !ok || text != document || !manifest.has(text) || hashed && id != sha(text) {
				t.Fatalf("%q (%x) stands for %q", id, hash, text)
			}
		}
	})
}

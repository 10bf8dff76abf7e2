package wire_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"tributary/internal/auth"
	"tributary/internal/wire"
)

func newPersisted(t *testing.T, mode wire.PersistedMode) *wire.Persisted {
	t.Helper()
	path := filepath.Join(t.TempDir(), "manifest.json")
	if err := os.WriteFile(path, []byte(`{"known":"query Known { echo }"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	manifest, err := wire.ReadManifest(path)
	if err != nil {
		t.Fatal(err)
	}
	store, err := wire.NewMemoryStore(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	persisted, err := wire.NewPersisted(mode, manifest, store, 1<<10)
	if err != nil {
		t.Fatal(err)
	}
	return persisted
}

// TestDocumentsMayBeNamed holds that names get from a body and from a URL to where they are resolved.
func TestDocumentsMayBeNamed(t *testing.T) {
	s := newSite(t)
	s.http.Persisted = newPersisted(t, wire.PersistedPrefer)
	for _, member := range []string{"documentId", "doc_id", "id"} {
		for _, r := range []reply{s.post(t, `{"`+member+`":"known"}`), s.send(t, http.MethodGet, "/graphql?"+member+"=known", "")} {
			if r.wants(t, http.StatusOK, ""); r.echoed(t).Operation != "Known" {
				t.Errorf("%s: %+v", member, r)
			}
		}
	}
	s.post(t, `{"operationName":"SECRET"}`).wants(t, http.StatusBadRequest, wire.CodeBadRequest)
	s.post(t, `{"documentId":"SECRET"}`, "Accept: application/graphql-response+json").wants(t, http.StatusBadRequest, wire.CodePersistedQueryNotFound)
	s.post(t, `{"documentId":"SECRET"}`, "Accept: application/json").wants(t, http.StatusOK, wire.CodePersistedQueryNotFound)
}

func TestDocumentsAreKeptOnceTheyAreValid(t *testing.T) {
	s := newSite(t)
	s.http.Persisted = newPersisted(t, wire.PersistedPrefer)
	extension := func(document string) string {
		sum := sha256.Sum256([]byte(document))
		return `{"persistedQuery":{"version":1,"sha256Hash":"` + hex.EncodeToString(sum[:]) + `"}}`
	}
	ask := func(document string) reply {
		return s.send(t, http.MethodGet, "/graphql?extensions="+url.QueryEscape(extension(document)), "")
	}
	const valid, invalid = "query Kept { echo }", "query Never { nope }"
	for _, document := range []string{valid, invalid} {
		ask(document).wants(t, http.StatusOK, wire.CodePersistedQueryNotFound)
		s.post(t, fmt.Sprintf(`{"query":%q,"extensions":%s}`, document, extension(document)))
	}
	if r := ask(valid); r.echoed(t).Operation != "Kept" {
		t.Errorf("%+v", r)
	}
	ask(invalid).wants(t, http.StatusOK, wire.CodePersistedQueryNotFound)
}

func TestFreeDocuments(t *testing.T) {
	s := newSite(t)
	s.http.Persisted = newPersisted(t, wire.PersistedOnly)
	s.http.FreeDocuments = func(v auth.Viewer) bool { return v.UserID == "free" }
	s.post(t, query, "Authorization: 7").wants(t, http.StatusBadRequest, wire.CodePersistedQueryRequired)
	s.post(t, query, "Authorization: free").wants(t, http.StatusOK, "")
	s.http.FreeDocuments = nil
	s.post(t, query, "Authorization: free").wants(t, http.StatusBadRequest, wire.CodePersistedQueryRequired)
}

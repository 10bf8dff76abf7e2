package wire_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"tributary/internal/auth"
	"tributary/internal/wire"
)

const graphqlAnswers = "Accept: application/graphql-response+json"

// withPersisted is a site with one of the manifests in testdata and a store in memory; its admin may send any document.
func withPersisted(t *testing.T, mode wire.PersistedMode, manifest string) *site {
	t.Helper()
	trusted, err := wire.ReadManifest(filepath.Join("testdata", "persisted", manifest))
	if err != nil {
		t.Fatal(err)
	}
	store, err := wire.NewMemoryStore(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	if s.http.Persisted, err = wire.NewPersisted(mode, trusted, store, maxBody); err != nil {
		t.Fatal(err)
	}
	s.http.FreeDocuments = func(viewer auth.Viewer) bool { return viewer.UserID == "admin" }
	return s
}

// hashed is the extension that names a document by its hash.
func hashed(query string) string {
	return fmt.Sprintf(`{"persistedQuery":{"version":1,"sha256Hash":"%x"}}`, sha256.Sum256([]byte(query)))
}

func both(query string) string {
	return fmt.Sprintf(`{"query":%q,"extensions":%s}`, query, hashed(query))
}

func TestAutomaticPersistedQueriesOverHTTP(t *testing.T) {
	s := withPersisted(t, wire.PersistedOff, "apollo.json")
	const query = "query Kept($id: ID) { echo(id: $id) }"
	named := `{"variables":{"id":"7"},"extensions":` + hashed(query) + `}`

	missing := s.post(t, named)
	missing.wants(t, http.StatusOK, wire.CodePersistedQueryNotFound)
	if !strings.Contains(missing.text, `"message":"PersistedQueryNotFound"`) {
		t.Errorf("clients do not know this answer: %s", missing.text)
	}
	s.post(t, named, graphqlAnswers).wants(t, http.StatusBadRequest, wire.CodePersistedQueryNotFound)
	s.post(t, both(query)).wants(t, http.StatusOK, "")
	if got := s.post(t, named).echoed(t); got.Operation != "Kept" || got.Variables["id"] != "7" {
		t.Errorf("ran %+v", got)
	}
	byURL := s.send(t, http.MethodGet, "/graphql?extensions="+url.QueryEscape(hashed(query)), "")
	if byURL.wants(t, http.StatusOK, ""); byURL.echoed(t).Operation != "Kept" {
		t.Errorf("ran %s", byURL.text)
	}

	wrong := strings.Replace(both(query), "Kept", "Other", 1)
	s.post(t, wrong).wants(t, http.StatusBadRequest, wire.CodePersistedQueryHashMismatch)
	s.post(t, strings.Replace(named, `"version":1`, `"version":2`, 1)).wants(t, http.StatusOK, wire.CodePersistedQueryNotSupported)
	s.post(t, `{"extensions":{"persistedQuery":["SECRET"]}}`).wants(t, http.StatusBadRequest, wire.CodeBadRequest)
	s.post(t, `{"extensions":{}}`).wants(t, http.StatusBadRequest, wire.CodeBadRequest)
}

func TestWhatIsNotValidIsNotKept(t *testing.T) {
	s := withPersisted(t, wire.PersistedOff, "apollo.json")
	for query, code := range map[string]string{"{ unknown }": "GRAPHQL_VALIDATION_FAILED", "{ echo ": "GRAPHQL_PARSE_FAILED"} {
		s.post(t, both(query)).wants(t, http.StatusOK, code)
		s.post(t, `{"extensions":`+hashed(query)+`}`).wants(t, http.StatusOK, wire.CodePersistedQueryNotFound)
	}
}

func TestAutomaticPersistedQueriesAreOffByDefault(t *testing.T) {
	s := newSite(t)
	s.post(t, `{"extensions":`+hashed("{ echo }")+`}`).wants(t, http.StatusOK, wire.CodePersistedQueryNotSupported)
	s.post(t, `{"documentId":"a"}`).wants(t, http.StatusOK, wire.CodePersistedQueryNotSupported)
	s.post(t, `{"query":"{ echo }"}`).wants(t, http.StatusOK, "")
}

func TestTrustedDocumentsOverHTTP(t *testing.T) {
	apollo := withPersisted(t, wire.PersistedOnly, "apollo.json")
	const id = "091e22e6b51c1f674fbfe2ea6adf58bfe776e68341f436372a94c30dd43eb5ba"
	const mutation = "2b3fc65abe64d01720b5f58978e471d2851ff12454f8e3e67d29df275b4189b8"
	for _, body := range []string{`{"documentId":"` + id + `"}`, `{"documentId":"sha256:` + id + `"}`, `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + id + `"}}}`} {
		if got := apollo.post(t, body).echoed(t); got.Operation != "EchoText" {
			t.Errorf("%s runs %+v", body, got)
		}
	}
	apollo.send(t, http.MethodGet, "/graphql?documentId=sha256:"+id, "", graphqlAnswers).wants(t, http.StatusOK, "")
	byURL := apollo.send(t, http.MethodGet, "/graphql?documentId="+mutation, "")
	if byURL.wants(t, http.StatusMethodNotAllowed, wire.CodeMethodNotAllowed); byURL.header.Get("Allow") != http.MethodPost {
		t.Errorf("a mutation by GET: %v", byURL.header)
	}
	apollo.post(t, `{"documentId":"SECRET"}`, graphqlAnswers).wants(t, http.StatusBadRequest, wire.CodePersistedQueryNotFound)
	apollo.post(t, `{"query":"query SECRET { echo }"}`).wants(t, http.StatusBadRequest, wire.CodePersistedQueryRequired)
	apollo.post(t, both("{ echo }")).wants(t, http.StatusBadRequest, wire.CodePersistedQueryRequired)
	apollo.post(t, `{"query":"{ echo }","documentId":"`+id+`"}`).wants(t, http.StatusBadRequest, wire.CodePersistedQueryHashMismatch)
	apollo.post(t, `{"query":"{ echo }"}`, "Authorization: admin").wants(t, http.StatusOK, "")

	relay := withPersisted(t, wire.PersistedPrefer, "relay.json")
	for _, member := range []string{"id", "doc_id"} {
		if got := relay.post(t, `{"`+member+`":"fb45857885018e95620635d44866b738","variables":{"id":"7"}}`).echoed(t); got.Operation != "EchoQuery" {
			t.Errorf("%s runs %+v", member, got)
		}
	}
	relay.post(t, `{"query":"{ echo }"}`).wants(t, http.StatusOK, "")

	preset := withPersisted(t, wire.PersistedPrefer, "client-preset.json")
	sha1 := `{"variables":{"v":1},"extensions":{"persistedQuery":{"version":1,"sha256Hash":"317bc3989ccb9073124d93c3881f2da28636c1c4"}}}`
	if got := preset.post(t, sha1).echoed(t); got.Operation != "SetValue" {
		t.Errorf("the hash of the client preset runs %+v", got)
	}
}

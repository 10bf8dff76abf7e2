package wire

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"tributary/internal/operation"
)

const (
	trustedQuery = "query Trusted { echo }"
	keptQuery    = "query Kept { echo }"
	freeQuery    = "query Free { echo }"
	maxDocument  = 1 << 10
)

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func md5Hex(text string) string { return fmt.Sprintf("%x", md5.Sum([]byte(text))) }

func byHash(hash string) PersistedRequest { return PersistedRequest{Hash: hash, HashVersion: 1} }

func testManifest(t testing.TB) *Manifest {
	t.Helper()
	m, err := parseManifest(strings.NewReader(fmt.Sprintf(`{%q: %q, "other": "query Other { echo }"}`, md5Hex(trustedQuery), trustedQuery)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// testPersisted has the manifest of testManifest, and a store that holds keptQuery unless there is none.
func testPersisted(t testing.TB, mode PersistedMode, apq bool) *Persisted {
	t.Helper()
	var store Store
	if apq {
		memory, err := NewMemoryStore(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		memory.Save(t.Context(), sha256.Sum256([]byte(keptQuery)), keptQuery)
		store = memory
	}
	p, err := NewPersisted(mode, testManifest(t), store, maxDocument)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestResolve(t *testing.T) {
	const (
		off, prefer, only = PersistedOff, PersistedPrefer, PersistedOnly
		missing           = CodePersistedQueryNotFound
		unsupported       = CodePersistedQueryNotSupported
		mismatched        = CodePersistedQueryHashMismatch
		required          = CodePersistedQueryRequired
	)
	id, document := md5Hex(trustedQuery), func(id string) PersistedRequest { return PersistedRequest{DocumentID: id} }
	large := "{ echo }" + strings.Repeat(" ", maxDocument)
	tests := []struct {
		name  string
		mode  PersistedMode
		apq   bool
		free  bool
		query string
		named PersistedRequest
		want  string // the query in the end, or a code
		kept  bool   // whether Accept stores it
	}{
		{"a free document", off, false, false, freeQuery, PersistedRequest{}, freeQuery, false},
		{"a free document, hashed", off, true, false, freeQuery, byHash(sha(freeQuery)), freeQuery, true},
		{"a hash in upper case", off, true, false, freeQuery, byHash(strings.ToUpper(sha(freeQuery))), freeQuery, true},
		{"neither document nor name", off, true, false, "", PersistedRequest{}, "", false},
		{"neither, but only trusted ones run", only, true, false, "", PersistedRequest{}, "", false},
		{"a kept document", off, true, false, "", byHash(sha(keptQuery)), keptQuery, false},
		{"a kept document by a hash in upper case", off, true, false, "", byHash(strings.ToUpper(sha(keptQuery))), keptQuery, false},
		{"an unknown hash", off, true, false, "", byHash(sha(freeQuery)), missing, false},
		{"what is no hash", off, true, false, "", byHash("{apq}:*"), missing, false},
		{"another document's hash", off, true, false, freeQuery, byHash(sha(keptQuery)), mismatched, false},
		{"what is no hash beside a document", off, true, false, freeQuery, byHash("x"), mismatched, false},
		{"another document's sha256 id", off, true, false, freeQuery, document("sha256:" + sha(keptQuery)), mismatched, false},
		{"a sha256 id beside its document", off, true, false, freeQuery, document("sha256:" + sha(freeQuery)), freeQuery, false},
		{"a foreign id beside a document", off, true, false, freeQuery, document("7"), freeQuery, false},
		{"a document too large to keep", off, true, false, large, byHash(sha(large)), large, false},
		{"a kept document sent again", off, true, false, keptQuery, byHash(sha(keptQuery)), keptQuery, true},
		{"a hash while off", off, false, false, "", byHash(sha(keptQuery)), unsupported, false},
		{"a hash beside its document while off", off, false, false, freeQuery, byHash(sha(freeQuery)), unsupported, false},
		{"a trusted id while off", off, true, false, "", document(id), unsupported, false},
		{"a trusted hash while off", off, true, false, "", byHash(sha(trustedQuery)), missing, false},
		{"a trusted document while off", off, false, false, trustedQuery, document(id), trustedQuery, false},

		{"a trusted id", prefer, false, false, "", document(id), trustedQuery, false},
		{"a trusted id as hash", prefer, false, false, "", byHash(id), trustedQuery, false},
		{"the hash of a trusted document", prefer, false, false, "", byHash(sha(trustedQuery)), trustedQuery, false},
		{"the sha256 id of a trusted document", prefer, false, false, "", document("sha256:" + sha(trustedQuery)), trustedQuery, false},
		{"the same in upper case", prefer, false, false, "", document("sha256:" + strings.ToUpper(sha(trustedQuery))), trustedQuery, false},
		{"an id in another case", prefer, false, false, "", document("OTHER"), missing, false},
		{"an unknown id", prefer, true, false, "", document("unknown"), missing, false},
		{"an unknown hash, automatic off", prefer, false, false, "", byHash(sha(freeQuery)), unsupported, false},
		{"free beside trusted", prefer, true, false, freeQuery, byHash(sha(freeQuery)), freeQuery, true},
		{"kept beside trusted", prefer, true, false, "", byHash(sha(keptQuery)), keptQuery, false},
		{"a trusted id beside its document", prefer, true, false, trustedQuery, document(id), trustedQuery, false},
		{"a trusted hash beside its document", prefer, true, false, trustedQuery, byHash(sha(trustedQuery)), trustedQuery, false},
		{"a trusted id beside another document", prefer, true, false, freeQuery, document(id), mismatched, false},
		{"an unknown id beside a document", prefer, true, false, freeQuery, document("unknown"), freeQuery, false},
		{"id and hash of one document", prefer, true, false, "", PersistedRequest{id, sha(trustedQuery), 1}, trustedQuery, false},
		{"id and hash of two documents", prefer, true, false, "", PersistedRequest{"other", sha(trustedQuery), 1}, mismatched, false},
		{"a trusted id and a kept hash", prefer, true, false, "", PersistedRequest{id, sha(keptQuery), 1}, mismatched, false},
		{"an unknown id and a trusted hash", prefer, true, false, "", PersistedRequest{"unknown", id, 1}, trustedQuery, false},

		{"only: a trusted id", only, true, false, "", document(id), trustedQuery, false},
		{"only: a trusted hash", only, true, false, "", byHash(sha(trustedQuery)), trustedQuery, false},
		{"only: a trusted document", only, true, false, trustedQuery, PersistedRequest{}, trustedQuery, false},
		{"only: a trusted document, hashed", only, true, false, trustedQuery, byHash(sha(trustedQuery)), trustedQuery, false},
		{"only: a trusted document and a wrong hash", only, true, false, trustedQuery, byHash(sha(freeQuery)), mismatched, false},
		{"only: a document that differs by a space", only, true, false, trustedQuery + " ", PersistedRequest{}, required, false},
		{"only: a free document", only, true, false, freeQuery, PersistedRequest{}, required, false},
		{"only: a free document, hashed", only, true, false, freeQuery, byHash(sha(freeQuery)), required, false},
		{"only: a free document under a foreign id", only, true, false, freeQuery, document("unknown"), required, false},
		{"only: a free document under a trusted id", only, true, false, freeQuery, document(id), mismatched, false},
		{"only: a kept hash", only, true, false, "", byHash(sha(keptQuery)), missing, false},
		{"only: an unknown hash, automatic off", only, false, false, "", byHash(sha(freeQuery)), missing, false},
		{"only: an unknown id", only, true, false, "", document("unknown"), missing, false},
		{"free caller: a document", only, true, true, freeQuery, PersistedRequest{}, freeQuery, false},
		{"free caller: a document, hashed", only, true, true, freeQuery, byHash(sha(freeQuery)), freeQuery, true},
		{"free caller: a kept hash", only, true, true, "", byHash(sha(keptQuery)), keptQuery, false},
		{"free caller: a trusted id", only, true, true, "", document(id), trustedQuery, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := testPersisted(t, tt.mode, tt.apq)
			req := operation.Request{Query: tt.query}
			registration, refused := p.Resolve(t.Context(), &req, tt.named, tt.free)
			if refused != nil {
				checkRefusal(t, refused)
				if refused.code != tt.want || registration != (Registration{}) {
					t.Errorf("refused with %s (registration %v), want %q", refused.code, registration, tt.want)
				}
				return
			}
			if req.Query != tt.want {
				t.Errorf("resolved to %q, want %q", req.Query, tt.want)
			}
			p.Accept(t.Context(), registration)
			if kept := registration != (Registration{}); kept != tt.kept {
				t.Errorf("to be kept: %v, want %v", kept, tt.kept)
			}
			if tt.kept {
				again := operation.Request{}
				if _, refused := p.Resolve(t.Context(), &again, byHash(sha(tt.query)), tt.free); refused != nil || again.Query != tt.query {
					t.Errorf("after it was accepted: %v, %q", refused, again.Query)
				}
			}
		})
	}
}

// checkRefusal holds a refusal to what clients expect of its code.
func checkRefusal(t *testing.T, refused *refusal) {
	t.Helper()
	want, known := map[string]refusal{
		CodePersistedQueryNotFound:     {statusOfRequestError, "", "PersistedQueryNotFound"},
		CodePersistedQueryNotSupported: {statusOfRequestError, "", "PersistedQueryNotSupported"},
		CodePersistedQueryHashMismatch: {http.StatusBadRequest, "", refused.message},
		CodePersistedQueryRequired:     {http.StatusBadRequest, "", refused.message},
		CodeBadRequest:                 {http.StatusBadRequest, "", refused.message},
	}[refused.code]
	if !known || refused.status != want.status || refused.message != want.message || refused.message == "" {
		t.Errorf("refused with %+v, want %+v", *refused, want)
	}
}

func TestNothingIsKeptBeforeItIsAccepted(t *testing.T) {
	p := testPersisted(t, PersistedOff, true)
	for range 2 {
		req := operation.Request{Query: freeQuery}
		if _, refused := p.Resolve(t.Context(), &req, byHash(sha(freeQuery)), false); refused != nil {
			t.Fatal(refused)
		}
	}
	req := operation.Request{}
	if _, refused := p.Resolve(t.Context(), &req, byHash(sha(freeQuery)), false); refused == nil {
		t.Errorf("a document that nobody accepted is known: %q", req.Query)
	}
}

func TestNilSupportsNothing(t *testing.T) {
	var p *Persisted
	req := operation.Request{Query: freeQuery}
	registration, refused := p.Resolve(t.Context(), &req, PersistedRequest{DocumentID: "foreign"}, false)
	p.Accept(t.Context(), registration)
	if refused != nil || req.Query != freeQuery {
		t.Errorf("a free document: %v, %q", refused, req.Query)
	}
	for _, named := range []PersistedRequest{byHash(sha(freeQuery)), {DocumentID: "a"}} {
		if _, refused := p.Resolve(t.Context(), &operation.Request{}, named, true); refused == nil || refused.code != CodePersistedQueryNotSupported {
			t.Errorf("%v: %v", named, refused)
		}
	}
}

func TestNewPersistedRefuses(t *testing.T) {
	for name, make := range map[string]func() (*Persisted, error){
		"an unknown mode":       func() (*Persisted, error) { return NewPersisted("ONLY", testManifest(t), nil, 1) },
		"no mode":               func() (*Persisted, error) { return NewPersisted("", nil, nil, 1) },
		"only without manifest": func() (*Persisted, error) { return NewPersisted(PersistedOnly, nil, nil, 1) },
		"no room for documents": func() (*Persisted, error) { return NewPersisted(PersistedOff, nil, nil, 0) },
	} {
		if p, err := make(); err == nil || p != nil {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
	if _, err := NewPersisted(PersistedPrefer, nil, nil, 1); err != nil {
		t.Errorf("prefer without manifest: %v", err)
	}
}

func TestResolveConcurrently(t *testing.T) {
	p := testPersisted(t, PersistedPrefer, true)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 200 {
				query := fmt.Sprintf("query Q%d { echo }", (i+j)%20)
				if err := sendLikeApollo(t.Context(), p, query); err != nil {
					t.Error(err)
				}
				req := operation.Request{}
				if _, refused := p.Resolve(t.Context(), &req, PersistedRequest{DocumentID: md5Hex(trustedQuery)}, false); refused != nil || req.Query != trustedQuery {
					t.Errorf("the trusted document: %v, %q", refused, req.Query)
				}
			}
		})
	}
	wg.Wait()
}

// sendLikeApollo names a document by its hash and, where it is not known, sends it with its hash.
func sendLikeApollo(ctx context.Context, p *Persisted, query string) error {
	req := operation.Request{}
	_, refused := p.Resolve(ctx, &req, byHash(sha(query)), false)
	if refused != nil {
		if refused.message != "PersistedQueryNotFound" {
			return fmt.Errorf("refused with %+v", *refused)
		}
		req.Query = query
		registration, refused := p.Resolve(ctx, &req, byHash(sha(query)), false)
		if refused != nil {
			return fmt.Errorf("with its document refused with %+v", *refused)
		}
		p.Accept(ctx, registration)
	}
	if req.Query != query {
		return fmt.Errorf("resolved to %q, want %q", req.Query, query)
	}
	return nil
}

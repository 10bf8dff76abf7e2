package wire

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"tributary/internal/operation"
)

// The order in which a transport calls:
//
//	named, refused := readPersisted(members, extensions)             // members also of documentId, doc_id and id
//	registration, refused := p.Resolve(ctx, &request, named, free)   // then request.Query is the text, or still empty: bad request
//	prepared, errs := pipeline.Prepare(view, request)
//	p.Accept(ctx, registration)                                      // only when errs is nil
//
// A nil *Persisted works: everything is off. A refusal with the status statusOfRequestError takes refusedStatus(media).

// The codes of refused names of documents.
const (
	CodePersistedQueryNotFound     = "PERSISTED_QUERY_NOT_FOUND"
	CodePersistedQueryNotSupported = "PERSISTED_QUERY_NOT_SUPPORTED"
	CodePersistedQueryHashMismatch = "PERSISTED_QUERY_HASH_MISMATCH"
	CodePersistedQueryRequired     = "PERSISTED_QUERY_REQUIRED"
)

// PersistedMode says what the manifest of trusted documents is for.
type PersistedMode string

// The modes. Automatic persisted queries are apart from them, except that Only refuses those too.
const (
	PersistedOff    PersistedMode = "off"    // the manifest is not looked at
	PersistedPrefer PersistedMode = "prefer" // its ids work beside free documents
	PersistedOnly   PersistedMode = "only"   // nothing else runs
)

const (
	persistedVersion = 1         // of the extension persistedQuery
	prefixSHA256     = "sha256:" // of document identifiers, GraphQL over HTTP, appendix A

	// statusOfRequestError stands for the status of a request error in the media type of the answer: the names of documents
	// are refused like documents that are not valid. Apollo Server always answers them with 200, Apollo Client and urql also
	// read the errors of a 400.
	statusOfRequestError = 0
)

// Persisted answers requests that name a document instead of sending it: by an id of the manifest, or by the hash of a document
// that another request brought (automatic persisted queries, as Apollo's clients and servers do them). A nil *Persisted supports
// neither. It is safe for concurrent use.
type Persisted struct {
	mode             PersistedMode
	trusted          *Manifest // nil where it is not looked at
	automatic        Store     // nil: off
	maxDocumentBytes int
}

// Registration is a document that its client has hashed, to be kept once it turned out to be valid. The zero value is none.
type Registration struct {
	hash     [sha256.Size]byte
	document string
}

// NewPersisted makes a Persisted. Without trusted documents only the modes off and prefer make sense; apq may be nil, which
// turns automatic persisted queries off. Documents over maxDocumentBytes, at least 1, run but are not kept.
func NewPersisted(mode PersistedMode, trusted *Manifest, apq Store, maxDocumentBytes int) (*Persisted, error) {
	switch mode {
	case PersistedOff:
		trusted = nil
	case PersistedPrefer:
	case PersistedOnly:
		if trusted == nil {
			return nil, errors.New("persisted operations: mode only needs a manifest")
		}
	default:
		return nil, fmt.Errorf("persisted operations: mode %q is none of off, prefer, only", mode)
	}
	if maxDocumentBytes < 1 {
		return nil, fmt.Errorf("persisted operations: documents of at most %d bytes", maxDocumentBytes)
	}
	return &Persisted{mode, trusted, apq, maxDocumentBytes}, nil
}

// Resolve puts the document that a request names into its Query, or refuses it. A Query beside the name must be that document.
// A request that neither names nor brings a document stays without. Free callers may send any document even in the mode only.
// After the document was prepared, the Registration is for Accept.
func (p *Persisted) Resolve(ctx context.Context, req *operation.Request, named PersistedRequest, free bool) (Registration, *refusal) {
	if p == nil {
		p = &Persisted{mode: PersistedOff}
	}
	if known, refused := p.resolveTrusted(req, named); known || refused != nil {
		return Registration{}, refused
	}
	only := p.mode == PersistedOnly && !free
	if req.Query != "" {
		return p.judge(req.Query, named, only)
	}
	switch {
	case !named.Named():
		return Registration{}, nil
	case p.trusted != nil && (only || named.Hash == ""):
		return Registration{}, notFound()
	case p.automatic == nil, named.Hash == "":
		return Registration{}, notSupported()
	}
	if hash, ok := parseSHA256(named.Hash); ok {
		req.Query, _ = p.automatic.Load(ctx, hash)
	}
	if req.Query == "" {
		return Registration{}, notFound()
	}
	return Registration{}, nil
}

// Accept keeps the document of a Registration for those who name it by its hash from now on. It is called once the document
// turned out to be valid, so that nobody can fill the store with garbage.
func (p *Persisted) Accept(ctx context.Context, r Registration) {
	if r.document != "" {
		p.automatic.Save(ctx, r.hash, r.document)
	}
}

// resolveTrusted looks the names up in the manifest.
func (p *Persisted) resolveTrusted(req *operation.Request, named PersistedRequest) (known bool, refused *refusal) {
	for _, id := range []string{named.DocumentID, named.Hash} {
		text, ok := p.trusted.document(id)
		switch {
		case !ok && known && id != "", ok && req.Query != "" && req.Query != text:
			return true, mismatch()
		case ok:
			req.Query, known = text, true
		}
	}
	return known, nil
}

// judge decides on a document that was sent, with or without a name that the manifest does not know.
func (p *Persisted) judge(query string, named PersistedRequest, only bool) (Registration, *refusal) {
	var sum [sha256.Size]byte
	if named.Named() {
		sum = sha256.Sum256([]byte(query))
	}
	for _, id := range []string{named.DocumentID, named.Hash} {
		claims := id != "" && (id == named.Hash || strings.HasPrefix(id, prefixSHA256))
		if hash, ok := parseSHA256(id); claims && (!ok || hash != sum) {
			return Registration{}, mismatch()
		}
	}
	switch {
	case p.trusted.has(query):
		return Registration{}, nil
	case only:
		return Registration{}, &refusal{http.StatusBadRequest, CodePersistedQueryRequired, "only the documents that this server trusts can be run: name one of them by its id"}
	case named.Hash == "":
		return Registration{}, nil
	case p.automatic == nil:
		return Registration{}, notSupported()
	case len(query) > p.maxDocumentBytes:
		return Registration{}, nil
	}
	return Registration{sum, query}, nil
}

// The messages of notFound and notSupported are what Apollo Client, urql and others look for: the first makes them send the
// document with its hash, the second makes them send documents without.

func notFound() *refusal {
	return &refusal{statusOfRequestError, CodePersistedQueryNotFound, "PersistedQueryNotFound"}
}

func notSupported() *refusal {
	return &refusal{statusOfRequestError, CodePersistedQueryNotSupported, "PersistedQueryNotSupported"}
}

func mismatch() *refusal {
	return &refusal{http.StatusBadRequest, CodePersistedQueryHashMismatch, "the document is not the one that its id or hash names"}
}

// parseSHA256 reads a SHA-256 in hexadecimal digits of either case, with or without the prefix of document identifiers.
func parseSHA256(id string) (hash [sha256.Size]byte, ok bool) {
	id = strings.TrimPrefix(id, prefixSHA256)
	if len(id) != hex.EncodedLen(len(hash)) {
		return hash, false
	}
	_, err := hex.Decode(hash[:], []byte(id))
	return hash, err == nil
}

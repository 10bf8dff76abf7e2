package wire

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/maypok86/otter/v2"
)

// Store keeps documents by the SHA-256 of their text. What it loses its clients send again, so that it has no errors: what it cannot
// get at is unknown, what it cannot keep is dropped. It is safe for concurrent use.
type Store interface {
	// Load gives the document of a hash, verified; ok is false where it is unknown.
	Load(ctx context.Context, hash [sha256.Size]byte) (document string, ok bool)
	// Save keeps a document, which is not empty and whose hash this is, in place of any that was there.
	Save(ctx context.Context, hash [sha256.Size]byte, document string)
}

// MemoryStore is a Store in memory. What is used least goes first.
type MemoryStore struct {
	documents *otter.Cache[[sha256.Size]byte, savedDocument]
	lifetime  time.Duration // of a document after it was saved; 0: without end
}

type savedDocument struct {
	text string
	at   time.Time
}

// entryBytes is about what a document takes beside its text.
const entryBytes = 200

// NewMemoryStore makes a MemoryStore of up to about so many bytes, at least 1.
func NewMemoryStore(maxBytes uint64) (*MemoryStore, error) {
	documents, err := otter.New(&otter.Options[[sha256.Size]byte, savedDocument]{
		MaximumWeight: maxBytes,
		Weigher: func(_ [sha256.Size]byte, document savedDocument) uint32 {
			return uint32(min(entryBytes+len(document.text), 1<<31))
		},
	}) // its own expiry would start a goroutine
	if err != nil {
		return nil, fmt.Errorf("store of persisted queries: %w", err)
	}
	return &MemoryStore{documents: documents}, nil
}

// Load implements Store.
func (s *MemoryStore) Load(_ context.Context, hash [sha256.Size]byte) (string, bool) {
	document, ok := s.documents.GetIfPresent(hash)
	if !ok || s.lifetime > 0 && time.Since(document.at) > s.lifetime {
		return "", false
	}
	return document.text, true
}

// Save implements Store. A document larger than the whole store is not kept.
func (s *MemoryStore) Save(_ context.Context, hash [sha256.Size]byte, document string) {
	s.documents.Set(hash, savedDocument{document, time.Now()})
}

package wire

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	persistedKeys  = "{apq}:"      // before the hash of each document
	persistedIndex = "{apq}:index" // a sorted set of the hashes, by when their documents were last refreshed

	persistedTTL          = 30 * 24 * time.Hour // of a document that nobody asks for
	persistedRefresh      = 24 * time.Hour      // a document is refreshed on use, but not sooner than this
	maxPersistedDocuments = 10_000              // in Redis; beyond, those go that were refreshed longest ago
)

// RedisStore is a Store in Redis, which replicas share, behind a MemoryStore of what this one used within a day. Every document
// that comes from Redis is verified by its hash, so that whoever can write there cannot make us run another. Where Redis does not
// answer in time, only memory is left.
type RedisStore struct {
	client       redis.UniversalClient
	near         *MemoryStore
	maxBytes     int
	timeout      time.Duration
	maxDocuments int64
}

// NewRedisStore makes a RedisStore on a client, which stays its owner's to close. Up to about nearBytes of documents, at least 1,
// are kept in memory; documents over maxDocumentBytes are not kept in Redis; no use takes longer than timeout.
func NewRedisStore(client redis.UniversalClient, nearBytes uint64, maxDocumentBytes int, timeout time.Duration) (*RedisStore, error) {
	near, err := NewMemoryStore(nearBytes)
	if err != nil {
		return nil, err
	}
	near.lifetime = persistedRefresh
	return &RedisStore{client, near, maxDocumentBytes, timeout, maxPersistedDocuments}, nil
}

// Load implements Store.
func (s *RedisStore) Load(ctx context.Context, hash [sha256.Size]byte) (string, bool) {
	if document, ok := s.near.Load(ctx, hash); ok {
		return document, true
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	name := hex.EncodeToString(hash[:])
	var text *redis.StringCmd
	var left *redis.DurationCmd
	_, err := s.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		text = pipe.GetRange(ctx, persistedKeys+name, 0, int64(s.maxBytes)) // one byte more than we wrote, and never all of a foreign value
		left = pipe.PTTL(ctx, persistedKeys+name)
		return nil
	})
	document := text.Val()
	if err != nil || document == "" || sha256.Sum256([]byte(document)) != hash {
		return "", false
	}
	s.near.Save(ctx, hash, document)
	if left.Val() < persistedTTL-persistedRefresh {
		s.refresh(ctx, name)
	}
	return document, true
}

// Save implements Store.
func (s *RedisStore) Save(ctx context.Context, hash [sha256.Size]byte, document string) {
	s.near.Save(ctx, hash, document)
	if len(document) > s.maxBytes {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	name := hex.EncodeToString(hash[:])
	var count *redis.IntCmd
	_, err := s.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Set(ctx, persistedKeys+name, document, persistedTTL)
		pipe.ZAdd(ctx, persistedIndex, redis.Z{Score: float64(time.Now().Unix()), Member: name})
		count = pipe.ZCard(ctx, persistedIndex)
		return nil
	})
	if over := count.Val() - s.maxDocuments; err == nil && over > 0 {
		s.evict(ctx, over)
	}
}

// refresh starts the time to live of a document anew. What goes wrong is made good by the next use.
func (s *RedisStore) refresh(ctx context.Context, name string) {
	_, _ = s.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Expire(ctx, persistedKeys+name, persistedTTL)
		pipe.ZAdd(ctx, persistedIndex, redis.Z{Score: float64(time.Now().Unix()), Member: name})
		return nil
	})
}

// evict deletes some documents. Those that leave the index and for some reason stay end with their time to live.
func (s *RedisStore) evict(ctx context.Context, count int64) {
	oldest, err := s.client.ZPopMin(ctx, persistedIndex, min(count, 100)).Result()
	if err != nil {
		return
	}
	keys := make([]string, 0, len(oldest))
	for _, z := range oldest {
		if name, ok := z.Member.(string); ok {
			keys = append(keys, persistedKeys+name)
		}
	}
	_ = s.client.Unlink(ctx, keys...).Err()
}

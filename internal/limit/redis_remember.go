package limit

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"
)

//go:embed redis_remember.lua
var rememberScript string

const (
	// writesKept is how long a write is remembered. Caches of other replicas do not keep what it has changed for longer, unless
	// the service's events tell them.
	writesKept = time.Minute
	// maxWrites is how many of one writer are remembered, the latest.
	maxWrites = 128
	// maxWriteBytes is the longest payload.
	maxWriteBytes = 2 << 10
)

// ErrWriteTooLong refuses a payload of more than 2 KiB.
var ErrWriteTooLong = errors.New("limit: the write is too long to be remembered")

// Remember keeps a payload, of at most 2 KiB, for a minute by the server's clock: each Debit and Look for the writer tells of it
// meanwhile, whichever replica asks, unless 128 later ones have taken its place. It is one round trip, and does nothing for nobody.
// When it fails, the payload may have been kept nonetheless.
func (r *Redis) Remember(ctx context.Context, writer Writer, payload string) error {
	switch {
	case !writer.known:
		return nil
	case len(payload) > maxWriteBytes:
		return ErrWriteTooLong
	}
	if err := r.remember.Run(ctx, r.client, []string{writer.redis()}, payload, r.window.Milliseconds(), maxWrites).Err(); err != nil {
		return fmt.Errorf("limit: Redis: %w", err)
	}
	return nil
}

// parseWrites reads the payloads that the script returns. What is no payload is left out: it is not worth a decision.
func parseWrites(reply any) []string {
	list, _ := reply.([]any)
	if len(list) == 0 {
		return nil
	}
	writes := make([]string, 0, len(list))
	for _, one := range list {
		if payload, ok := one.(string); ok {
			writes = append(writes, payload)
		}
	}
	return writes
}

package wire

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"tributary/internal/auth"
)

// The keys in Redis, on one node of a cluster by their hash tag.
const (
	ticketKeys   = "{ticket}:"     // before the hash of each ticket: its viewer as JSON
	ticketsOut   = "{ticket}:out"  // sorted set: hashes by when their tickets end, in milliseconds
	ticketsOfOne = "{ticket}:out:" // before the hash of each owner: the same of its tickets
)

// ticketWait is how long Redis has to answer.
const ticketWait = 500 * time.Millisecond

// issueScript counts and keeps a ticket, by Redis's clock. KEYS: the ticket, those that are out, those of its owner.
// ARGV: hash, viewer, life in milliseconds, how many may be out, how many of one owner. It returns 0 where these are.
const issueScript = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
for i = 2, 3 do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', string.format('%.0f', now))
  if redis.call('ZCARD', KEYS[i]) >= tonumber(ARGV[i + 2]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
for i = 2, 3 do
  redis.call('ZADD', KEYS[i], string.format('%.0f', now + tonumber(ARGV[3])), ARGV[1])
  redis.call('PEXPIRE', KEYS[i], ARGV[3])
end
return 1`

// RedisTickets are the Tickets that replicas share: what one gave out any of them takes. Where Redis does not answer within half
// a second there are none.
type RedisTickets struct {
	client redis.UniversalClient
	now    func() time.Time
	bounds ticketBounds
	issue  *redis.Script
}

// NewRedisTickets makes RedisTickets on a client, which stays its owner's to close. The clock is for the credentials behind tickets.
func NewRedisTickets(client redis.UniversalClient, now func() time.Time) *RedisTickets {
	return &RedisTickets{client, now, defaultTicketBounds(), redis.NewScript(issueScript)}
}

// ticketViewer is a viewer as it lies in Redis.
type ticketViewer struct {
	UserID  string    `json:"userId,omitempty"`
	KeyID   string    `json:"keyId,omitempty"`
	KeyName string    `json:"keyName,omitempty"`
	Scopes  []string  `json:"scopes,omitempty"`
	Version int       `json:"version,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
}

// Issue implements Tickets.
func (t *RedisTickets) Issue(ctx context.Context, viewer auth.Viewer) (string, error) {
	ticket, hash := newTicket()
	name := hex.EncodeToString(hash[:])
	raw, err := json.Marshal(ticketViewer(viewer))
	if err != nil {
		return "", fmt.Errorf("%w: encode ticket: %w", auth.ErrUnavailable, err)
	}
	ctx, cancel := context.WithTimeout(ctx, ticketWait)
	defer cancel()
	issued, err := t.issue.Run(ctx, t.client, []string{ticketKeys + name, ticketsOut, ofOwner(viewer)},
		name, raw, t.bounds.life.Milliseconds(), t.bounds.all, t.bounds.ofOne).Bool()
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: issue ticket: %w", auth.ErrUnavailable, err)
	case !issued:
		return "", ErrTooManyTickets
	}
	return ticket, nil
}

// Redeem implements Tickets.
func (t *RedisTickets) Redeem(ctx context.Context, ticket string) (auth.Viewer, error) {
	hash := sha256.Sum256([]byte(ticket))
	name := hex.EncodeToString(hash[:])
	ctx, cancel := context.WithTimeout(ctx, ticketWait)
	defer cancel()
	raw, err := t.client.GetDel(ctx, ticketKeys+name).Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		return auth.Viewer{}, errTicket
	case err != nil:
		return auth.Viewer{}, fmt.Errorf("%w: redeem ticket: %w", auth.ErrUnavailable, err)
	}
	var viewer ticketViewer
	if err := json.Unmarshal(raw, &viewer); err != nil || auth.Viewer(viewer).Anonymous() {
		return auth.Viewer{}, errTicket // nothing that was issued
	}
	// A used ticket takes no place; where that fails its place is free when it would have expired.
	_, _ = t.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.ZRem(ctx, ticketsOut, name)
		pipe.ZRem(ctx, ofOwner(auth.Viewer(viewer)), name)
		return nil
	})
	return unexpired(auth.Viewer(viewer), t.now())
}

// ofOwner is the key of what is out of a viewer's.
func ofOwner(v auth.Viewer) string {
	hash := sha256.Sum256([]byte(ticketOwner(v)))
	return ticketsOfOne + hex.EncodeToString(hash[:])
}

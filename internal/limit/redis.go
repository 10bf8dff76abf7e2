package limit

import (
	"context"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed redis.lua
var redisScript string

// maxCredits is how many buckets one call of the script credits. Redis does nothing else meanwhile, and Lua can unpack only
// some thousand keys.
const maxCredits = 256

var errReply = errors.New("limit: Redis answers something else than the script returns")

// Redis is a Store that replicas share, by one script on the server's own clock, and by another one what callers write. All keys carry the hash tag {lim} and so lie on
// one node of a cluster; a bucket's key is gone soon after the bucket is full. A call is one round trip, or two when the server
// has not seen the script since it started. Calls end with their context if the client was told so (ContextTimeoutEnabled).
type Redis struct {
	client   redis.UniversalClient
	script   *redis.Script
	remember *redis.Script
	window   time.Duration // for which a write is remembered
}

// NewRedis makes a store on a client, which stays the caller's to close. It does not connect.
func NewRedis(client redis.UniversalClient) *Redis {
	return &Redis{client: client, script: redis.NewScript(redisScript), remember: redis.NewScript(rememberScript), window: writesKept}
}

// Debit implements Store.
func (r *Redis) Debit(ctx context.Context, entries []Entry, writer Writer) (Outcome, error) {
	return r.run(ctx, "1", entries, +1, writer)
}

// Look implements Store.
func (r *Redis) Look(ctx context.Context, entries []Entry, writer Writer) (Outcome, error) {
	return r.run(ctx, "0", entries, +1, writer)
}

// Credit implements Store. Of the amounts for one bucket it sends the sum.
func (r *Redis) Credit(ctx context.Context, entries []Entry) error {
	sums := make([]Entry, 0, len(entries))
	index := make(map[Key]int, len(entries))
	for _, e := range entries {
		at, ok := index[e.Key]
		if !ok {
			at = len(sums)
			index[e.Key] = at
			sums = append(sums, Entry{Key: e.Key, Meter: e.Meter})
		}
		sums[at].Amount = min(sums[at].Amount+min(e.Amount, e.Meter.Size), e.Meter.Size) // more than all of it is all of it
	}
	for len(sums) > 0 {
		n := min(len(sums), maxCredits)
		if _, err := r.run(ctx, "1", sums[:n], -1, Writer{}); err != nil {
			return err
		}
		sums = sums[n:]
	}
	return nil
}

// run calls the script, taking amounts with sign +1 and giving them back with -1.
func (r *Redis) run(ctx context.Context, change string, entries []Entry, sign int64, writer Writer) (Outcome, error) {
	keys, args := make([]string, 0, len(entries)+1), make([]any, 1, 2+2*len(entries))
	args[0] = change
	for _, e := range entries {
		keys = append(keys, e.Key.redis())
		args = append(args, e.Meter.Span, sign*e.Meter.take(e.Amount))
	}
	if writer.known {
		keys, args = append(keys, writer.redis()), append(args, r.window.Milliseconds())
	}
	reply, err := r.script.Run(ctx, r.client, keys, args...).Slice()
	if err != nil {
		return Outcome{}, fmt.Errorf("limit: Redis: %w", err)
	}
	return parseReply(reply, min(len(entries), MaxEntries))
}

// parseReply reads what the script returns, of which further elements are for others.
func parseReply(reply []any, n int) (Outcome, error) {
	if len(reply) < 3 {
		return Outcome{}, errReply
	}
	allowed, ok1 := reply[0].(int64)
	at, ok2 := reply[1].(int64)
	missing, ok3 := reply[2].([]any)
	if !ok1 || !ok2 || !ok3 || len(missing) < n {
		return Outcome{}, errReply
	}
	outcome := Outcome{Allowed: allowed == 1, At: at}
	for i := range n {
		value, ok := missing[i].(int64)
		if !ok {
			return Outcome{}, errReply
		}
		outcome.Missing[i] = value
	}
	if len(reply) > 3 {
		outcome.Writes = parseWrites(reply[3])
	}
	return outcome, nil
}

// redis is the key's name on the server, such as {lim}:p:user:0f…; "{lim}:p:" for points, "{lim}:r:" for requests.
func (k Key) redis() string {
	return "{lim}:" + k.Unit.String()[:1] + ":" + k.Kind.String() + ":" + hex.EncodeToString(k.Identity[:])
}

package dispatch

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed redis_change.lua
var redisChange string

//go:embed redis_progress.lua
var redisProgress string

//go:embed redis_lease.lua
var redisLease string

// The keys in Redis. Their hash tag puts them on one node of a cluster, where a script may touch them all. Nothing in them expires:
// an instance that evicts loses consumers.
const (
	redisFixed  = "{work}:dispatch:fixed"    // hash: id → what Progress does not move, as JSON
	redisMoved  = "{work}:dispatch:progress" // hash: id → made:revision:deliveries:progress, three numbers and JSON
	redisLeases = "{work}:dispatch:leases"   // hash: id → when it ends, in milliseconds:holder
	redisMade   = "{work}:dispatch:made"     // string: how many consumers were made
	redisLogs   = "{work}:dispatch:log:"     // + id; sorted set: number:delivery by number
)

var errRedisReply = errors.New("consumers: Redis holds something else than was written")

// Redis is the Store that replicas share, on one Redis or a cluster of them. Leases are told by the server's clock. What it wrote is
// there for good as far as Redis' appendfsync goes. It is safe for concurrent use.
type Redis struct {
	client                  redis.UniversalClient
	change, progress, lease *redis.Script
}

// NewRedis makes a store over a client, which the caller closes. It does not connect.
func NewRedis(client redis.UniversalClient) *Redis {
	return &Redis{client, redis.NewScript(redisChange), redis.NewScript(redisProgress), redis.NewScript(redisLease)}
}

// Consumers implements Store, in one round trip.
func (r *Redis) Consumers(ctx context.Context) ([]Consumer, error) {
	var fixed, moved *redis.MapStringStringCmd
	_, err := r.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		fixed, moved = p.HGetAll(ctx, redisFixed), p.HGetAll(ctx, redisMoved)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("consumers: %w", err)
	}
	made := make(map[string]int64, len(fixed.Val()))
	consumers := make([]Consumer, 0, len(fixed.Val()))
	for id, text := range fixed.Val() {
		c, number, err := readRedisConsumer(text, moved.Val()[id])
		if err != nil {
			return nil, err
		}
		made[id] = number
		consumers = append(consumers, c)
	}
	slices.SortFunc(consumers, func(a, b Consumer) int { return cmp.Compare(made[a.ID], made[b.ID]) })
	return consumers, nil
}

// readRedisConsumer reads what the two hashes have of a consumer. made is 0 for one that is to be made.
func readRedisConsumer(fixed, moved string) (c Consumer, made int64, err error) {
	words := strings.SplitN(moved, ":", 4)
	if len(words) != 4 {
		return Consumer{}, 0, errRedisReply
	}
	var numbers [3]int64
	for i := range numbers {
		if numbers[i], err = strconv.ParseInt(words[i], 10, 64); err != nil {
			return Consumer{}, 0, errors.Join(errRedisReply, err)
		}
	}
	c, err = readConsumer([]byte(fixed), []byte(words[3]), numbers[1], numbers[2])
	return c, numbers[0], err
}

// Change implements Store.
func (r *Redis) Change(ctx context.Context, id string, change func(*Consumer) (*Consumer, error)) (*Consumer, error) {
	for {
		before, made, old, err := r.get(ctx, id)
		if err != nil {
			return nil, err
		}
		var revision, deliveries int64
		if before != nil {
			revision, deliveries = before.Revision, before.Deliveries // before change has its way with it
		}
		next, err := change(before)
		if err != nil || (next == nil && before == nil) {
			return nil, err
		}
		args := []any{id, old[0], old[1], "", "", made}
		var kept *Consumer
		if next != nil {
			kept = new(*next)
			kept.ID, kept.Revision, kept.Deliveries = id, revision+1, deliveries
			if args[3], args[4], err = writeRedisConsumer(*kept); err != nil {
				return nil, err
			}
		}
		done, err := r.change.Run(ctx, r.client, r.keys(id), args...).Bool()
		if err != nil {
			return nil, fmt.Errorf("consumers: change: %w", err)
		}
		if done {
			return kept, nil
		}
	}
}

// writeRedisConsumer writes what readRedisConsumer reads, without the number of its making.
func writeRedisConsumer(c Consumer) (fixed, moved string, err error) {
	text, err := writeFixed(c)
	if err != nil {
		return "", "", fmt.Errorf("consumer %s: %w", c.ID, err)
	}
	progress, err := writeProgress(c)
	if err != nil {
		return "", "", fmt.Errorf("consumer %s: %w", c.ID, err)
	}
	return string(text), fmt.Sprintf("%d:%d:%s", c.Revision, c.Deliveries, progress), nil
}

// get returns a consumer, nil for none, the number of its making, and the texts of the two hashes.
func (r *Redis) get(ctx context.Context, id string) (c *Consumer, made int64, texts [2]string, err error) {
	var fixed, moved *redis.StringCmd
	_, err = r.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		fixed, moved = p.HGet(ctx, redisFixed, id), p.HGet(ctx, redisMoved, id)
		return nil
	})
	if errors.Is(err, redis.Nil) {
		return nil, 0, texts, nil
	}
	if err != nil {
		return nil, 0, texts, fmt.Errorf("consumers: %w", err)
	}
	texts = [2]string{fixed.Val(), moved.Val()}
	read, made, err := readRedisConsumer(texts[0], texts[1])
	return &read, made, texts, err
}

func (r *Redis) keys(id string) []string {
	return []string{redisFixed, redisMoved, redisLeases, redisMade, redisLogs + id}
}

// Lease implements Store, in one round trip.
func (r *Redis) Lease(ctx context.Context, holder string, ids []string, ttl time.Duration) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	args := make([]any, 2, len(ids)+2)
	args[0], args[1] = holder, max(ttl, 0).Milliseconds()
	for _, id := range ids {
		args = append(args, id)
	}
	held, err := r.lease.Run(ctx, r.client, []string{redisFixed, redisLeases}, args...).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("leases: %w", err)
	}
	return held, nil
}

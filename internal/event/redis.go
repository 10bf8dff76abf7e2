package event

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed redis_append.lua
var redisAppend string

//go:embed redis_subject.lua
var redisSubject string

//go:embed redis_redact.lua
var redisRedact string

//go:embed redis_trim.lua
var redisTrim string

//go:embed redis_compact.lua
var redisCompact string

// The keys in Redis. Their hash tag puts them on one node of a cluster, where a script may touch them all. No event expires: an
// instance that evicts loses events.
const (
	redisLog       = "{ev}:log"       // hash: id, last (position), recorded (of the last event, microseconds), ids since (microseconds)
	redisStream    = "{ev}:stream"    // stream: {position}-0 → recorded, subject, version, envelope; the only key that is trimmed
	redisIDs       = "{ev}:ids"       // set: source/id of the events since "ids since"
	redisFormer    = "{ev}:ids:old"   // set: those of the redisIDsKept before that
	redisSequences = "{ev}:sequences" // hash: source → last sequence, 19 digits
	redisHeard     = "{ev}:heard"     // hash: source → microseconds
	redisSubjects  = "{ev}:subjects"  // sorted set, all scores 0: subjects
	redisVersions  = "{ev}:v:"        // + subject; sorted set, all scores 0: versions, 19 digits
	redisHash      = "{ev}:s:"        // + subject; hash: version → envelope, version:data → payload
	redisRetention = "{ev}:retention" // string, the only key that expires: there while it is nobody's Turn
)

// redisIDsKept is the least time for which an event that comes again is known by its id alone. Later it is known by its subject,
// version and id.
const redisIDsKept = 48 * time.Hour

// Redis is the Log, Keeper and SubjectLister that replicas share, on one Redis or a cluster of them. It tells time by the server's
// clock. Events are there for good as far as Redis' appendfsync goes: with "everysec" a crash may lose the last second of them;
// the sequences that Append returns then go back. Sources are names without a slash. It is safe for concurrent use.
type Redis struct {
	commands, blocking                     redis.UniversalClient
	append, subject, redact, trim, compact *redis.Script
	idsKept                                time.Duration
	waits                                  sync.WaitGroup
}

// NewRedis makes a log over two clients, which the caller closes after it: one for commands, and one whose connections Wait
// occupies for up to a second each. It does not connect.
func NewRedis(commands, blocking redis.UniversalClient) *Redis {
	return &Redis{
		commands: commands, blocking: blocking, idsKept: redisIDsKept,
		append: redis.NewScript(redisAppend), subject: redis.NewScript(redisSubject),
		redact: redis.NewScript(redisRedact), trim: redis.NewScript(redisTrim), compact: redis.NewScript(redisCompact),
	}
}

// Close waits for reads that a Wait which was given up has left behind, two seconds at most. Nobody may Wait any more.
func (r *Redis) Close() error {
	r.waits.Wait()
	return nil
}

// Live implements Keeper. The times are told by this process' clock, so that they can be compared with it though the server's
// differ.
func (r *Redis) Live(ctx context.Context) (map[string]time.Time, error) {
	var heard *redis.MapStringStringCmd
	var clock *redis.TimeCmd
	_, err := r.commands.TxPipelined(ctx, func(p redis.Pipeliner) error {
		heard, clock = p.HGetAll(ctx, redisHeard), p.Time(ctx)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("event log: sources: %w", err)
	}
	now := time.Now()
	live := make(map[string]time.Time, len(heard.Val()))
	for source, text := range heard.Val() {
		at, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("event log: sources: %w", err)
		}
		live[source] = now.Add(-clock.Val().Sub(time.UnixMicro(at))).UTC()
	}
	return live, nil
}

// Redact implements Keeper. No key has the data any more when it returns; an append-only file has it until it is rewritten
// (BGREWRITEAOF, auto-aof-rewrite-percentage).
func (r *Redis) Redact(ctx context.Context, subject string) error {
	err := r.redact.Run(ctx, r.commands, []string{redisVersions + subject, redisHash + subject}).Err()
	if err != nil {
		return fmt.Errorf("event log: redact: %w", err)
	}
	return nil
}

// Trim implements Keeper: what was recorded up to a time, on the server's clock, is for ReadSubject alone.
func (r *Redis) Trim(ctx context.Context, before time.Time) error {
	err := r.trim.Run(ctx, r.commands, []string{redisLog, redisStream}, before.UnixMicro()).Err()
	if err != nil {
		return fmt.Errorf("event log: trim: %w", err)
	}
	return nil
}

// Wait implements Log. It returns with its context at once; the read on the server ends within a second after.
func (r *Redis) Wait(ctx context.Context, after int64) error {
	for {
		last, err := r.commands.HGet(ctx, redisLog, "last").Int64()
		if err != nil && !errors.Is(err, redis.Nil) {
			return errors.Join(ctx.Err(), fmt.Errorf("event log: wait: %w", err))
		}
		if last != after { // Read tells those that are behind what is kept, or ahead of the log
			return nil
		}
		// A blocked read of go-redis does not heed its context.
		done := make(chan error, 1)
		r.waits.Go(func() { done <- r.block(ctx, after) })
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-done:
			if err == nil || !errors.Is(err, redis.Nil) {
				return err
			}
		}
	}
}

// block reads behind a position for up to a second. The error wraps redis.Nil when nothing came. It outlasts the caller's context,
// whose deadline would break the connection.
func (r *Redis) block(ctx context.Context, after int64) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second) // a server that does not answer is not waited for
	defer cancel()
	err := r.blocking.XRead(ctx, &redis.XReadArgs{
		Streams: []string{redisStream, strconv.FormatInt(after, 10) + "-0"}, Count: 1, Block: time.Second,
	}).Err()
	if err != nil {
		return fmt.Errorf("event log: wait: %w", err)
	}
	return nil
}

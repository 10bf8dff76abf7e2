package event

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// Compact implements Keeper. It reads and folds here, and one script replaces what was read: nothing, when the subject was redacted
// or compacted in between.
func (r *Redis) Compact(ctx context.Context, subject string, before time.Time) (int, error) {
	bounds, err := r.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	reply, err := r.readSubject(ctx, subject, "-", "+", compactLimit, "0")
	if err != nil {
		return 0, err
	}
	events, err := parseRedisEvents(subject, reply)
	if err != nil {
		return 0, err
	}
	to, n, err := compaction(events, before, bounds.First)
	if n == 0 || err != nil {
		return 0, err
	}
	payloads := 0
	for i := range n {
		if reply[3*i+2] != "" {
			payloads++
		}
	}
	payload := ""
	if to.Data != nil {
		payload = redisPayload(to)
	}
	position := strconv.FormatInt(to.Position, 10)
	replaced, err := r.compact.Run(ctx, r.commands, []string{redisVersions + subject, redisHash + subject},
		digits(events[0].Version), digits(to.Version), n, payloads, redisEnvelope(to)+strconv.Itoa(len(position))+":"+position, payload).Int()
	if err != nil {
		return 0, fmt.Errorf("event log: compact: %w", err)
	}
	return replaced, nil
}

// Turn says whether the caller is the first to ask since the time that the last one named has passed, of all replicas. Who is
// told so does what one of them has to do.
func (r *Redis) Turn(ctx context.Context, every time.Duration) (bool, error) {
	first, err := r.commands.SetNX(ctx, redisRetention, "1", every).Result()
	if err != nil {
		return false, fmt.Errorf("event log: turn: %w", err)
	}
	return first, nil
}

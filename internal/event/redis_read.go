package event

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Read implements Log, in two round trips. ErrTrimmed also tells of a position that the log has not come to: Redis lost what was
// there.
func (r *Redis) Read(ctx context.Context, after int64, limit int) ([]Event, error) {
	after = max(after, 0)
	var found *redis.XMessageSliceCmd
	var kept *redis.SliceCmd
	_, err := r.commands.TxPipelined(ctx, func(p redis.Pipeliner) error {
		found = p.XRangeN(ctx, redisStream, "("+strconv.FormatInt(after, 10)+"-0", "+", int64(max(limit, 1)))
		kept = p.HMGet(ctx, redisLog, "last")
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("event log: read: %w", err)
	}
	last, err := redisNumber(kept.Val(), 0)
	if err != nil {
		return nil, err
	}
	// A stream says nothing of entries that were trimmed, but positions have no gaps.
	entries := found.Val()
	switch {
	case len(entries) == 0 && last != after, len(entries) > 0 && entries[0].ID != strconv.FormatInt(after+1, 10)+"-0":
		return nil, ErrTrimmed
	case len(entries) == 0 || limit <= 0:
		return nil, nil
	}
	return r.complete(ctx, entries)
}

// complete reads the payloads of entries of the stream, in one round trip. What was trimmed by then may be compacted too, so that
// its payloads are no longer those of the entries: ErrTrimmed.
func (r *Redis) complete(ctx context.Context, entries []redis.XMessage) ([]Event, error) {
	type place struct {
		payloads *redis.SliceCmd
		index    int
	}
	fields := map[string][]string{} // by subject
	places := make([]place, len(entries))
	for i, entry := range entries {
		subject := redisText(entry.Values["subject"])
		places[i].index = len(fields[subject])
		fields[subject] = append(fields[subject], redisText(entry.Values["version"])+":data")
	}
	var first *redis.XMessageSliceCmd
	_, err := r.commands.Pipelined(ctx, func(p redis.Pipeliner) error {
		commands := make(map[string]*redis.SliceCmd, len(fields))
		for subject, versions := range fields {
			commands[subject] = p.HMGet(ctx, redisHash+subject, versions...)
		}
		for i, entry := range entries {
			places[i].payloads = commands[redisText(entry.Values["subject"])]
		}
		first = p.XRangeN(ctx, redisStream, "-", entries[0].ID, 1) // behind the payloads
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("event log: read: %w", err)
	}
	if len(first.Val()) == 0 {
		return nil, ErrTrimmed
	}
	events := make([]Event, len(entries))
	for i, entry := range entries {
		payload := redisText(places[i].payloads.Val()[places[i].index])
		events[i], err = parseRedisEvent(redisText(entry.Values["subject"]), redisText(entry.Values["version"]),
			redisText(entry.Values["envelope"]), payload)
		if err != nil {
			return nil, err
		}
	}
	return events, nil
}

// ReadSubject implements Log, in one round trip.
func (r *Redis) ReadSubject(ctx context.Context, subject string, after, before int64, limit int, backward bool) ([]Event, error) {
	from, to := "-", "+"
	if after > 0 {
		from = "(" + digits(after)
	}
	if before > 0 {
		to = "(" + digits(before)
	}
	order := "0"
	if backward {
		from, to, order = to, from, "1"
	}
	reply, err := r.readSubject(ctx, subject, from, to, max(limit, 0), order)
	if err != nil {
		return nil, err
	}
	return parseRedisEvents(subject, reply)
}

// readSubject returns what redis_subject.lua does: version, envelope and payload in turn.
func (r *Redis) readSubject(ctx context.Context, subject, from, to string, limit int, order string) ([]string, error) {
	reply, err := r.subject.Run(ctx, r.commands, []string{redisVersions + subject, redisHash + subject}, from, to, limit, order).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("event log: read: %w", err)
	}
	return reply, nil
}

func parseRedisEvents(subject string, reply []string) ([]Event, error) {
	events := make([]Event, 0, len(reply)/3)
	for i := 0; i+2 < len(reply); i += 3 {
		e, err := parseRedisEvent(subject, reply[i], reply[i+1], reply[i+2])
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

// Subjects returns up to limit subjects behind one, in the order of their bytes.
func (r *Redis) Subjects(ctx context.Context, after string, limit int) ([]string, error) {
	if limit <= 0 {
		return nil, nil // to go-redis a count of 0 is none
	}
	subjects, err := r.commands.ZRangeArgs(ctx, redis.ZRangeArgs{
		Key: redisSubjects, Start: "(" + after, Stop: "+", ByLex: true, Count: int64(limit),
	}).Result()
	if err != nil {
		return nil, fmt.Errorf("event log: subjects: %w", err)
	}
	return subjects, nil
}

// Bounds implements Log. The first to ask for an empty log gives it its id.
func (r *Redis) Bounds(ctx context.Context) (Bounds, error) {
	var kept *redis.SliceCmd
	var first *redis.XMessageSliceCmd
	_, err := r.commands.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.HSetNX(ctx, redisLog, "id", rand.Text())
		kept, first = p.HMGet(ctx, redisLog, "id", "last"), p.XRangeN(ctx, redisStream, "-", "+", 1)
		return nil
	})
	if err != nil {
		return Bounds{}, fmt.Errorf("event log: bounds: %w", err)
	}
	b := Bounds{ID: redisText(kept.Val()[0])}
	if b.Last, err = redisNumber(kept.Val(), 1); err != nil {
		return Bounds{}, err
	}
	b.First = b.Last + 1
	for _, entry := range first.Val() {
		position, _, _ := strings.Cut(entry.ID, "-")
		if b.First, err = strconv.ParseInt(position, 10, 64); err != nil {
			return Bounds{}, errors.Join(errRedisValue, err)
		}
	}
	return b, nil
}

// redisText is a value of a reply, or empty where there is none.
func redisText(value any) string {
	text, _ := value.(string)
	return text
}

// redisNumber is the number at a place of a reply, or 0 where there is none.
func redisNumber(values []any, at int) (int64, error) {
	if at >= len(values) || values[at] == nil {
		return 0, nil
	}
	n, err := strconv.ParseInt(redisText(values[at]), 10, 64)
	if err != nil {
		return 0, errors.Join(errRedisValue, err)
	}
	return n, nil
}

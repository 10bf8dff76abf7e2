package work

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// Clean implements Store. For the age it reads what was created before that time and is still there; for the number, the records of
// those owners that have more in all.
func (s *Redis) Clean(ctx context.Context, before time.Time, keep int) (removed int, err error) {
	owners, err := s.client.ZRangeByScore(ctx, redisOwners, &redis.ZRangeBy{Min: "(" + strconv.Itoa(keep), Max: "+inf"}).Result()
	if err != nil {
		return 0, fmt.Errorf("work: clean: %w", err)
	}
	for _, owner := range owners {
		for _, kind := range []Kind{Job, Saga} {
			n, err := removeSurplus(ctx, s, owner, kind, keep)
			if removed += n; err != nil {
				return removed, err
			}
		}
	}
	for after, more := "-", true; more; {
		places, err := s.client.ZRangeByLex(ctx, redisAll, &redis.ZRangeBy{Min: after, Max: "(" + place(before, ""), Count: cleanPage}).Result()
		if err != nil {
			return removed, fmt.Errorf("work: clean: %w", err)
		}
		ids := make([]string, len(places))
		for i, at := range places {
			ids[i], after = placed(at), "("+at
		}
		n, err := s.remove(ctx, ids, endedBefore(before))
		if removed += n; err != nil {
			return removed, err
		}
		more = len(places) == cleanPage
	}
	return removed, nil
}

// remove deletes each record by itself, if it is what it was when it was read.
func (s *Redis) remove(ctx context.Context, ids []string, still func(Record) bool) (removed int, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = redisRecord + id
	}
	values, err := s.client.MGet(ctx, keys...).Result()
	if err != nil {
		return 0, fmt.Errorf("work: clean: %w", err)
	}
	pipe := s.client.Pipeline()
	var deleted []*redis.Cmd
	for _, value := range values {
		text, there := value.(string)
		if !there {
			continue
		}
		r, err := decode([]byte(text))
		if err != nil {
			return 0, err
		}
		if still(r) {
			keys := []string{redisRecord + r.ID, redisKeys, redisAll, redisOpen, redisDue, redisOwners, redisOwner + r.OwnerID}
			deleted = append(deleted, s.delete.Eval(ctx, pipe, keys, text, r.ID, place(r.CreatedAt, r.ID), keyField(r), r.OwnerID))
		}
	}
	if len(deleted) == 0 {
		return 0, nil
	}
	_, err = pipe.Exec(ctx)
	for _, each := range deleted {
		if done, err := each.Bool(); err == nil && done {
			removed++
		}
	}
	if err != nil {
		err = fmt.Errorf("work: clean: %w", err)
	}
	return removed, err
}

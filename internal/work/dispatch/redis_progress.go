package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Progress implements Store, in one round trip.
func (r *Redis) Progress(ctx context.Context, holder string, next Consumer, deliveries []Delivery) error {
	moved, err := writeProgress(next)
	if err != nil {
		return fmt.Errorf("progress of consumer %s: %w", next.ID, err)
	}
	args := make([]any, 5, 5+len(deliveries))
	args[0], args[1], args[2], args[3], args[4] = next.ID, holder, next.Revision, moved, KeptDeliveries
	for _, d := range deliveries {
		record, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("progress of consumer %s: %w", next.ID, err)
		}
		args = append(args, record)
	}
	before, err := r.progress.Run(ctx, r.client, []string{redisMoved, redisLeases, redisLogs + next.ID}, args...).Int64()
	switch {
	case err != nil:
		return fmt.Errorf("progress: %w", err)
	case before == -2 && holder == "":
		return ErrUnknown
	case before < 0:
		return ErrLeaseLost
	}
	for i := range deliveries {
		deliveries[i].Number = before + int64(i) + 1
	}
	return nil
}

// Deliveries implements Store.
func (r *Redis) Deliveries(ctx context.Context, id string, before int64, limit int) ([]Delivery, error) {
	if limit <= 0 {
		return nil, nil // to Redis a count of 0 is none
	}
	from := "+inf"
	if before > 0 {
		from = "(" + strconv.FormatInt(before, 10)
	}
	members, err := r.client.ZRangeArgs(ctx, redis.ZRangeArgs{
		Key: redisLogs + id, ByScore: true, Rev: true, Start: from, Stop: "-inf", Count: int64(limit),
	}).Result()
	if err != nil {
		return nil, fmt.Errorf("deliveries: %w", err)
	}
	var deliveries []Delivery
	for _, member := range members {
		digits, record, _ := strings.Cut(member, ":")
		number, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return nil, errors.Join(errRedisReply, err)
		}
		d, err := readDelivery(number, []byte(record))
		if err != nil {
			return nil, err
		}
		deliveries = append(deliveries, d)
	}
	return deliveries, nil
}

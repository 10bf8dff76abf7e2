package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

// lookAtRedis is how long the start waits for Redis to say how it is set up.
const lookAtRedis = 2 * time.Second

// checkDurability refuses a Redis that may lose durable work: one that evicts keys, or writes nothing down. One that does not answer, or
// that does not say, is warned of only: work waits until it is there.
func checkDurability(ctx context.Context, client redis.UniversalClient, volatile bool, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, lookAtRedis)
	defer cancel()
	wrong, err := volatileNode(ctx, client)
	if cluster, ok := client.(*redis.ClusterClient); ok {
		err = cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
			return orFirst(volatileNode(ctx, node))
		})
		if refusal, found := errors.AsType[*volatileError](err); found {
			wrong, err = refusal, nil
		}
	}
	switch {
	case err != nil:
		log.WarnContext(ctx, "Redis does not say whether it keeps what it is told: set appendonly yes, and maxmemory-policy noeviction", "error", err)
		return nil
	case wrong == nil:
		return nil
	case volatile:
		log.WarnContext(ctx, "Redis may lose durable work, as --redis-volatile allows", "setting", wrong.setting)
		return nil
	}
	return fmt.Errorf("--redis-url: %w: set it otherwise, or say --redis-volatile", wrong)
}

// volatileError is a setting that loses data.
type volatileError struct{ setting string }

func (e *volatileError) Error() string {
	return "this Redis may lose durable work, since its " + e.setting
}

// volatileNode looks at the settings of one server.
func volatileNode(ctx context.Context, client redis.UniversalClient) (*volatileError, error) {
	if _, ok := client.(*redis.ClusterClient); ok {
		return nil, nil // each of its nodes has settings of its own
	}
	set := map[string]string{}
	for _, name := range []string{"maxmemory-policy", "maxmemory", "appendonly"} {
		values, err := client.ConfigGet(ctx, name).Result()
		if err != nil {
			return nil, err
		}
		set[name] = values[name]
	}
	switch {
	case set["appendonly"] == "no":
		return &volatileError{"appendonly is no"}, nil
	case set["maxmemory-policy"] != "noeviction" && set["maxmemory"] != "0":
		return &volatileError{"maxmemory-policy evicts keys"}, nil
	}
	return nil, nil
}

func orFirst(wrong *volatileError, err error) error {
	if wrong != nil {
		return wrong
	}
	return err
}

package work

import (
	"context"

	"github.com/cschleiden/go-workflows/backend"
	"github.com/cschleiden/go-workflows/backend/history"
	"github.com/cschleiden/go-workflows/diag"
	"github.com/redis/go-redis/v9"
)

// redisWorkers is the consumer group in which the library reads its streams of tasks.
const redisWorkers = "task-workers"

// acknowledging is the library's backend on Redis that acknowledges activities that are complete. The library deletes them from the stream, but
// the XACK of its script names another group, so that Redis goes on counting them as pending. Whoever takes over from a dead process would
// pass by all of them first, one a second.
type acknowledging struct {
	diag.Backend
	client redis.UniversalClient
}

// CompleteActivityTask implements backend.Backend. What cannot be acknowledged costs that second, and nothing else.
func (b *acknowledging) CompleteActivityTask(ctx context.Context, task *backend.ActivityTask, result *history.Event) error {
	err := b.Backend.CompleteActivityTask(ctx, task, result)
	if err == nil {
		_ = b.client.XAck(ctx, redisDrive+"task-stream:"+string(task.Queue)+":activities", redisWorkers, task.ID).Err()
	}
	return err
}

package work

import (
	"container/list"
	"context"
	"sync"

	"github.com/cschleiden/go-workflows/core"
	"github.com/cschleiden/go-workflows/workflow/executor"
)

// keptExecutors is for how many pieces of work the state of their workflow is kept between tasks: more than run at once, so that none
// is closed that is at work. The others are replayed.
const keptExecutors = 128

// executors keeps the latest used ones. Unlike the library's own cache it closes them when the engine ends: each is a goroutine.
type executors struct {
	mu    sync.Mutex
	byKey map[string]*list.Element
	order *list.List // of kept, the latest used first
}

type kept struct {
	key      string
	executor executor.WorkflowExecutor
}

func newExecutors() *executors {
	return &executors{byKey: map[string]*list.Element{}, order: list.New()}
}

func executorKey(instance *core.WorkflowInstance) string {
	return instance.InstanceID + "/" + instance.ExecutionID
}

// Store implements executor.Cache.
func (c *executors) Store(_ context.Context, instance *core.WorkflowInstance, e executor.WorkflowExecutor) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := executorKey(instance)
	if at, there := c.byKey[key]; there {
		if at.Value.(*kept).executor == e {
			c.order.MoveToFront(at)
			return nil
		}
		c.drop(at)
	}
	c.byKey[key] = c.order.PushFront(&kept{key, e})
	if c.order.Len() > keptExecutors {
		c.drop(c.order.Back())
	}
	return nil
}

// Get implements executor.Cache.
func (c *executors) Get(_ context.Context, instance *core.WorkflowInstance) (executor.WorkflowExecutor, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, there := c.byKey[executorKey(instance)]
	if !there {
		return nil, false, nil
	}
	c.order.MoveToFront(at)
	return at.Value.(*kept).executor, true, nil
}

// Evict implements executor.Cache.
func (c *executors) Evict(_ context.Context, instance *core.WorkflowInstance) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, there := c.byKey[executorKey(instance)]; there {
		c.drop(at)
	}
	return nil
}

// StartEviction implements executor.Cache: nothing is evicted by time.
func (c *executors) StartEviction(context.Context) {}

// close ends them all. Nobody may use them any more.
func (c *executors) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.order.Len() > 0 {
		c.drop(c.order.Back())
	}
}

func (c *executors) drop(at *list.Element) {
	gone := c.order.Remove(at).(*kept)
	delete(c.byKey, gone.key)
	gone.executor.Close()
}

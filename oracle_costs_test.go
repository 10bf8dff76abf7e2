package main

import (
	"context"
	"fmt"

	"tributary/internal/limit"
	"tributary/internal/operation"
)

// costs compares what operations did cost by the counts that an executor gives with what they did by their answers. It takes part in
// one operation after the other.
type costs struct {
	inner operation.Executor

	err                         error // of the last operation
	whole, counted, told, below int   // answers without errors; of these, those with counts; of these, where they tell; of these, where it is not the estimate
}

// watch looks at what an executor does next.
func (c *costs) watch(inner operation.Executor) operation.Executor {
	c.inner, c.err = inner, nil
	return c
}

// Execute runs an operation.
func (c *costs) Execute(ctx context.Context, op *operation.Prepared, denied operation.Denied) *operation.Result {
	result := c.inner.Execute(ctx, op, denied)
	if len(result.Errors) > 0 || result.Outcome != operation.Ran {
		return result
	}
	c.whole++
	if result.Counts == nil {
		return result
	}
	c.counted++
	counts := result.Counts
	counted, ok := op.Cost.Counted(op.Variables, len(counts), func(i int) limit.Place {
		return limit.Place{Above: counts[i].Above(), Key: counts[i].Key(), Type: counts[i].Type(), Objects: counts[i].Objects()}
	})
	if !ok {
		return result
	}
	c.told++
	actual := op.Cost.Actual(op.Variables, result.Data, nil)
	if actual != op.Cost.Estimate(op.Variables) {
		c.below++
	}
	if counted != actual {
		c.err = fmt.Errorf("by counts it did cost %d, by its answer %d:\n%s\n%+v", counted, actual, result.Data, counts)
	}
	return result
}

func (c *costs) add(other costs) {
	c.whole += other.whole
	c.counted += other.counted
	c.told += other.told
	c.below += other.below
}

// String tells what was compared.
func (c costs) String() string {
	return fmt.Sprintf("%d answers without errors: %d have counts, which tell the cost of %d, of which %d are not the estimate", c.whole, c.counted, c.told, c.below)
}

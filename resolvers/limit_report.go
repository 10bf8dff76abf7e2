package resolvers

import (
	"context"
	"math"
	"time"

	"tributary/graph"
	"tributary/internal/limit"
)

// rateLimit tells what the operation was charged and how its caller's buckets stand; nil where nothing is limited.
func rateLimit(ctx context.Context) *graph.RateLimit {
	charge := limit.ChargeFrom(ctx)
	if charge.Decision == nil {
		return nil
	}
	tightest := charge.Decision.Tightest()
	if tightest == nil {
		return nil
	}
	report := &graph.RateLimit{
		Cost:      number(charge.Requested),
		Limit:     number(tightest.Size),
		Remaining: number(tightest.Available),
		Used:      number(tightest.Size - tightest.Available),
		ResetAt:   time.Now().Add(tightest.Full),
	}
	for _, b := range charge.Decision.Buckets {
		report.Buckets = append(report.Buckets, &graph.RateLimitBucket{
			Name: b.Name, Unit: b.Unit, Size: number(b.Size), Available: number(b.Available), RestoreRate: b.RestoreRate,
		})
	}
	return report
}

// number fits into the graph's Int, which has 32 bits.
func number(n int64) int { return int(min(n, math.MaxInt32)) }

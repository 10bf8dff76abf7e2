package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync"
	"time"
)

// Spec is one measurement of one server.
type Spec struct {
	URL         string // of the GraphQL endpoint
	Requests    []Request
	Connections int
	Seed        uint64
	WarmUp      time.Duration // before the measurement; each connection asks at least once
	Window      time.Duration // of the measurement; requests under way at its end are waited for
	Meters      Meters
}

// Request is one request and what answers it. Which one is asked next is drawn by Zipf's law (s = 1.1): the first of n is the most popular.
type Request struct {
	Body     []byte
	Length   int    // of the answer
	Checksum uint32 // of the answer
}

// Result is what a measurement came to. It runs from a server at rest to a server at rest, so that every cost belongs to a counted request.
type Result struct {
	Requests uint64
	Elapsed  time.Duration
	P50, P99 time.Duration
	Readings
}

// grace is how long a phase may take beyond its time: the requests under way at its end belong to it.
const grace = time.Minute

// zipf is the exponent of the law by which requests are drawn.
const zipf = 1.1

// wireRequest is a request ready to be sent.
type wireRequest struct {
	index  int
	bytes  []byte
	length int
	sum    uint32
}

// Run connects, warms up, measures and disconnects. The first wrong answer ends it with an error: a fast wrong answer is not speed.
func Run(ctx context.Context, spec Spec) (Result, error) {
	target, err := url.Parse(spec.URL)
	if err != nil {
		return Result{}, fmt.Errorf("URL: %w", err)
	}
	if len(spec.Requests) == 0 || spec.Connections < 1 {
		return Result{}, errors.New("want at least one request and one connection")
	}
	requests := make([]wireRequest, len(spec.Requests))
	for i, r := range spec.Requests {
		requests[i] = wireRequest{index: i, bytes: encode(target.Host, target.Path, r.Body), length: r.Length, sum: r.Checksum}
	}
	loops := make([]*loop, spec.Connections)
	deadline := time.Now().Add(spec.WarmUp + spec.Window + 2*grace)
	for i := range loops {
		conn, err := dial(target.Host, deadline)
		if err != nil {
			return Result{}, fmt.Errorf("connect: %w", err)
		}
		defer conn.close()
		random := rand.New(rand.NewPCG(spec.Seed, uint64(i)))
		loops[i] = &loop{connection: conn, requests: requests, next: rand.NewZipf(random, zipf, 1, uint64(len(requests)-1))}
	}
	if _, err := phase(ctx, loops, spec.WarmUp); err != nil {
		return Result{}, fmt.Errorf("warm-up: %w", err)
	}
	return measure(ctx, loops, spec)
}

func measure(ctx context.Context, loops []*loop, spec Spec) (Result, error) {
	for _, l := range loops {
		l.latency = Histogram{}
	}
	before, err := spec.Meters.open(ctx)
	if err != nil {
		return Result{}, err
	}
	elapsed, err := phase(ctx, loops, spec.Window)
	if err != nil {
		return Result{}, err
	}
	after, err := spec.Meters.close(ctx)
	if err != nil {
		return Result{}, err
	}
	var latency Histogram
	for _, l := range loops {
		latency.Add(&l.latency)
	}
	return Result{
		Requests: latency.Count(), Elapsed: elapsed,
		P50: latency.Quantile(.5), P99: latency.Quantile(.99),
		Readings: after.since(before),
	}, nil
}

// phase runs all loops for a time and until their last answers have come. It returns how long that took.
func phase(ctx context.Context, loops []*loop, length time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	start := time.Now()
	until := start.Add(length)
	var group sync.WaitGroup
	for _, l := range loops {
		group.Go(func() {
			if err := l.run(ctx, until); err != nil {
				cancel(err)
			}
		})
	}
	group.Wait()
	return time.Since(start), context.Cause(ctx)
}

// loop is a connection that asks again as soon as it is answered.
type loop struct {
	*connection
	requests []wireRequest
	next     *rand.Zipf
	latency  Histogram
}

// run asks at least once, then until the time has come or ctx ends. A connection that waits for an answer when ctx ends is cut off.
func (l *loop) run(ctx context.Context, until time.Time) error {
	stop := context.AfterFunc(ctx, l.close)
	defer stop()
	for now := time.Now(); ; {
		if err := l.ask(&l.requests[l.next.Uint64()]); err != nil {
			return err
		}
		then := time.Now()
		l.latency.Record(then.Sub(now))
		now = then
		if !now.Before(until) || ctx.Err() != nil {
			return nil
		}
	}
}

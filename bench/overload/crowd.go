package main

import (
	"context"
	"encoding/json"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"tributary/bench/load"
)

// crowd is a load: callers who come at a rate, whatever becomes of those before them.
type crowd struct {
	URL         string
	Body        []byte
	Checksum    uint32 // of the answer that is whole
	Connections int
	Rate        float64 // requests a second; 0: each connection asks again when it is answered
	WarmUp      time.Duration
	Length      time.Duration
}

// outcome is what became of a crowd.
type outcome struct {
	Sent     int
	Good     int // answered whole
	Shed     int // answered with 503
	Partial  int // answered with 200 and anything else
	Failed   int // all others
	Elapsed  time.Duration
	P50, P99 time.Duration // of the good ones, since they were due
	ShedP99  time.Duration // of those that were shed
	AllShed  int           // with the warm-up, as is the next
	AllElse  int
}

// tally is the outcome of one connection.
type tally struct {
	outcome
	good, shed load.Histogram
}

// grace is how long the last answers may take.
const grace = 20 * time.Second

// gather makes the load of a crowd, as a process of its own: the crowd comes as JSON, the outcome goes as JSON.
func gather(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	var c crowd
	if err := json.NewDecoder(stdin).Decode(&c); err != nil {
		return err
	}
	out, err := c.run(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(out)
}

// run has the crowd come, and waits for the last answer. What is sent or answered during the warm-up, or after the end, is
// not counted.
func (c *crowd) run(ctx context.Context) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, c.WarmUp+c.Length+grace)
	defer cancel()
	deadline, _ := ctx.Deadline()
	var came atomic.Int64
	var group sync.WaitGroup
	tallies := make([]tally, c.Connections)
	start := time.Now()
	for i := range tallies {
		group.Go(func() { c.callers(deadline, start, &came, &tallies[i]) })
	}
	group.Wait()
	return c.sum(tallies), ctx.Err()
}

// callers has one connection serve one caller after the other, each when it is due or as soon as the connection is free. It is made
// for the first caller, since a server closes those on which nothing comes, and anew after a failure.
func (c *crowd) callers(deadline, start time.Time, came *atomic.Int64, t *tally) {
	var conn *load.Conn
	counted, end := start.Add(c.WarmUp), start.Add(c.WarmUp+c.Length)
	for {
		due := time.Now()
		if c.Rate > 0 {
			due = start.Add(time.Duration(float64(came.Add(1)) / c.Rate * float64(time.Second)))
			time.Sleep(min(time.Until(due), time.Until(end)))
		}
		sent := time.Now()
		if due.After(end) || sent.After(end) {
			break
		}
		if sent.After(counted) {
			t.Sent++
		}
		status, sum := "", uint32(0)
		var err error
		if conn == nil {
			conn, err = load.Dial(c.URL, c.Body, deadline)
		}
		if err == nil {
			status, sum, err = conn.Ask()
		}
		if err != nil && conn != nil {
			_ = conn.Close() // it is of no use any more
			conn = nil
		}
		t.note(status, sum == c.Checksum, due, counted, end)
	}
	if conn != nil {
		_ = conn.Close()
	}
}

// note counts what became of a request that was due at a time; an empty status is a failure.
func (t *tally) note(status string, whole bool, due, counted, end time.Time) {
	if status == "503" {
		t.AllShed++
	} else {
		t.AllElse++
	}
	now := time.Now()
	if now.Before(counted) || now.After(end) {
		return
	}
	took := now.Sub(due)
	switch {
	case status == "200" && whole:
		t.Good++
		t.good.Record(took)
	case status == "200":
		t.Partial++
	case status == "503":
		t.Shed++
		t.shed.Record(took)
	default:
		t.Failed++
	}
}

func (c *crowd) sum(tallies []tally) outcome {
	var all tally
	for i := range tallies {
		t := &tallies[i]
		all.Sent += t.Sent
		all.Good += t.Good
		all.Shed += t.Shed
		all.Partial += t.Partial
		all.Failed += t.Failed
		all.AllShed += t.AllShed
		all.AllElse += t.AllElse
		all.good.Add(&t.good)
		all.shed.Add(&t.shed)
	}
	out := all.outcome
	out.Elapsed = c.Length
	out.P50, out.P99, out.ShedP99 = all.good.Quantile(.5), all.good.Quantile(.99), all.shed.Quantile(.99)
	return out
}

// rate is what was answered whole in a second.
func (o outcome) rate() float64 { return float64(o.Good) / o.Elapsed.Seconds() }

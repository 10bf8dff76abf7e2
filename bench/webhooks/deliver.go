package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"time"

	"tributary/bench/process"
	"tributary/internal/event"
)

const (
	batchSize = 200
	subjects  = 200 // that events are about in turn: those of one subject go one after the other
)

// row is one of the table.
type row struct {
	store         string
	endpoints     int
	rate          float64
	each          time.Duration // processor time of the gateway
	latencies     []time.Duration
	idle, without float64 // share of a core
}

func (r row) String() string {
	slices.Sort(r.latencies)
	n := len(r.latencies)
	return fmt.Sprintf("| %s | %d | %.0f | %.2f ms | %.0f ms | %.0f ms | %.2f %% | %.2f %% | %.2f %% |", r.store, r.endpoints, r.rate, ms(r.each),
		ms(r.latencies[n/2]), ms(r.latencies[n*99/100]), 100*r.idle, 100*r.without, 100*(r.idle-r.without))
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// arrival is a delivery: of which event, and when it came.
type arrival struct {
	event int
	at    time.Time
}

// receivers are endpoints that take everything at once.
type receivers struct {
	servers  []*httptest.Server
	arrivals chan arrival
}

func newReceivers(n int) *receivers {
	r := &receivers{arrivals: make(chan arrival, 10_000)}
	for range n {
		r.servers = append(r.servers, httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			_, _ = io.Copy(io.Discard, request.Body) // one that is cut off comes again
			number, err := strconv.Atoi(strings.TrimPrefix(request.Header.Get(event.HeaderID), "follower:e"))
			if err == nil {
				r.arrivals <- arrival{number, time.Now()}
			}
			w.WriteHeader(http.StatusNoContent)
		})))
	}
	return r
}

func (r *receivers) close() {
	for _, server := range r.servers {
		server.CloseClientConnections()
		server.Close()
	}
}

// register makes the endpoints at the gateway.
func (r *receivers) register(ctx context.Context, key string) error {
	for _, server := range r.servers {
		body := `{"url": "` + server.URL + `", "events": ["follower.*"]}`
		err := send(ctx, "/api/webhooks", []byte(body), http.StatusCreated, map[string]string{"Content-Type": "application/json", "X-API-Key": key})
		if err != nil {
			return err
		}
	}
	return nil
}

// deliver has so many deliveries made, and measures them from the first event to the last delivery.
func (r *row) deliver(ctx context.Context, gateway *process.Process, to *receivers, deliveries int) error {
	ctx, cancel := context.WithTimeout(ctx, 5*patience)
	defer cancel()
	events := deliveries / len(to.servers)
	starts := make([]time.Time, events)
	before, err := process.CPUTime(gateway.PID())
	if err != nil {
		return err
	}
	begin := time.Now()
	for first := 0; first < events; first += batchSize {
		last := min(first+batchSize, events)
		if err := happen(ctx, first, last); err != nil {
			return errors.Join(err, ctx.Err())
		}
		for i := first; i < last; i++ {
			starts[i] = time.Now()
		}
		for len(to.arrivals) > 0 {
			r.note(<-to.arrivals, starts)
		}
	}
	for len(r.latencies) < events*len(to.servers) {
		select {
		case a := <-to.arrivals:
			r.note(a, starts)
		case <-ctx.Done():
			return fmt.Errorf("%d of %d deliveries came: %w", len(r.latencies), deliveries, ctx.Err())
		case <-gateway.Done():
			return gateway.Failure()
		}
	}
	took := time.Since(begin)
	after, err := process.CPUTime(gateway.PID())
	r.rate, r.each = float64(len(r.latencies))/took.Seconds(), (after-before)/time.Duration(len(r.latencies))
	return err
}

// note takes in a delivery; it may have overtaken the answer to its batch.
func (r *row) note(a arrival, starts []time.Time) {
	latency := time.Duration(0)
	if start := starts[a.event]; !start.IsZero() {
		latency = max(0, a.at.Sub(start))
	}
	r.latencies = append(r.latencies, latency)
}

// happen sends the events from first up to last in a signed batch.
func happen(ctx context.Context, first, last int) error {
	var batch []map[string]any
	for i := first; i < last; i++ {
		version := 1 + i/subjects
		batch = append(batch, map[string]any{
			"specversion": "1.0", "id": fmt.Sprint("e", i), "source": "/follower", "type": []string{"follower.removed", "follower.added"}[version%2],
			"subject": fmt.Sprintf("follow/f%d:u1", i%subjects), "time": time.Now().UTC(), "version": version, "sequence": strconv.Itoa(i + 1),
			"data": map[string]any{"followerId": fmt.Sprint("f", i%subjects), "followeeId": "u1"},
		})
	}
	body, err := json.Marshal(batch)
	if err != nil {
		return err
	}
	key, err := event.ParseSecret(secret)
	if err != nil {
		return err
	}
	id, now := fmt.Sprint("batch-", first), time.Now()
	return send(ctx, "/events", body, http.StatusOK, map[string]string{
		"Content-Type": "application/cloudevents-batch+json", event.HeaderSource: "follower", event.HeaderID: id,
		event.HeaderTimestamp: strconv.FormatInt(now.Unix(), 10), event.HeaderSignature: event.Sign(key, id, now, body),
	})
}

func send(ctx context.Context, path string, body []byte, status int, header map[string]string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+gatewayAddr+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body) // for the connection to be used again
	return expect(response, status)
}

// watch is the share of a core that a gateway uses which nobody asks for anything.
func watch(ctx context.Context, gateway *process.Process, during time.Duration) (float64, error) {
	pause := func(d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-gateway.Done():
			return gateway.Failure()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := pause(3 * time.Second); err != nil { // what went before is no part of it
		return 0, err
	}
	before, err := process.CPUTime(gateway.PID())
	if err == nil {
		err = pause(during)
	}
	if err != nil {
		return 0, err
	}
	after, err := process.CPUTime(gateway.PID())
	return (after - before).Seconds() / during.Seconds(), err
}

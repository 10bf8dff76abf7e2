// Package dispatchtest is the contract of dispatch.Store as a test that every implementation passes.
package dispatchtest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"tributary/internal/work/dispatch"
)

// Open opens the store of one place. The test it is given closes what it opens.
type Open func(t *testing.T) dispatch.Store

// Run holds an implementation to the contract. Each call of place gives a place where no consumers are yet; it may be opened several
// times, also at once, as by several processes.
func Run(t *testing.T, place func(t *testing.T) Open) {
	for name, test := range map[string]func(*store){
		"make": makes, "change": changes, "remove": removes, "refuse": refuses, "concurrent changes": changesConcurrently,
		"change against progress": changesAgainstProgress, "progress": moves, "progress is fenced": fences, "holder-less": writesOnly,
		"bound": forgetsOldDeliveries, "deliveries": pages, "lease": leases, "lease expires": leasesExpire,
		"lease many": leasesMany, "one holder": leasesOnce, "restart": outlivesRestart,
	} {
		t.Run(name, func(t *testing.T) {
			open := place(t)
			test(&store{T: t, Store: open(t), open: open})
		})
	}
}

// store is what the tests ask, with checks.
type store struct {
	*testing.T
	dispatch.Store
	open Open
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func consumer(id string) dispatch.Consumer {
	return dispatch.Consumer{
		ID: id, Types: []string{"post.*", "user.created"}, Config: json.RawMessage(`{"url":"https://a.example/\u2028"}`),
		State: dispatch.Active, LogID: "log", Position: 7, Until: 90, Of: "other", CreatedAt: noon,
	}
}

func delivery(position int64) dispatch.Delivery {
	return dispatch.Delivery{
		EventID: fmt.Sprint("e", position), Source: "post", Type: "post.created", Subject: "post/1", Position: position, Attempt: 2,
		At: noon, Took: 3 * time.Millisecond, Outcome: dispatch.Refused, Status: 500, Excerpt: `no: "ä"`, Problem: "STATUS_5XX",
		NextRetry: noon.Add(time.Minute),
	}
}

// mustMake makes consumers.
func (s *store) mustMake(ids ...string) (last dispatch.Consumer) {
	s.Helper()
	for _, id := range ids {
		last = s.mustChange(id, func(c *dispatch.Consumer) { *c = consumer(id) })
	}
	return last
}

// mustChange changes a consumer, or the zero one where there is none.
func (s *store) mustChange(id string, change func(*dispatch.Consumer)) dispatch.Consumer {
	s.Helper()
	kept, err := s.Change(s.Context(), id, func(c *dispatch.Consumer) (*dispatch.Consumer, error) {
		if c == nil {
			c = &dispatch.Consumer{}
		}
		change(c)
		return c, nil
	})
	if err != nil || kept == nil {
		s.Fatalf("change %s: %v %v", id, kept, err)
	}
	return *kept
}

// mustLease leases consumers and sees which ones were had.
func (s *store) mustLease(holder string, ttl time.Duration, want []string, ids ...string) {
	s.Helper()
	held, err := s.Lease(s.Context(), holder, ids, ttl)
	if err != nil || fmt.Sprint(held) != fmt.Sprint(want) {
		s.Fatalf("%s asks for %v and has %v, want %v: %v", holder, ids, held, want, err)
	}
}

func (s *store) mustProgress(holder string, next dispatch.Consumer, deliveries ...dispatch.Delivery) {
	s.Helper()
	if err := s.Progress(s.Context(), holder, next, deliveries); err != nil {
		s.Fatalf("progress of %s: %v", next.ID, err)
	}
}

func (s *store) all() []dispatch.Consumer {
	s.Helper()
	consumers, err := s.Consumers(s.Context())
	if err != nil {
		s.Fatalf("consumers: %v", err)
	}
	return consumers
}

// numbers are those of a page of deliveries.
func (s *store) numbers(id string, before int64, limit int) (numbers []int64) {
	s.Helper()
	deliveries, err := s.Deliveries(s.Context(), id, before, limit)
	if err != nil {
		s.Fatalf("deliveries: %v", err)
	}
	for _, d := range deliveries {
		numbers = append(numbers, d.Number)
	}
	return numbers
}

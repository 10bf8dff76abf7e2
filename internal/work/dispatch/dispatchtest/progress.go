package dispatchtest

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"tributary/internal/work/dispatch"
)

func moves(s *store) {
	c := s.mustMake("a")
	s.mustLease("h", time.Minute, []string{"a"}, "a")
	c.LogID, c.Position, c.State, c.Reason = "new", 9, dispatch.Failing, "R"
	c.Attempts, c.FailingSince, c.RetryAt = 4, noon, noon.Add(time.Hour)
	want := c
	c.Types, c.Config, c.Until, c.Of, c.Deliveries = nil, nil, 0, "", 50 // not moved by progress
	deliveries := []dispatch.Delivery{delivery(8), delivery(9)}
	if err := s.Progress(s.Context(), "h", c, deliveries); err != nil {
		s.Fatal(err)
	}
	if deliveries[0].Number != 1 || deliveries[1].Number != 2 {
		s.Errorf("numbers %d, %d", deliveries[0].Number, deliveries[1].Number)
	}
	want.Deliveries = 2
	if got := s.all()[0]; !reflect.DeepEqual(got, want) {
		s.Errorf("got %+v, want %+v", got, want)
	}
	got, err := s.Deliveries(s.Context(), "a", 0, 10)
	if err != nil || len(got) != 2 || !reflect.DeepEqual(got[1], deliveries[0]) || !reflect.DeepEqual(got[0], deliveries[1]) {
		s.Errorf("got %+v, want %+v: %v", got, deliveries, err)
	}
	s.mustProgress("h", want) // nothing but progress
	kept := s.mustChange("a", func(c *dispatch.Consumer) { c.Until = 0 })
	if kept.Deliveries != 2 || kept.Position != 9 || kept.State != dispatch.Failing {
		s.Errorf("a change has lost progress: %+v", kept)
	}
}

func fences(s *store) {
	c := s.mustMake("a")
	stale := c
	refused := func(why, holder string, next dispatch.Consumer) {
		s.Helper()
		before := s.all()
		next.Position = 1000
		if err := s.Progress(s.Context(), holder, next, []dispatch.Delivery{delivery(1)}); !errors.Is(err, dispatch.ErrLeaseLost) {
			s.Errorf("%s: %v", why, err)
		}
		if after := s.all(); !reflect.DeepEqual(after, before) || len(s.numbers("a", 0, 9)) != 0 {
			s.Errorf("%s: it moved to %+v", why, after)
		}
	}
	refused("nobody holds it", "h", c)
	s.mustLease("h", time.Minute, []string{"a"}, "a")
	refused("another one holds it", "other", c)
	c = s.mustChange("a", func(c *dispatch.Consumer) { c.Types = nil })
	refused("it has changed", "h", stale)
	s.mustLease("h", 0, nil, "a")
	refused("it was given back", "h", c)
	s.mustLease("h", time.Millisecond, []string{"a"}, "a")
	for { // the store's clock, which may be another machine's
		if held, _ := s.Lease(s.Context(), "third", []string{"a"}, time.Minute); len(held) == 1 {
			break
		}
	}
	refused("its lease ran out", "h", c)
	if err := s.Progress(s.Context(), "h", consumer("none"), nil); !errors.Is(err, dispatch.ErrLeaseLost) {
		s.Error("progress of nobody:", err)
	}
}

func writesOnly(s *store) {
	c := s.mustMake("a")
	s.mustLease("h", time.Minute, []string{"a"}, "a")
	moved := c
	moved.Position, moved.Revision, moved.State = 1000, 55, dispatch.Disabled
	s.mustProgress("", moved, delivery(3))
	c.Deliveries = 1
	if got := s.all()[0]; !reflect.DeepEqual(got, c) {
		s.Errorf("it moved to %+v", got)
	}
	s.mustProgress("h", c, delivery(8)) // it is not in the holder's way
	if got := fmt.Sprint(s.numbers("a", 0, 9)); got != "[2 1]" {
		s.Error(got)
	}
	if err := s.Progress(s.Context(), "", consumer("none"), []dispatch.Delivery{delivery(1)}); !errors.Is(err, dispatch.ErrUnknown) {
		s.Error("a delivery of nobody:", err)
	}
}

func forgetsOldDeliveries(s *store) {
	c := s.mustMake("a")
	s.mustMake("b")
	s.mustProgress("", dispatch.Consumer{ID: "b"}, delivery(1))
	const batch = 300
	for i := range 4 {
		deliveries := make([]dispatch.Delivery, batch)
		for j := range deliveries {
			deliveries[j] = delivery(int64(i*batch + j + 1))
		}
		s.mustProgress("", c, deliveries...)
	}
	got := s.numbers("a", 0, 2*dispatch.KeptDeliveries)
	if len(got) == 0 {
		s.Fatal("no deliveries are kept")
	}
	if len(got) != dispatch.KeptDeliveries || got[0] != 4*batch || got[len(got)-1] != 4*batch-dispatch.KeptDeliveries+1 {
		s.Errorf("%d deliveries are kept, from %d to %d", len(got), got[len(got)-1], got[0])
	}
	if got := s.numbers("b", 0, 9); len(got) != 1 {
		s.Error("the other one has", got)
	}
}

func pages(s *store) {
	c := s.mustMake("a")
	s.mustProgress("", c, delivery(1), delivery(2), delivery(3), delivery(4), delivery(5))
	for _, want := range []struct {
		before int64
		limit  int
		want   string
	}{
		{0, 2, "[5 4]"}, {4, 2, "[3 2]"}, {2, 2, "[1]"}, {1, 2, "[]"}, {0, 9, "[5 4 3 2 1]"}, {100, 1, "[5]"}, {0, 0, "[]"},
	} {
		if got := fmt.Sprint(s.numbers("a", want.before, want.limit)); got != want.want {
			s.Errorf("%d below %d: %s, want %s", want.limit, want.before, got, want.want)
		}
	}
	if got := s.numbers("none", 0, 9); len(got) != 0 {
		s.Error("of nobody:", got)
	}
}

func outlivesRestart(s *store) {
	c := s.mustMake("a")
	s.mustLease("h", time.Minute, []string{"a"}, "a")
	c.Position = 8
	s.mustProgress("h", c, delivery(8))
	before := s.all()
	again := &store{T: s.T, Store: s.open(s.T), open: s.open}
	if after := again.all(); !reflect.DeepEqual(after, before) {
		s.Errorf("got %+v, want %+v", after, before)
	}
	if got := fmt.Sprint(again.numbers("a", 0, 9)); got != "[1]" {
		s.Error(got)
	}
	again.mustLease("other", time.Minute, nil, "a")
	again.mustLease("h", time.Minute, []string{"a"}, "a")
}

package dispatchtest

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"tributary/internal/work/dispatch"
)

func makes(s *store) {
	if got := s.all(); len(got) != 0 {
		s.Fatal("a new store has", got)
	}
	kept := s.mustMake("b", "a", "c d:e")
	want := consumer("c d:e")
	want.Revision = 1
	if !reflect.DeepEqual(kept, want) {
		s.Errorf("made %+v, want %+v", kept, want)
	}
	var ids []string
	all := s.all()
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	if got := strings.Join(ids, ","); got != "b,a,c d:e" || !reflect.DeepEqual(all[2], want) {
		s.Errorf("in the order %s: %+v", got, all[len(all)-1])
	}
}

func changes(s *store) {
	s.mustMake("a", "b")
	kept := s.mustChange("a", func(c *dispatch.Consumer) {
		if c.Revision != 1 {
			s.Errorf("change sees revision %d", c.Revision)
		}
		c.ID, c.Revision, c.Deliveries = "x", 77, 78 // the store's own
		c.State, c.Reason, c.Types, c.Position = dispatch.Disabled, dispatch.ReasonByRequest, nil, 3
		c.Attempts, c.FailingSince, c.RetryAt = 2, noon, noon.Add(time.Second)
	})
	want := consumer("a")
	want.State, want.Reason, want.Types, want.Position = dispatch.Disabled, dispatch.ReasonByRequest, nil, 3
	want.Attempts, want.FailingSince, want.RetryAt, want.Revision = 2, noon, noon.Add(time.Second), 2
	if !reflect.DeepEqual(kept, want) || !reflect.DeepEqual(s.all()[0], want) {
		s.Errorf("kept %+v, and has %+v, want %+v", kept, s.all()[0], want)
	}
	if other := s.all()[1]; other.Revision != 1 || other.State != dispatch.Active {
		s.Errorf("the other one changed: %+v", other)
	}
}

func removes(s *store) {
	s.mustMake("a", "b")
	s.mustLease("h", time.Minute, []string{"a"}, "a")
	s.mustProgress("", dispatch.Consumer{ID: "a"}, delivery(1))
	s.mustProgress("", dispatch.Consumer{ID: "b"}, delivery(1), delivery(2))
	none := func(*dispatch.Consumer) (*dispatch.Consumer, error) { return nil, nil }
	for range 2 { // there need not be one
		if kept, err := s.Change(s.Context(), "a", none); kept != nil || err != nil {
			s.Fatal(kept, err)
		}
	}
	if all := s.all(); len(all) != 1 || all[0].ID != "b" {
		s.Error("left:", all)
	}
	if got := fmt.Sprint(s.numbers("a", 0, 9), s.numbers("b", 0, 9)); got != "[] [2 1]" {
		s.Error("deliveries left:", got)
	}
	kept := s.mustMake("a")
	if kept.Revision != 1 || kept.Deliveries != 0 || len(s.numbers("a", 0, 9)) != 0 {
		s.Errorf("one made anew has a past: %+v", kept)
	}
	s.mustLease("other", time.Minute, []string{"a"}, "a")
	if all := s.all(); all[len(all)-1].ID != "a" {
		s.Error("one made anew is the last")
	}
}

func refuses(s *store) {
	s.mustMake("a")
	before := s.all()
	refusal := errors.New("no")
	for _, id := range []string{"a", "b"} {
		kept, err := s.Change(s.Context(), id, func(c *dispatch.Consumer) (*dispatch.Consumer, error) {
			if (c == nil) != (id == "b") {
				s.Errorf("%s: change sees %v", id, c)
			}
			if c != nil {
				c.Position = 1000
			}
			return c, refusal
		})
		if err != refusal || kept != nil {
			s.Error(id, kept, err)
		}
	}
	if after := s.all(); !reflect.DeepEqual(after, before) {
		s.Errorf("it changed to %+v", after)
	}
}

// changesConcurrently has two openings count in one consumer.
func changesConcurrently(s *store) {
	s.mustMake("a")
	other := s.open(s.T)
	const each = 10
	var all sync.WaitGroup
	for i := range 4 {
		from := s.Store
		if i%2 == 1 {
			from = other
		}
		all.Go(func() {
			for range each {
				_, err := from.Change(s.Context(), "a", func(c *dispatch.Consumer) (*dispatch.Consumer, error) {
					c.Position++
					return c, nil
				})
				if err != nil {
					s.Error(err)
				}
			}
		})
	}
	all.Wait()
	if c := s.all()[0]; c.Position != 7+4*each || c.Revision != 1+4*each {
		s.Errorf("after %d changes: %+v", 4*each, c)
	}
}

// changesAgainstProgress sees that a change does not undo a progress that came in between, nor the other way round.
func changesAgainstProgress(s *store) {
	c := s.mustMake("a")
	s.mustLease("h", time.Minute, []string{"a"}, "a")
	other := s.open(s.T)
	var all sync.WaitGroup
	changed := make(chan struct{})
	all.Go(func() {
		defer close(changed)
		for range 10 {
			_, err := other.Change(s.Context(), "a", func(c *dispatch.Consumer) (*dispatch.Consumer, error) {
				c.Until++
				return c, nil
			})
			if err != nil {
				s.Error(err)
			}
		}
	})
	var moved int64
	for ended := false; !ended; {
		select {
		case <-changed:
			ended = true
		default:
		}
		c.Position++
		switch err := s.Progress(s.Context(), "h", c, []dispatch.Delivery{delivery(c.Position)}); {
		case err == nil:
			moved++
		case errors.Is(err, dispatch.ErrLeaseLost):
			c.Position--
			fresh := s.all()[0]
			if fresh.Position != c.Position {
				s.Errorf("a change moved the position from %d to %d", c.Position, fresh.Position)
			}
			c = fresh
		default:
			s.Fatal(err)
		}
	}
	all.Wait()
	got := s.all()[0]
	if got.Position != 7+moved || got.Deliveries != moved || got.Until != 100 || got.Revision != 11 {
		s.Errorf("after %d steps and 10 changes: %+v", moved, got)
	}
}

package worktest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tributary/internal/work"
)

// ended makes a record of an owner that was made and has ended as of numbers of seconds after noon.
func ended(id, owner string, begin, end int) work.Record {
	r := made(id, begin)
	r.OwnerID, r.State, r.EndedAt = owner, work.Completed, noon.Add(time.Duration(end)*time.Second)
	return r
}

func cleans(t *testing.T, s work.Store, before time.Time, keep, want int) {
	t.Helper()
	if n, err := s.Clean(t.Context(), before, keep); n != want || err != nil {
		t.Errorf("%d were removed, not %d: %v", n, want, err)
	}
}

// left checks which records there are, by every way to find them.
func left(t *testing.T, s work.Store, f work.Filter, want ...string) {
	t.Helper()
	if got, err := s.List(t.Context(), f, "", 1000); err != nil || !slices.Equal(ids(got), want) {
		t.Errorf("%+v: there are %v, not %v: %v", f, ids(got), want, err)
	}
}

func removesOld(t *testing.T, open Open) {
	s := open(t)
	a, b := ended("a", "u1", 0, 60), ended("b", "", 1, 20)
	a.Key, b.State = "k", work.Failed
	waiting := made("c", -1000)
	waiting.State, waiting.OwnerID = work.Waiting, "u1"
	create(t, s, a, b, ended("d", "u1", 2, 61), waiting)
	cleans(t, s, noon.Add(20*time.Second), 10, 0) // ended at that time, not before it
	cleans(t, s, noon.Add(61*time.Second), 10, 2)
	for _, id := range []string{"a", "b"} {
		if _, err := s.Get(t.Context(), id); !errors.Is(err, work.ErrUnknown) {
			t.Error(id, err)
		}
	}
	left(t, s, work.Filter{}, "d", "c")
	left(t, s, work.Filter{OwnerID: "u1"}, "d", "c")
	left(t, s, work.Filter{States: []work.State{work.Waiting}}, "c")
	a.ID, a.State, a.EndedAt = "again", work.Pending, time.Time{}
	create(t, s, a) // the key is free
	left(t, s, work.Filter{Due: true}, "again")
	left(t, s, work.Filter{OwnerID: "u1"}, "d", "again", "c")
}

// removesSurplus: the last to end are kept, not the last made; each kind of each owner for itself; what has not ended does not count.
func removesSurplus(t *testing.T, open Open) {
	s := open(t)
	var all []work.Record
	for i := range 5 {
		job, saga, other := ended(fmt.Sprint("j", i), "u1", i, 100-i), ended(fmt.Sprint("s", i), "u1", i, 200+i%2), ended(fmt.Sprint("o", i), "u2", i, 10+i)
		saga.Kind, saga.State = work.Saga, work.Compensated
		goes := made(fmt.Sprint("w", i), i)
		goes.OwnerID = "u1"
		all = append(all, job, saga, goes, ended(fmt.Sprint("n", i), "", i, i))
		if i < 3 {
			all = append(all, other)
		}
	}
	create(t, s, all...)
	cleans(t, s, noon.Add(-time.Hour), 5, 0)
	cleans(t, s, noon.Add(-time.Hour), 3, 4)
	left(t, s, work.Filter{Kind: work.Job, OwnerID: "u1", States: []work.State{work.Completed}}, "j2", "j1", "j0")
	left(t, s, work.Filter{Kind: work.Saga}, "s4", "s3", "s1")
	left(t, s, work.Filter{OwnerID: "u2"}, "o2", "o1", "o0")
	left(t, s, work.Filter{OwnerID: "u1", States: []work.State{work.Pending}}, "w4", "w3", "w2", "w1", "w0")
	if got, err := s.List(t.Context(), work.Filter{}, "", 100); err != nil || len(got) != len(all)-4 {
		t.Errorf("%v, %v", ids(got), err)
	}
	if _, err := s.Update(t.Context(), "j0", func(r *work.Record) error { r.State = work.Pending; return nil }); err != nil {
		t.Fatal(err)
	}
	cleans(t, s, noon.Add(-time.Hour), 2, 2) // a saga, and one of the other owner
	left(t, s, work.Filter{Kind: work.Job, OwnerID: "u1", States: []work.State{work.Completed}}, "j2", "j1")
	left(t, s, work.Filter{OwnerID: "u2"}, "o2", "o1")
	cleans(t, s, noon.Add(100*time.Second), 2, 9) // the two of either, and nobody's five
}

// removesMany has more to remove, of either reason, than is removed at a time.
func removesMany(t *testing.T, open Open) {
	const all = 450
	s := open(t)
	for i := range all {
		create(t, s, ended(fmt.Sprintf("a%03d", i), "u1", i, i), ended(fmt.Sprintf("b%03d", i), "", i, i))
	}
	cleans(t, s, noon.Add((all-2)*time.Second), 10, all-10+all-2+8)
	left(t, s, work.Filter{}, "b449", "a449", "b448", "a448")
}

// leavesReopened tries jobs again while two clean: none is lost that was tried again, and none is counted twice.
func leavesReopened(t *testing.T, open Open) {
	const all = 60
	stores := []work.Store{open(t), open(t)}
	for i := range all {
		r := ended(fmt.Sprintf("r%02d", i), "u1", i, i)
		r.State = work.Failed
		create(t, stores[0], r)
	}
	var wg sync.WaitGroup
	var removed [2]int
	for i, s := range stores {
		wg.Go(func() {
			var err error
			if removed[i], err = s.Clean(t.Context(), noon.Add(all/2*time.Second), all/3); err != nil {
				t.Error(err)
			}
		})
	}
	var again []string
	for i := all - 1; i >= 0; i -= 2 {
		id := fmt.Sprintf("r%02d", i)
		_, err := stores[0].Update(t.Context(), id, func(r *work.Record) error { r.State, r.EndedAt = work.Pending, time.Time{}; return nil })
		if err == nil {
			again = append(again, id)
		} else if !errors.Is(err, work.ErrUnknown) {
			t.Error(err)
		}
	}
	wg.Wait()
	left(t, stores[1], work.Filter{Due: true}, again...)
	if got, err := stores[1].List(t.Context(), work.Filter{}, "", all); err != nil || len(got)+removed[0]+removed[1] != all {
		t.Errorf("%d are left, %v were removed: %v", len(got), removed, err)
	}
}

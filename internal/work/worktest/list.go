package worktest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tributary/internal/work"
)

func ids(records []work.Record) []string {
	var all []string
	for _, r := range records {
		all = append(all, r.ID)
	}
	return all
}

func lists(t *testing.T, open Open) {
	s := open(t)
	a, b, c, d := made("a", 3), made("b", 1), made("c", 2), made("d", 2)
	a.OwnerID, c.OwnerID, b.Kind, b.Name, d.OwnerID = "u1", "u1", work.Saga, "deleteAccount.v1", "u10"
	create(t, s, a, b, c, d)
	for id, state := range map[string]work.State{"a": work.Completed, "c": work.Failed, "d": work.Running} {
		if _, err := s.Update(t.Context(), id, func(r *work.Record) error { r.State = state; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	check := func(f work.Filter, after string, limit int, want ...string) {
		t.Helper()
		if got, err := s.List(t.Context(), f, after, limit); err != nil || !slices.Equal(ids(got), want) {
			t.Errorf("%+v after %q: %v, %v, not %v", f, after, ids(got), err, want)
		}
	}
	check(work.Filter{}, "", 10, "a", "d", "c", "b")
	check(work.Filter{}, "", 2, "a", "d")
	check(work.Filter{}, "d", 2, "c", "b")
	check(work.Filter{}, "b", 2)
	check(work.Filter{}, "", 0)
	check(work.Filter{OwnerID: "u1"}, "", 10, "a", "c")
	check(work.Filter{OwnerID: "u1"}, "a", 10, "c")
	check(work.Filter{OwnerID: "u1", States: []work.State{work.Failed, work.Pending}}, "", 10, "c")
	check(work.Filter{States: []work.State{work.Running, work.Pending}}, "", 10, "d", "b")
	check(work.Filter{States: []work.State{work.Failed, work.Pending}}, "", 10, "c", "b")
	check(work.Filter{Kind: work.Saga}, "", 10, "b")
	check(work.Filter{Name: "export.v1"}, "", 10, "a", "d", "c")
	check(work.Filter{Name: "export.v1"}, "b", 10)
	check(work.Filter{Name: "none", Kind: work.Job}, "", 10)
	// A job that is tried again is open again.
	if _, err := s.Update(t.Context(), "c", func(r *work.Record) error { r.State = work.Pending; return nil }); err != nil {
		t.Fatal(err)
	}
	check(work.Filter{States: []work.State{work.Pending}}, "", 10, "c", "b")
}

// listsDue: what was not taken up, or waits though it is to be taken back.
func listsDue(t *testing.T, open Open) {
	s := open(t)
	a, b, c := made("a", 0), made("b", 1), made("c", 2)
	b.State, c.State, c.OwnerID = work.Waiting, work.Completed, "u1"
	create(t, s, a, b, c)
	check := func(want ...string) {
		t.Helper()
		if got, err := s.List(t.Context(), work.Filter{Due: true}, "", 10); err != nil || !slices.Equal(ids(got), want) {
			t.Errorf("%v, %v, not %v", ids(got), err, want)
		}
	}
	become := func(id string, state work.State, decision work.Decision) {
		t.Helper()
		if _, err := s.Update(t.Context(), id, func(r *work.Record) error { r.State, r.Decision = state, decision; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	check("a")
	become("b", work.Waiting, work.TakeBack)
	check("b", "a")
	become("c", work.Pending, work.Proceed)
	check("c", "b", "a")
	become("a", work.Running, work.TakeBack)
	become("c", work.Waiting, work.Proceed)
	check("b")
	become("c", work.Pending, work.TakeBack)
	if got, err := s.List(t.Context(), work.Filter{Due: true, OwnerID: "u1"}, "", 10); err != nil || !slices.Equal(ids(got), []string{"c"}) {
		t.Errorf("of an owner: %v, %v", ids(got), err)
	}
	become("b", work.Cancelled, work.TakeBack)
	become("c", work.Compensated, work.TakeBack)
	check()
}

// pages goes through more records than are read at a time, with a filter that leaves out most.
func pages(t *testing.T, open Open) {
	s := open(t)
	const all = 450
	for i := range all {
		r := made(fmt.Sprintf("r%03d", i), 0)
		r.CreatedAt = noon.Add(time.Duration(i/10) * time.Microsecond) // ten at a time: then the ids order them
		if i%50 == 0 {
			r.Name = "rare.v1"
		}
		create(t, s, r)
	}
	if got, err := s.List(t.Context(), work.Filter{Name: "rare.v1"}, "", 7); err != nil || len(got) != 7 || got[0].ID != "r400" || got[6].ID != "r100" {
		t.Errorf("%v, %v", ids(got), err)
	}
	after, seen := "", all
	for {
		got, err := s.List(t.Context(), work.Filter{}, after, 33)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range got {
			if seen--; r.ID != fmt.Sprintf("r%03d", seen) {
				t.Fatalf("%s stands where r%03d should", r.ID, seen)
			}
		}
		if len(got) < 33 {
			break
		}
		after = got[len(got)-1].ID
	}
	if seen != 0 {
		t.Errorf("%d are missing", seen)
	}
}

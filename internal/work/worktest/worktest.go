// Package worktest is the contract of work.Store as a test that every implementation passes.
package worktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tributary/internal/work"
)

// Open opens the store of one place, again if it has been opened before. It is closed with the test.
type Open func(t *testing.T) work.Store

// Run holds an implementation to the contract. Each call of place gives a place where nothing is yet.
func Run(t *testing.T, place func(t *testing.T) Open) {
	for name, test := range map[string]func(t *testing.T, open Open){
		"fidelity": keepsEverything, "unknown": knowsUnknown, "key": onePerKey, "update": updates, "bounds": hasBounds,
		"fixed": keepsIdentity, "writers": allTakeEffect, "list": lists, "pages": pages, "due": listsDue,
		"old": removesOld, "surplus": removesSurplus, "many": removesMany, "reopened": leavesReopened,
	} {
		t.Run(name, func(t *testing.T) { test(t, place(t)) })
	}
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// made makes a record as of a number of seconds after noon.
func made(id string, second int) work.Record {
	at := noon.Add(time.Duration(second) * time.Second)
	return work.Record{
		ID: id, Kind: work.Job, Name: "export.v1", State: work.Pending, Steps: []work.Step{{Name: "one", State: work.StepPending}},
		Attempts: 1, CreatedAt: at, UpdatedAt: at,
	}
}

func create(t *testing.T, s work.Store, records ...work.Record) {
	t.Helper()
	for _, r := range records {
		if _, created, err := s.Create(t.Context(), r); err != nil || !created {
			t.Fatalf("create %s: %v, %v", r.ID, created, err)
		}
	}
}

func same(t *testing.T, what string, got, want work.Record) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func keepsEverything(t *testing.T, open Open) {
	s := open(t)
	failure := &work.Failure{Code: "TIMEOUT", Message: "too \"long\" \u2028 é", At: noon}
	r := made("a", 0)
	r.Kind, r.Key, r.OwnerID, r.ActorID, r.State, r.Decision = work.Saga, "k:1", "u1", "u2", work.Stuck, work.Proceed
	r.Input, r.Output = json.RawMessage(`{"x":[],"y":{},"n":9007199254740993,"f":1.50}`), json.RawMessage(`[]`)
	r.Steps = append(r.Steps, work.Step{Name: "two", State: work.StepUndoing, Attempts: 3, Undos: 2, Failure: failure, At: noon})
	r.Done, r.Total, r.Failure, r.RunAt, r.Troubled, r.Attempts = 1<<60, 1<<61, failure, noon, noon.Add(1), 2
	r.EndedAt, r.Announced = noon.Add(time.Hour), 1
	kept, created, err := s.Create(t.Context(), r)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	r.Revision = 1
	same(t, "created", kept, r)
	got, err := open(t).Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "read by another", got, r)
	got, err = s.Update(t.Context(), "a", func(r *work.Record) error { r.Output, r.Steps[1].Failure = nil, nil; return nil })
	if err != nil {
		t.Fatal(err)
	}
	r.Revision, r.Output, r.Steps[1].Failure = 2, nil, nil
	same(t, "updated", got, r)
	got, err = open(t).Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "read after the update", got, r)
}

func knowsUnknown(t *testing.T, open Open) {
	s := open(t)
	if _, err := s.Get(t.Context(), "x"); !errors.Is(err, work.ErrUnknown) {
		t.Error(err)
	}
	if _, err := s.Update(t.Context(), "x", func(*work.Record) error { return nil }); !errors.Is(err, work.ErrUnknown) {
		t.Error(err)
	}
	if n, err := s.Clean(t.Context(), noon, 1); n != 0 || err != nil {
		t.Error(n, err)
	}
	create(t, s, made("a", 0))
	if got, err := s.List(t.Context(), work.Filter{}, "x", 10); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
	if _, _, err := s.Create(t.Context(), made("a", 1)); err == nil {
		t.Error("an id is given twice")
	}
}

// onePerKey has eight writers want one key at once, through two handles.
func onePerKey(t *testing.T, open Open) {
	stores := []work.Store{open(t), open(t)}
	ids := make([]string, 8)
	var news [8]bool
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			r := made(fmt.Sprint("r", i), i)
			r.Key = "same"
			kept, created, err := stores[i%2].Create(t.Context(), r)
			if err != nil {
				t.Error(err)
			}
			ids[i], news[i] = kept.ID, created
		})
	}
	wg.Wait()
	count := 0
	for i := range ids {
		if news[i] {
			count++
		}
		if ids[i] != ids[0] || news[i] != (ids[i] == fmt.Sprint("r", i)) {
			t.Errorf("writer %d got %s, created %v", i, ids[i], news[i])
		}
	}
	if all, err := stores[0].List(t.Context(), work.Filter{}, "", 100); count != 1 || len(all) != 1 || err != nil {
		t.Errorf("%d were created, %d are there, %v", count, len(all), err)
	}
	other := made("other", 0) // the same key under another name; names and keys are not run together
	other.Name, other.Key = "export.v1:s", "ame"
	create(t, stores[0], other)
	other.ID, other.Name, other.Key = "third", "export.v2", "same"
	create(t, stores[0], other, made("none", 0), made("none2", 0))
}

func updates(t *testing.T, open Open) {
	s := open(t)
	create(t, s, made("a", 0))
	refusal := errors.New("no")
	if _, err := s.Update(t.Context(), "a", func(r *work.Record) error { r.Done = 7; r.Steps[0].Attempts = 9; return refusal }); !errors.Is(err, refusal) {
		t.Error(err)
	}
	same2 := func(r *work.Record) error { r.RunAt = time.Time{}; return nil }
	if r, err := s.Update(t.Context(), "a", same2); err != nil || r.Revision != 1 || r.Done != 0 || r.Steps[0].Attempts != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	r, err := s.Update(t.Context(), "a", func(r *work.Record) error { r.Steps[0].State, r.Revision = work.StepRunning, 77; return nil })
	if err != nil || r.Revision != 2 || r.Steps[0].State != work.StepRunning {
		t.Errorf("%+v, %v", r, err)
	}
}

func hasBounds(t *testing.T, open Open) {
	s := open(t)
	for what, exceed := range map[string]func(*work.Record){
		"input":  func(r *work.Record) { r.Input = json.RawMessage(`"` + strings.Repeat("x", work.MaxPayload-1) + `"`) },
		"output": func(r *work.Record) { r.Output = json.RawMessage(`"` + strings.Repeat("x", work.MaxPayload-1) + `"`) },
		"steps":  func(r *work.Record) { r.Steps = make([]work.Step, work.MaxSteps+1) },
	} {
		r := made("new", 0)
		exceed(&r)
		if _, _, err := s.Create(t.Context(), r); !errors.Is(err, work.ErrTooLarge) {
			t.Errorf("create with too much %s: %v", what, err)
		}
		create(t, s, made(what, 0))
		if _, err := s.Update(t.Context(), what, func(r *work.Record) error { exceed(r); return nil }); !errors.Is(err, work.ErrTooLarge) {
			t.Errorf("update with too much %s: %v", what, err)
		}
	}
	r := made("full", 0)
	r.Input, r.Steps = json.RawMessage(`"`+strings.Repeat("x", work.MaxPayload-2)+`"`), make([]work.Step, work.MaxSteps)
	create(t, s, r)
}

func keepsIdentity(t *testing.T, open Open) {
	s := open(t)
	create(t, s, made("a", 0))
	for what, change := range map[string]func(*work.Record){
		"id": func(r *work.Record) { r.ID = "b" }, "name": func(r *work.Record) { r.Name = "b" }, "key": func(r *work.Record) { r.Key = "b" },
		"owner": func(r *work.Record) { r.OwnerID = "b" }, "creation": func(r *work.Record) { r.CreatedAt = noon.Add(time.Hour) },
	} {
		if _, err := s.Update(t.Context(), "a", func(r *work.Record) error { change(r); return nil }); !errors.Is(err, work.ErrFixed) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// allTakeEffect has writers count up one record, each knowing its own step.
func allTakeEffect(t *testing.T, open Open) {
	const writers, each = 6, 15
	r := made("a", 0)
	r.Steps = make([]work.Step, writers)
	stores := []work.Store{open(t), open(t)}
	create(t, stores[0], r)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for range each {
				_, err := stores[i%2].Update(t.Context(), "a", func(r *work.Record) error { r.Done++; r.Steps[i].Attempts++; return nil })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got, err := stores[0].Get(t.Context(), "a")
	lost := slices.ContainsFunc(got.Steps, func(s work.Step) bool { return s.Attempts != each })
	if err != nil || got.Done != writers*each || got.Revision != writers*each+1 || lost {
		t.Errorf("%+v, %v", got, err)
	}
}

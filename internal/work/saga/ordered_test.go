package saga_test

import (
	"errors"
	"testing"
	"time"

	"tributary/internal/work"
	"tributary/internal/work/saga"
)

// TestWhoOrderedADeletionMayTakeItBack: an account its own order, an admin any.
func TestWhoOrderedADeletionMayTakeItBack(t *testing.T) {
	s := newScene(t, time.Hour)
	s.run("engine", s.engine.Run)
	if _, err := s.accounts.RestoreOwnAccount(t.Context(), s.ann); !errors.Is(err, saga.ErrNotDeleting) {
		t.Errorf("before any: %v", err)
	}
	for _, actor := range []string{s.joe, ""} { // an API key is nobody
		r, err := s.accounts.DeleteAccount(t.Context(), s.ann, actor)
		if err != nil {
			t.Fatal(err)
		}
		s.until(r.ID, in(work.Waiting))
		if _, err := s.accounts.RestoreOwnAccount(t.Context(), s.ann); !errors.Is(err, saga.ErrOrderedByOther) {
			t.Errorf("ordered by %q: %v", actor, err)
		}
		if _, err := s.accounts.RestoreAccount(t.Context(), s.ann); err != nil {
			t.Fatal(err)
		}
		s.until(r.ID, ended)
		if _, err := s.accounts.RestoreOwnAccount(t.Context(), s.ann); !errors.Is(err, saga.ErrNotDeleting) {
			t.Errorf("restored: %v", err)
		}
	}
	r := s.deletion()
	s.until(r.ID, in(work.Waiting))
	if _, err := s.accounts.RestoreOwnAccount(t.Context(), s.ann); err != nil {
		t.Fatal(err)
	}
	if r = s.until(r.ID, ended); r.State != work.Compensated {
		t.Errorf("%+v", r)
	}
}

package saga_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tributary/internal/work"
	"tributary/internal/work/saga"
)

func (s *scene) deletion() work.Record {
	s.Helper()
	r, err := s.accounts.DeleteAccount(s.Context(), s.ann, s.ann)
	if err != nil {
		s.Fatal(err)
	}
	return r
}

func TestAnAccountIsErased(t *testing.T) {
	s := newScene(t, 0)
	s.heard("user/" + s.ann)
	s.heard("follow/" + s.eve + ":" + s.ann)
	s.heard("comment/" + s.comment(s.posts[2], s.ann))
	if len(s.holding("ann_erased@example.org")) < 2 {
		t.Fatal("nothing to erase")
	}
	s.run("engine", s.engine.Run)
	r := s.until(s.deletion().ID, ended)
	if r.State != work.Completed {
		t.Fatalf("%+v", r)
	}
	for _, text := range []string{"ann_erased", "of " + s.ann} {
		if files := s.holding(text); len(files) > 0 {
			t.Errorf("%q is still in %v", text, files)
		}
	}
	if len(s.erased) != 1 || s.erased[0] != s.ann {
		t.Errorf("the rest: %v", s.erased)
	}
	if left := s.holding("said by " + s.ann); len(left) != 1 || !strings.HasPrefix(left[0], "comment.db") {
		t.Errorf("what was said stands in %v", left) // in the comments, which nobody is named at any more
	}
	if _, err := s.accounts.RestoreAccount(t.Context(), s.ann); !errors.Is(err, saga.ErrTooLate) {
		t.Errorf("restore: %v", err)
	}
	if _, err := s.accounts.DeleteAccount(t.Context(), s.ann, s.ann); !errors.Is(err, saga.ErrUnknownUser) {
		t.Errorf("once more: %v", err)
	}
}

func TestADeletionIsTakenBack(t *testing.T) {
	s := newScene(t, time.Hour)
	before := s.state()
	s.run("engine", s.engine.Run)
	for range 2 { // it can be begun again
		r := s.deletion()
		if _, err := s.accounts.DeleteAccount(t.Context(), s.ann, s.ann); !errors.Is(err, saga.ErrAlreadyDeleting) {
			t.Errorf("twice: %v", err)
		}
		if _, err := s.accounts.MergeAccounts(t.Context(), s.bob, s.ann, s.joe); !errors.Is(err, saga.ErrBusy) {
			t.Errorf("merge into what is deleted: %v", err)
		}
		r = s.until(r.ID, in(work.Waiting))
		if !r.RunAt.After(time.Now().Add(50 * time.Minute)) {
			t.Errorf("it goes on at %v", r.RunAt)
		}
		if len(s.holding("ann_erased@example.org")) == 0 {
			t.Error("erased before its time")
		}
		if _, err := s.accounts.RestoreAccount(t.Context(), s.ann); err != nil {
			t.Fatal(err)
		}
		if r = s.until(r.ID, ended); r.State != work.Compensated {
			t.Errorf("%+v", r)
		}
		s.same(before, s.state())
		if _, err := s.accounts.RestoreAccount(t.Context(), s.ann); !errors.Is(err, saga.ErrNotDeleting) {
			t.Errorf("restore of what is restored: %v", err)
		}
	}
}

// TestAFailingDeletionLeavesNothing has each step fail for longer than it is tried, without being done and with its answer lost.
func TestAFailingDeletionLeavesNothing(t *testing.T) {
	s := newScene(t, time.Hour)
	s.run("engine", s.engine.Run)
	before := s.state()
	for _, verb := range []string{"/freeze", "/hide", "/anonymise", "/remove"} {
		for name, how := range map[string]verdict{"down": down, "lost": lost} {
			t.Run(strings.Trim(verb, "/")+" "+name, func(t *testing.T) {
				s.failing(func(line string) verdict {
					if strings.HasSuffix(line, verb) {
						return how
					}
					return passes
				})
				r := s.deletion()
				r = s.until(r.ID, ended)
				s.failing(nil)
				if r.State != work.Compensated || r.Failure == nil || r.Failure.Code != "SERVICE_UNAVAILABLE" || strings.Contains(r.Failure.Message, "127.0.0.1") {
					t.Errorf("%+v %+v", r, r.Failure)
				}
				s.same(before, s.state())
			})
		}
	}
}

func TestAFrozenAccountStaysFrozen(t *testing.T) {
	s := newScene(t, time.Hour)
	s.do("POST", "user", "/users/"+s.ann+"/freeze", nil)
	before := s.state()
	s.run("engine", s.engine.Run)
	s.until(s.deletion().ID, in(work.Waiting))
	r, err := s.accounts.RestoreAccount(t.Context(), s.ann)
	if err != nil {
		t.Fatal(err)
	}
	s.until(r.ID, ended)
	s.same(before, s.state())
}

// TestADeletedAccountStaysDeleted has somebody delete the account during the grace period.
func TestADeletedAccountStaysDeleted(t *testing.T) {
	s := newScene(t, time.Hour)
	s.run("engine", s.engine.Run)
	s.until(s.deletion().ID, in(work.Waiting))
	s.do("DELETE", "user", "/users/"+s.ann, nil)
	r, err := s.accounts.RestoreAccount(t.Context(), s.ann)
	if err != nil {
		t.Fatal(err)
	}
	if r = s.until(r.ID, ended); r.State != work.Compensated {
		t.Errorf("%+v", r)
	}
	if found := s.do("GET", "user", "/users?ids="+s.ann, nil)["items"].([]any); len(found) > 0 {
		t.Errorf("it is back: %v", found)
	}
}

func TestAnUnknownAccount(t *testing.T) {
	s := newScene(t, time.Hour)
	if _, err := s.accounts.DeleteAccount(t.Context(), "nobody", s.ann); !errors.Is(err, saga.ErrUnknownUser) {
		t.Error(err)
	}
	if _, err := s.accounts.RestoreAccount(t.Context(), s.ann); !errors.Is(err, saga.ErrNotDeleting) {
		t.Error(err)
	}
	r, _, err := s.engine.Start(t.Context(), work.Order{Name: "deleteAccount.v1", OwnerID: "nobody", Input: map[string]string{"userId": "nobody", "purgeAt": "2000-01-01T00:00:00Z"}})
	if err != nil {
		t.Fatal(err)
	}
	s.run("engine", s.engine.Run)
	if r = s.until(r.ID, ended); r.State != work.Compensated || r.Failure.Code != "NOT_FOUND" || r.Steps[1].Attempts != 1 {
		t.Errorf("%+v %+v", r, r.Failure)
	}
}

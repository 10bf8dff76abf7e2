package saga_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"tributary/internal/work"
	"tributary/internal/work/saga"
)

func TestAccountsAreMerged(t *testing.T) {
	s := newScene(t, time.Hour)
	s.run("engine", s.engine.Run)
	r, err := s.accounts.MergeAccounts(t.Context(), s.ann, s.bob, s.joe)
	if err != nil {
		t.Fatal(err)
	}
	if r = s.until(r.ID, ended); r.State != work.Completed {
		t.Fatalf("%+v %+v", r, r.Failure)
	}
	if found := s.do("GET", "user", "/users?ids="+s.ann, nil)["items"].([]any); len(found) > 0 {
		t.Errorf("the source is there: %v", found)
	}
	count := func(service, path, id, member string) (n float64) {
		found := s.do("GET", service, path+id, nil)["counts"].(map[string]any)[id]
		if member == "" {
			return found.(float64)
		}
		return found.(map[string]any)[member].(float64)
	}
	for what, counts := range map[string][2]float64{
		"posts":     {count("post", "/posts/counts?visibility=author&authorIds=", s.ann, ""), count("post", "/posts/counts?visibility=author&authorIds=", s.bob, "")},
		"comments":  {count("comment", "/comments/counts?authorIds=", s.ann, ""), count("comment", "/comments/counts?authorIds=", s.bob, "")},
		"followers": {count("follower", "/counts?userIds=", s.ann, "followers"), count("follower", "/counts?userIds=", s.bob, "followers")},
		"following": {count("follower", "/counts?userIds=", s.ann, "following"), count("follower", "/counts?userIds=", s.bob, "following")},
	} {
		want := map[string]float64{"posts": 3, "comments": 4, "followers": 2, "following": 1}[what]
		if counts != [2]float64{0, want} {
			t.Errorf("%s: %v, want %v", what, counts, want)
		}
	}
	if _, err := s.accounts.MergeAccounts(t.Context(), s.ann, s.bob, s.joe); !errors.Is(err, saga.ErrUnknownUser) {
		t.Errorf("once more: %v", err)
	}
}

func TestAFailingMergeLeavesNothing(t *testing.T) {
	s := newScene(t, time.Hour)
	s.run("engine", s.engine.Run)
	before := s.state()
	for _, path := range []string{"POST /users/" + s.ann + "/freeze", "POST /posts/by-author/", "POST /comments/by-author/", "POST /users/" + s.ann + "/transfer"} {
		for name, how := range map[string]verdict{"down": down, "lost": lost} {
			t.Run(name+" "+path, func(t *testing.T) {
				s.failing(func(line string) verdict {
					if strings.HasPrefix(line, path) && !strings.HasSuffix(line, "/restore") {
						return how
					}
					return passes
				})
				r, err := s.accounts.MergeAccounts(t.Context(), s.ann, s.bob, s.joe)
				if err != nil {
					t.Fatal(err)
				}
				r = s.until(r.ID, ended)
				s.failing(nil)
				if r.State != work.Compensated {
					t.Errorf("%+v", r)
				}
				s.same(before, s.state())
			})
		}
	}
}

func TestMergesThatAreRefused(t *testing.T) {
	s := newScene(t, time.Hour)
	for name, test := range map[string]struct {
		source, target string
		want           error
	}{
		"itself":         {s.ann, s.ann, saga.ErrSameAccount},
		"unknown source": {"nobody", s.ann, saga.ErrUnknownUser},
		"unknown target": {s.ann, "nobody", saga.ErrUnknownTarget},
	} {
		if _, err := s.accounts.MergeAccounts(t.Context(), test.source, test.target, s.joe); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.accounts.MergeAccounts(t.Context(), s.ann, s.bob, s.joe); err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]string{{s.eve, s.bob}, {s.eve, s.ann}, {s.bob, s.eve}, {s.ann, s.eve}, {s.ann, s.bob}} {
		if _, err := s.accounts.MergeAccounts(t.Context(), pair[0], pair[1], s.joe); !errors.Is(err, saga.ErrBusy) {
			t.Errorf("beside another merge: %v", err)
		}
	}
	for _, id := range []string{s.ann, s.bob} {
		if _, err := s.accounts.DeleteAccount(t.Context(), id, id); !errors.Is(err, saga.ErrBusy) {
			t.Errorf("deletion beside a merge: %v", err)
		}
	}
}

// TestOneSagaAtATime starts many sagas about two accounts at once: one of them goes on.
func TestOneSagaAtATime(t *testing.T) {
	s := newScene(t, time.Hour)
	s.run("engine", s.engine.Run)
	var all sync.WaitGroup
	var mu sync.Mutex
	var begun []work.Record
	for i := range 9 {
		all.Go(func() {
			var r work.Record
			var err error
			switch i % 3 {
			case 0:
				r, err = s.accounts.DeleteAccount(t.Context(), s.ann, s.ann)
			case 1:
				r, err = s.accounts.DeleteAccount(t.Context(), s.bob, s.bob)
			default:
				r, err = s.accounts.MergeAccounts(t.Context(), s.ann, s.bob, s.joe)
			}
			if err == nil {
				mu.Lock()
				begun = append(begun, r)
				mu.Unlock()
			} else if !errors.Is(err, saga.ErrBusy) && !errors.Is(err, saga.ErrAlreadyDeleting) && !errors.Is(err, saga.ErrUnknownUser) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	deletions, merges := 0, 0
	for _, r := range begun {
		switch r = s.until(r.ID, func(r work.Record) bool { return r.State.Ended() || r.State == work.Waiting }); {
		case r.State == work.Waiting:
			deletions++
		case r.State == work.Completed:
			merges++
		case r.Failure == nil || r.Failure.Code != "BUSY":
			t.Errorf("%+v", r.Failure)
		}
	}
	if deletions+merges == 0 || merges > 1 || merges == 1 && deletions > 1 || deletions > 2 {
		t.Errorf("%d deletions and %d merges of %d", deletions, merges, len(begun))
	}
}

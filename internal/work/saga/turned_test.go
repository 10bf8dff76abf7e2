package saga_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tributary/internal/work"
)

// TestADeletionIsTakenBackBeforeItsGrace restores an account while it is still being taken out of sight, during each step, however
// that ends.
func TestADeletionIsTakenBackBeforeItsGrace(t *testing.T) {
	s := newScene(t, time.Hour)
	s.run("engine", s.engine.Run)
	before := s.state()
	for i, verb := range []string{"/freeze", "/hide", "/anonymise", "/remove"} {
		for _, how := range []verdict{passes, down, lost}[i%2 : i%2+2] { // not each with each, which takes long
			t.Run(fmt.Sprint(strings.Trim(verb, "/"), " ", how), func(t *testing.T) {
				reached, gate := make(chan struct{}), make(chan struct{})
				first := sync.OnceFunc(func() {
					close(reached)
					<-gate
				})
				s.failing(func(line string) verdict {
					if !strings.HasSuffix(line, verb) {
						return passes
					}
					first()
					return how
				})
				r := s.deletion()
				<-reached
				turned, err := s.accounts.RestoreAccount(t.Context(), s.ann)
				if err != nil || turned.ID != r.ID || turned.Decision != work.TakeBack {
					t.Errorf("%+v, %v", turned, err)
				}
				close(gate)
				r = s.until(r.ID, ended)
				s.failing(nil)
				if r.State != work.Compensated {
					t.Errorf("%+v", r)
				}
				for j, step := range r.Steps { // the first is the claim
					if want := map[bool]work.StepState{true: work.StepUndone, false: work.StepPending}[j <= i+1]; step.State != want {
						t.Errorf("%s is %s", step.Name, step.State)
					}
				}
				s.same(before, s.state())
			})
		}
	}
}

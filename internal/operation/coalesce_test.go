package operation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/auth"
	"tributary/internal/limit"
)

// held is an executor whose runs wait until they are let go or their context ends.
type held struct {
	mu    sync.Mutex
	runs  int
	ended []error // of contexts that ended before a run was let go
	let   chan struct{}
}

func (e *held) Execute(ctx context.Context, op *Prepared, _ Denied) *Result {
	e.mu.Lock()
	e.runs++
	run := e.runs
	e.mu.Unlock()
	select {
	case <-e.let:
	case <-ctx.Done():
		e.mu.Lock()
		e.ended = append(e.ended, ctx.Err())
		e.mu.Unlock()
		return &Result{Data: []byte("null"), Errors: gqlerror.List{refuse("ENDED", ctx.Err().Error())}}
	}
	return &Result{
		Data:       fmt.Appendf(nil, `{"me":{"id":"%d"}}`, run),
		Errors:     append(make(gqlerror.List, 0, 8), refuse("PARTIAL", "not all of it")),
		Extensions: map[string]any{"degraded": run},
	}
}

func (e *held) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.runs
}

// sharing is a pipeline that coalesces over a held.
type sharing struct {
	Pipeline
	*held
	view    *View
	version uint64
	joined  int
}

func newSharing(t testing.TB) *sharing {
	s := &sharing{held: &held{let: make(chan struct{})}, view: testView(t, "test")}
	var mu sync.Mutex
	s.Pipeline = Pipeline{
		Preparer: testPreparer(t),
		Timeout:  10 * time.Second,
		Enter:    func(ctx context.Context, _ Call) context.Context { return ctx },
		Observe:  func(context.Context, *Prepared, *Result, time.Duration) {},
		Executor: s.held,
		Coalescing: &Coalescing{
			Version: func() uint64 { return s.version },
			Alone:   func(ctx context.Context) bool { return ctx.Value(watchedKey{}) != nil },
			Shares:  func(object, field string) bool { return object+"."+field != "User.name" },
			Joined: func() {
				mu.Lock()
				defer mu.Unlock()
				s.joined++
			},
		},
	}
	return s
}

type watchedKey struct{}

// asked is one operation of one caller.
type asked struct {
	query, name string
	variables   map[string]any
	call        Call
	watched     bool
}

func (s *sharing) prepare(t testing.TB, a asked) *Prepared {
	t.Helper()
	op, errs := s.Prepare(s.view, Request{Query: a.query, OperationName: a.name, Variables: a.variables})
	if errs != nil {
		t.Fatal(errs)
	}
	return op
}

// ask runs an operation in the background.
func (s *sharing) ask(ctx context.Context, t testing.TB, a asked) <-chan *Result {
	t.Helper()
	op, answer := s.prepare(t, a), make(chan *Result, 1)
	if a.watched {
		ctx = context.WithValue(ctx, watchedKey{}, true)
	}
	go func() { answer <- s.Run(ctx, op, a.call) }()
	return answer
}

// TestAHundredCallersOneRun has each of them charged for itself, and none of them reach into the answer of another.
func TestAHundredCallersOneRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSharing(t)
		s.MaxErrors = 10
		s.Limiter = limit.New(limit.Config{User: limit.Limits{Points: limit.Rate{Size: 10_000_000, Restore: 1}}}, nil)
		var answers []<-chan *Result
		for i := range 100 {
			call := Call{Viewer: auth.Viewer{UserID: "u"}}
			if i%10 == 3 {
				call.CostDebug = CostDebugFields
			}
			answers = append(answers, s.ask(t.Context(), t, asked{query: friends, call: call}))
		}
		synctest.Wait()
		close(s.let)
		left := map[string]bool{}
		for i, answer := range answers {
			r := <-answer
			if string(r.Data) != `{"me":{"id":"1"}}` || len(r.Errors) != 1 || r.Errors[0].Extensions["code"] != "PARTIAL" || r.Extensions["degraded"] != 1 {
				t.Fatalf("caller %d: %s, %v, %v", i, r.Data, r.Errors, r.Extensions)
			}
			if _, fields := r.Extensions["cost"].(costReport); fields != (i%10 == 3) || r.Cost.Requested == 0 || len(r.Header) == 0 {
				t.Errorf("caller %d: cost %v, header %v", i, r.Extensions["cost"], r.Header)
			}
			left[fmt.Sprint(r.Header)] = true
			r.Extensions["degraded"] = "changed"
			r.Errors[0] = refuse("CHANGED", "")
			_ = append(r.Errors[:0], refuse("CHANGED", ""))
			_ = append(r.Data, '!')
		}
		if s.count() != 1 || s.joined != 99 || len(left) != 100 {
			t.Errorf("%d runs, %d joined, %d different headers", s.count(), s.joined, len(left))
		}
		if len(s.Coalescing.runs) != 0 {
			t.Error("a run is kept after its end")
		}
	})
}

func TestALeadersLeavingCancelsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, q := newSharing(t), asked{query: "{ me { id } }"}
		ctx, leave := context.WithCancel(t.Context())
		leader := s.ask(ctx, t, q)
		synctest.Wait()
		other := s.ask(t.Context(), t, q)
		synctest.Wait()
		leave()
		synctest.Wait()
		third := s.ask(t.Context(), t, q) // joins a run whose leader has left
		synctest.Wait()
		close(s.let)
		for _, answer := range []<-chan *Result{leader, other, third} {
			if r := <-answer; string(r.Data) != `{"me":{"id":"1"}}` {
				t.Errorf("%s", r.Data)
			}
		}
		if s.count() != 1 || len(s.ended) != 0 {
			t.Errorf("%d runs, ended %v", s.count(), s.ended)
		}
	})
}

func TestARunEndsWhenAllHaveLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, q := newSharing(t), asked{query: "{ me { id } }"}
		ctx, leave := context.WithCancel(t.Context())
		leader := s.ask(ctx, t, q)
		synctest.Wait()
		otherCtx, otherLeaves := context.WithCancel(t.Context())
		other := s.ask(otherCtx, t, q)
		synctest.Wait()
		otherLeaves()
		if r := <-other; r.Errors[0].Message != context.Canceled.Error() {
			t.Errorf("who left got %s, %v", r.Data, r.Errors)
		}
		if len(s.ended) != 1 || s.count() != 2 { // that of its own context, in which it asked for what could be had
			t.Errorf("ended %v of %d", s.ended, s.count())
		}
		leave()
		r := <-leader
		if len(s.ended) != 2 || !errors.Is(s.ended[1], context.Canceled) || r.Errors[0].Message != context.Canceled.Error() {
			t.Errorf("ended %v, answered %v", s.ended, r.Errors)
		}
		next := s.ask(t.Context(), t, q)
		synctest.Wait()
		close(s.let)
		if r := <-next; string(r.Data) != `{"me":{"id":"3"}}` {
			t.Errorf("the next got %s", r.Data)
		}
	})
}

func TestNobodyJoinsARunFromBeforeAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, q := newSharing(t), asked{query: "{ me { id } }"}
		before := s.ask(t.Context(), t, q)
		synctest.Wait()
		s.version++
		after, too := s.ask(t.Context(), t, q), s.ask(t.Context(), t, q)
		synctest.Wait()
		if s.count() != 2 {
			t.Errorf("%d runs, want 2", s.count())
		}
		close(s.let)
		if a, b, c := <-before, <-after, <-too; string(a.Data) == string(b.Data) || string(b.Data) != string(c.Data) {
			t.Errorf("before %s, after %s and %s", a.Data, b.Data, c.Data)
		}
	})
}

// TestEachHasItsWholeTime has a run end with its leader's time, and somebody else lead the next.
func TestEachHasItsWholeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, q := newSharing(t), asked{query: "{ me { id } }"}
		start := time.Now()
		leader := s.ask(t.Context(), t, q)
		time.Sleep(6 * time.Second)
		others := []<-chan *Result{s.ask(t.Context(), t, q), s.ask(t.Context(), t, q)}
		if r := <-leader; r.Errors[0].Message != context.DeadlineExceeded.Error() || time.Since(start) != 10*time.Second {
			t.Errorf("the leader got %v after %v", r.Errors, time.Since(start))
		}
		synctest.Wait()
		if s.count() != 2 {
			t.Errorf("%d runs, want a second one for both who are left", s.count())
		}
		time.Sleep(5 * time.Second)
		close(s.let)
		for _, other := range others {
			if r := <-other; string(r.Data) != `{"me":{"id":"2"}}` {
				t.Errorf("%s", r.Data)
			}
		}
	})
}

// TestAPanicIsItsLeadersOwn has an executor panic, which real ones do not: whoever waits must not wait for ever.
func TestAPanicIsItsLeadersOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, q := newSharing(t), asked{query: "{ me { id } }"}
		s.Executor = executes(func() *Result {
			run := s.held.Execute(t.Context(), nil, nil)
			if string(run.Data) == `{"me":{"id":"1"}}` {
				panic("broken")
			}
			return run
		})
		op, panicked := s.prepare(t, q), make(chan any, 1)
		go func() {
			defer func() { panicked <- recover() }()
			s.Run(t.Context(), op, Call{})
		}()
		synctest.Wait()
		other := s.ask(t.Context(), t, q)
		synctest.Wait()
		close(s.let)
		if got := <-panicked; got != "broken" {
			t.Errorf("the leader's goroutine ended with %v", got)
		}
		if r := <-other; string(r.Data) != `{"me":{"id":"2"}}` {
			t.Errorf("%s", r.Data)
		}
	})
}

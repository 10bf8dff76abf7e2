package operation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tributary/internal/auth"
	"tributary/internal/limit"
)

// telling is a shared store that tells of writes, and counts what it is asked.
type telling struct {
	*limit.Memory
	writes []string
	asked  int
	err    error
}

func (s *telling) Debit(ctx context.Context, entries []limit.Entry, writer limit.Writer) (limit.Outcome, error) {
	s.asked++
	outcome, _ := s.Memory.Debit(ctx, entries, writer) // memory does not fail
	if writer == limit.WriterOf(limit.Caller{UserID: "u"}) {
		outcome.Writes = s.writes
	}
	return outcome, s.err
}

// TestRecentWritesComeBeforeTheOperation follows what the limiter tells of a caller to the place where it is applied.
func TestRecentWritesComeBeforeTheOperation(t *testing.T) {
	known := Call{Viewer: auth.Viewer{UserID: "u"}}
	dry := known
	dry.CostDebug = CostDebugDryRun
	for name, c := range map[string]struct {
		call   Call
		writes []string
		err    error
		points int64 // of the caller's bucket; 0: it has none
		want   string
	}{
		"known":           {call: known, writes: []string{"a", "b"}, want: "[[a b] ran]"},
		"with a bucket":   {call: known, writes: []string{"a"}, points: 100, want: "[[a] ran]"},
		"throttled":       {call: known, writes: []string{"a"}, points: 1, want: "[]"},
		"nothing written": {call: known, want: "[ran]"},
		"dry run":         {call: dry, writes: []string{"a"}, want: "[]"},
		"somebody else":   {call: Call{Viewer: auth.Viewer{UserID: "v"}}, writes: []string{"a"}, want: "[ran]"},
		"no answer":       {call: known, writes: []string{"a"}, err: errors.New("down"), want: "[ran]"},
	} {
		t.Run(name, func(t *testing.T) {
			var done []string
			store := &telling{Memory: limit.NewMemory(100, time.Now), writes: c.writes, err: c.err}
			p := &Pipeline{
				Preparer: testPreparer(t),
				Limiter:  limit.New(limit.Config{User: limit.Limits{Points: limit.Rate{Size: c.points, Restore: 0.001}}}, store),
				Timeout:  time.Minute,
				Recent:   func(_ context.Context, writes []string) { done = append(done, fmt.Sprint(writes)) },
				Enter:    func(ctx context.Context, _ Call) context.Context { return ctx },
				Observe:  func(context.Context, *Prepared, *Result, time.Duration) {},
				Executor: executes(func() *Result {
					done = append(done, "ran")
					return &Result{Data: []byte(`{"me":null}`)}
				}),
			}
			prepared, errs := p.Prepare(testView(t, "test"), Request{Query: `{ me { name } }`})
			if errs != nil {
				t.Fatal(errs)
			}
			if name == "throttled" {
				p.Run(t.Context(), prepared, c.call) // takes the only point
				done, store.asked = nil, 0
			}
			p.Run(t.Context(), prepared, c.call)
			if fmt.Sprint(done) != c.want {
				t.Errorf("%v, want %s", done, c.want)
			}
			if store.asked > 1 {
				t.Errorf("the store was asked %d times", store.asked)
			}
		})
	}
}

// executes is an executor made of a function.
type executes func() *Result

func (f executes) Execute(context.Context, *Prepared, Denied) *Result { return f() }

// TestRecentWritesComeBeforeASubscription has them applied when it starts, and asks no more where nothing is to be paid.
func TestRecentWritesComeBeforeASubscription(t *testing.T) {
	store := &telling{Memory: limit.NewMemory(100, time.Now), writes: []string{"a"}}
	r := startRadio(t, limit.New(limit.Config{}, store), 10)
	var told []string
	r.pipeline.Recent = func(_ context.Context, writes []string) { told = append(told, writes...) }
	l := newListener(1000)
	if _, result := r.join(t, Call{Viewer: auth.Viewer{UserID: "u"}}, l, tick, nil); result != nil {
		t.Fatal(result.Errors)
	}
	r.settled(t, 1)
	r.channel.say(3 * leaseEvents)
	l.await(t, 3*leaseEvents*9/10)
	if !slices.Equal(told, []string{"a"}) || store.asked != 1 {
		t.Errorf("told of %q, asked %d times", told, store.asked)
	}
}

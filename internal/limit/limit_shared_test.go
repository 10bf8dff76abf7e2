package limit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"tributary/internal/redisclient/redistest"
)

func TestGuard(t *testing.T) {
	var g guard
	start := time.Now()
	enter := func(at time.Duration, may, probe bool) {
		t.Helper()
		if gotMay, gotProbe := g.enter(start.Add(at)); gotMay != may || gotProbe != probe {
			t.Errorf("at %v: %v, %v", at, gotMay, gotProbe)
		}
	}
	for range 2 { // an answer in between ends a row of misses
		for range maxMisses - 1 {
			enter(0, true, false)
			g.leave(start, false, false)
		}
		enter(0, true, false)
		g.leave(start, true, false)
	}
	for range maxMisses {
		enter(0, true, false)
	}
	for range maxMisses {
		g.leave(start, false, false)
	}
	enter(0, false, false)
	g.leave(start.Add(firstRest), false, false) // a question from before the rest does not prolong it
	enter(firstRest-1, false, false)
	enter(firstRest, true, true)
	enter(firstRest, false, false) // one only
	enter(10*firstRest, false, false)
	g.leave(start.Add(firstRest), false, true)
	enter(firstRest+nextRest-1, false, false)
	enter(firstRest+nextRest, true, true)
	g.leave(start.Add(firstRest+nextRest), true, true)
	enter(firstRest+nextRest, true, false)
	enter(firstRest+nextRest, true, false)
}

// fake is a shared store whose answers a test decides on.
type fake struct {
	answer  func(context.Context) error
	memory  *Memory
	asked   atomic.Int64
	credits chan []Entry
}

func newFake(answer func(context.Context) error) *fake {
	return &fake{answer: answer, memory: NewMemory(1000, time.Now), credits: make(chan []Entry, 100)}
}

func (f *fake) Debit(ctx context.Context, e []Entry, w Writer) (Outcome, error) {
	f.asked.Add(1)
	if err := f.answer(ctx); err != nil {
		return Outcome{}, err
	}
	return f.memory.Debit(ctx, e, w)
}

func (f *fake) Look(ctx context.Context, e []Entry, w Writer) (Outcome, error) {
	f.asked.Add(1)
	if err := f.answer(ctx); err != nil {
		return Outcome{}, err
	}
	return f.memory.Look(ctx, e, w)
}

func (f *fake) Credit(ctx context.Context, e []Entry) error {
	f.credits <- e
	if err := f.answer(ctx); err != nil {
		return err
	}
	return f.memory.Credit(ctx, e)
}

func down(context.Context) error { return errors.New("down") }
func fine(context.Context) error { return nil }
func hangs(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestLocalShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := down
		shared := newFake(func(ctx context.Context) error { return answer(ctx) })
		var reasons []string
		cfg := Config{User: Limits{Points: Rate{1000, 30}, RequestsPerHour: 7200}, Replicas: 3,
			Observer: Observer{Local: func(reason string) { reasons = append(reasons, reason) }}}
		l := New(cfg, shared)
		who := Caller{UserID: "u"}
		for i, c := range []struct {
			cost  int64
			want  string
			retry time.Duration
		}{
			{100, "true user 234/334 user-requests 2399/2400", 0},
			{235, "false user 234/334 user-requests 2399/2400", 100 * time.Millisecond},
			{400, "false user 234/334 user-requests 2399/2400", 10 * time.Second}, // all of the share
			{1001, "false user 234/334 user-requests 2399/2400", 0},
		} {
			d := l.Admit(t.Context(), who, c.cost)
			if got := fmt.Sprint(d.Allowed, " ", states(d)); got != c.want || d.RetryAfter != c.retry || !d.Local || d.TooDear != (c.cost > 1000) {
				t.Errorf("%d: %+v", i, d)
			}
		}
		if got := fmt.Sprint(reasons, shared.asked.Load()); got != "[error error error resting] 3" {
			t.Error(got)
		}
		time.Sleep(firstRest)
		answer = hangs
		start := time.Now()
		if d := l.Admit(t.Context(), who, 0); !d.Local || time.Since(start) != 5*time.Millisecond {
			t.Errorf("it waited %v: %+v", time.Since(start), d)
		}
		time.Sleep(20 * time.Second)
		answer = down
		d := l.Admit(t.Context(), who, 1000) // takes the whole share
		if !d.Allowed || d.Buckets[0].Available != 0 {
			t.Errorf("%+v", d)
		}
		answer = fine
		time.Sleep(nextRest)
		// The caller's having left does not count against the store, nor spare the debit.
		left, cancel := context.WithCancel(t.Context())
		cancel()
		if got := l.Admit(left, who, 300); got.Local || !got.Allowed || got.Buckets[0].Available != 700 {
			t.Errorf("%+v", got)
		}
		l.Refund(d, 600) // 400 were used, more than the share: nothing is due, and not to the shared bucket
		if got, waiting := l.Look(t.Context(), who), l.refunds.take(); got.Buckets[0].Available != 700 || len(waiting) != 0 {
			t.Errorf("%+v, waiting %v", got, waiting)
		}
		if got := fmt.Sprint(reasons[4:]); got != "[timeout error]" {
			t.Error(got)
		}
	})
}

// TestRedisHangs stops the process, which keeps its connections open and accepts new ones.
func TestRedisHangs(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "no")
	client := server.Client()
	const budget = 20 * time.Millisecond
	l := New(Config{User: Limits{Points: Rate{1000, never}}, Budget: budget}, NewRedis(client))
	who := Caller{UserID: "u"}
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	process := processOf(t, client)
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = process.Signal(syscall.SIGCONT) }()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				start := time.Now()
				d := l.Admit(t.Context(), who, 1)
				if took := time.Since(start); !d.Allowed || !d.Local || took > budget+200*time.Millisecond { // for the scheduler's part
					t.Errorf("%+v after %v", d, took)
				}
			}
		})
	}
	group.Wait()
	if err := process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventuallyShared(t, l, who)
}

// TestRedisKilledUnderLoad loses its Redis while operations come in, and gets it back.
func TestRedisKilledUnderLoad(t *testing.T) {
	server := redistest.Start(t)
	var local atomic.Int64
	cfg := Config{User: Limits{Points: Rate{1 << 40, never}}, Replicas: 2, Budget: 50 * time.Millisecond,
		Key: Limits{Points: Rate{10, never}}, Observer: Observer{Local: func(string) { local.Add(1) }}}
	l := New(cfg, NewRedis(server.Client()))
	spender := Caller{KeyID: "spent"}
	if d := l.Admit(t.Context(), spender, 10); d.Local || !d.Allowed {
		t.Fatalf("%+v", d)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { _ = l.Run(ctx) })
	for g := range 4 {
		group.Go(func() {
			who := Caller{UserID: fmt.Sprint(g)}
			for ctx.Err() == nil {
				d := l.Admit(ctx, who, 5)
				if !d.Allowed {
					t.Errorf("refused: %+v", d)
				}
				l.Refund(d, 2)
				time.Sleep(time.Millisecond)
			}
		})
	}
	server.Kill()
	for local.Load() < 100 {
		time.Sleep(time.Millisecond)
	}
	if d := l.Admit(t.Context(), spender, 5); !d.Local || !d.Allowed {
		t.Errorf("%+v", d)
	}
	server.Restart()
	back := time.Now()
	eventuallyShared(t, l, spender)
	took := time.Since(back)
	cancel()
	group.Wait()
	t.Logf("shared limits are back after %v, %d operations were local", took, local.Load())
	if took > time.Second {
		t.Errorf("shared limits are back after %v", took)
	}
	if d := l.Admit(t.Context(), spender, 1); d.Local || d.Allowed {
		t.Errorf("what was spent before may be spent again: %+v", d)
	}
}

func eventuallyShared(t *testing.T, l *Limiter, who Caller) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for l.Look(t.Context(), who).Local {
		if time.Now().After(deadline) {
			t.Fatal("the shared store is not asked again")
		}
		time.Sleep(time.Millisecond)
	}
}

func processOf(t *testing.T, client redis.UniversalClient) *os.Process {
	t.Helper()
	for line := range strings.Lines(client.Info(t.Context(), "server").Val()) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), "process_id:"); ok {
			number, err := strconv.Atoi(id)
			if err != nil || number <= 1 {
				t.Fatal(line)
			}
			process, err := os.FindProcess(number)
			if err != nil {
				t.Fatal(err)
			}
			return process
		}
	}
	t.Fatal("INFO tells no process_id")
	return nil
}

package work_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tributary/internal/redisclient"
	"tributary/internal/redisclient/redistest"
	"tributary/internal/work"
)

// Where the program of this test stops for ever, to be killed there: inside a step or its undo, before or after its effect, or at a
// boundary of steps, which is an announcement.
var deaths = []string{
	"a before", "a after", "b before", "b after", "c before", "c after", "b/undo before", "b/undo after", "a/undo before", "a/undo after",
	"told 1", "told 2", "told 3", "told 4", "told 5", "told 6", "told 7", "told 8",
}

// killedProgram is what the test runs as a process: one saga whose steps leave files named by their keys.
type killedProgram struct{ dir, redis, death, fails string }

func TestMain(m *testing.M) {
	if dir := os.Getenv("WORK_TEST_DIR"); dir != "" {
		p := killedProgram{dir, os.Getenv("WORK_TEST_REDIS"), os.Getenv("WORK_TEST_DEATH"), os.Getenv("WORK_TEST_FAILS")}
		if err := p.run(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func (p killedProgram) stop(at string) {
	if at == p.death {
		_ = os.WriteFile(filepath.Join(p.dir, "reached"), nil, 0o600)
		select {}
	}
}

// do leaves an effect once for its key, or takes that of its fence away.
func (p killedProgram) do(_ context.Context, call *work.Call) error {
	_, step, _ := strings.Cut(call.Key, "/")
	p.stop(step + " before")
	defer p.stop(step + " after")
	path := func(key string) string { return filepath.Join(p.dir, "effect "+strings.ReplaceAll(key, "/", " ")) }
	if call.Fence != "" {
		return os.RemoveAll(path(call.Fence))
	}
	f, err := os.OpenFile(path(call.Key), os.O_CREATE|os.O_APPEND, 0o600)
	if err == nil {
		err = f.Close()
	}
	if step == p.fails {
		return work.Permanent(fmt.Errorf("refused"))
	}
	return err
}

func (p killedProgram) run(ctx context.Context) error {
	options := work.Options{Logger: slog.New(slog.DiscardHandler), Scale: 0.01, Lock: time.Second}
	if p.redis == "" {
		store, err := work.OpenSQLite(ctx, filepath.Join(p.dir, "work.db"))
		if err != nil {
			return err
		}
		options.Store, options.File = store, filepath.Join(p.dir, "drive.db")
	} else {
		client, err := redisclient.Open(p.redis)
		if err != nil {
			return err
		}
		options.Store, options.Redis = work.NewRedis(client), client
	}
	d := work.Definition{Name: "it.v1", Kind: work.Saga, Retry: work.Retry{Attempts: 3, First: time.Second, Most: time.Second}}
	for _, step := range []string{"a", "b", "c"} {
		d.Steps = append(d.Steps, work.StepDefinition{Name: step, Do: p.do, Undo: p.do})
	}
	told := 0
	ended := make(chan work.State, 100)
	options.Definitions = []work.Definition{d}
	options.Announce = func(_ context.Context, r work.Record) error {
		told++
		p.stop(fmt.Sprint("told ", told))
		if r.State.Ended() {
			ended <- r.State
		}
		return nil
	}
	e, err := work.New(options)
	if err != nil {
		return err
	}
	go func() { _ = e.Run(ctx) }()
	if _, _, err := e.Start(ctx, work.Order{Name: "it.v1", Key: "only"}); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.dir, "ended"), []byte(<-ended), 0o600)
}

func (p killedProgram) command(ctx context.Context) *exec.Cmd {
	c := exec.CommandContext(ctx, os.Args[0])
	c.Env = append(os.Environ(), "WORK_TEST_DIR="+p.dir, "WORK_TEST_REDIS="+p.redis, "WORK_TEST_DEATH="+p.death, "WORK_TEST_FAILS="+p.fails)
	c.Stderr = os.Stderr
	return c
}

// TestTortureKilledInASaga kills the program at a point and starts it again: the saga is carried out or taken back, all of it.
func TestTortureKilledInASaga(t *testing.T) {
	points := deaths
	if os.Getenv("TORTURE") != "long" {
		random := rand.New(rand.NewPCG(5, 0))
		points = nil
		for _, i := range random.Perm(len(deaths))[:4] {
			points = append(points, deaths[i])
		}
	}
	t.Parallel()
	for _, place := range []string{"sqlite", "redis"} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			for _, death := range points {
				for _, fails := range []string{"", "c"} {
					if fails == "" && (strings.Contains(death, "undo") || death == "told 8") {
						continue // it comes there on the way back alone
					}
					t.Run(death+" "+fails, func(t *testing.T) {
						p := killedProgram{dir: t.TempDir(), death: death, fails: fails}
						if place == "redis" {
							p.redis = redistest.Start(t).URL()
						}
						dieAndLive(t, p)
					})
				}
			}
		})
	}
}

func dieAndLive(t *testing.T, p killedProgram) {
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	first := p.command(ctx)
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(p.dir, "reached")); err == nil {
			break
		}
		if ctx.Err() != nil {
			t.Fatal("it never came to the point")
		}
		time.Sleep(5 * time.Millisecond) // it cannot tell otherwise: it must stop there
	}
	_ = first.Process.Kill()
	_ = first.Wait() // "signal: killed"
	began := time.Now()
	p.death = "none"
	if err := p.command(ctx).Run(); err != nil {
		t.Fatal(err)
	}
	state, _ := os.ReadFile(filepath.Join(p.dir, "ended"))
	effects, _ := filepath.Glob(filepath.Join(p.dir, "effect *"))
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("taken over after %v", took)
	}
	switch {
	case p.fails == "" && (string(state) != string(work.Completed) || len(effects) != 3):
		t.Errorf("%s with %q", state, effects)
	case p.fails != "" && (string(state) != string(work.Compensated) || len(effects) != 0):
		t.Errorf("%s with %q", state, effects)
	}
}

package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain runs the tests, or what a test has started this program again for.
func TestMain(m *testing.M) {
	switch os.Getenv("PROCESS_TEST") {
	case "cores":
		fmt.Print(Cores())
	case "wait":
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		fmt.Fprintln(os.Stderr, "waiting")
		<-ctx.Done()
		stop()
		fmt.Fprintln(os.Stderr, "asked to end")
	case "fail":
		fmt.Fprintln(os.Stderr, strings.Repeat("x", 2*tailBytes)+"the reason")
		os.Exit(3)
	default:
		goleak.VerifyTestMain(m)
	}
}

// again is this program in one of the roles above.
func again(t *testing.T, role string, cpus ...int) Command {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Command{Name: role, Path: self, Env: append(os.Environ(), "PROCESS_TEST="+role), CPUs: cpus}
}

func TestChildrenKeepToTheirCores(t *testing.T) {
	all := Cores()
	if all == nil && runtime.GOOS != "linux" {
		return
	}
	for _, core := range all {
		out, err := Output(t.Context(), again(t, "cores", core), nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprint([]int{core}); string(out) != want {
			t.Errorf("a child that was given core %d may use %s", core, out)
		}
	}
	if now := Cores(); !slices.Equal(now, all) {
		t.Errorf("starting children left this process with cores %v of %v", now, all)
	}
}

// startWaiting starts a process that waits until it is asked to end.
func startWaiting(ctx context.Context, t *testing.T) *Process {
	t.Helper()
	p, err := Start(ctx, again(t, "wait"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	for !strings.Contains(p.Stderr(), "waiting") {
		time.Sleep(time.Millisecond) // it tells by its output alone
		select {
		case <-p.Done():
			t.Fatal(p.Failure())
		default:
		}
	}
	return p
}

func TestStopAsksAProcessToEnd(t *testing.T) {
	p := startWaiting(t.Context(), t)
	p.Stop()
	select {
	case <-p.Done():
	default:
		t.Error("Stop came back before the process had ended")
	}
	if !strings.Contains(p.Stderr(), "asked to end") {
		t.Error("the process was not asked")
	}
	p.Stop()
}

func TestTheContextAsksAProcessToEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := startWaiting(ctx, t)
	cancel()
	<-p.Done()
	if !strings.Contains(p.Stderr(), "asked to end") {
		t.Error("the process was not asked")
	}
}

func TestFailureTellsTheReason(t *testing.T) {
	p, err := Start(t.Context(), again(t, "fail"))
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if err := p.Failure(); !errors.Is(err, errEnded) || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("want the exit status and the end of what was written, got %v", err)
	}
	if n := len(p.Stderr()); n != tailBytes {
		t.Errorf("kept %d bytes of standard error, want %d", n, tailBytes)
	}
	if _, err := Output(t.Context(), again(t, "fail"), nil); err == nil || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("want the end of what was written, got %v", err)
	}
}

func TestUsageIsOfTheProcess(t *testing.T) {
	own, err := CPUTime(os.Getpid())
	if errors.Is(err, errors.ErrUnsupported) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	machine, err := MachineUsage()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start(t.Context(), again(t, "wait"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	for spun := time.Duration(0); spun < 50*time.Millisecond; {
		now, err := CPUTime(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		spun = now - own
	}
	other, err := CPUTime(p.PID())
	if err != nil || other <= 0 || other > 10*time.Second {
		t.Errorf("a child that waits has used %v, %v", other, err)
	}
	after, err := MachineUsage()
	if err != nil || after.Busy-machine.Busy < 20*time.Millisecond {
		t.Errorf("the machine was busy for %v while this process alone was for 50 ms, %v", after.Busy-machine.Busy, err)
	}
	if rss, err := PeakRSS(os.Getpid()); err != nil || rss < 1<<20 || rss > 1<<40 {
		t.Errorf("peak memory %d, %v", rss, err)
	}
}

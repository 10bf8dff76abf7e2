package tuning

import (
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
)

const mib = 1 << 20

// asProcess in the environment makes TestHeadroomIsGarbageBeforeACollection look at the heap of a process of its own.
const asProcess = "TUNING_TEST_AS_PROCESS"

func TestHeadroomIsGarbageBeforeACollection(t *testing.T) {
	if os.Getenv(asProcess) != "" {
		lookAtHeap(t)
		return
	}
	command := exec.Command(os.Args[0], "-test.run", "^TestHeadroomIsGarbageBeforeACollection$")
	command.Env = append(os.Environ(), asProcess+"=1", "GOGC=", "GOMEMLIMIT=")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func lookAtHeap(t *testing.T) {
	const headroom = 64 * mib
	for range 64 {
		used = make([]byte, mib) // memory that was used before is what Go would zero
	}
	used = nil
	runtime.GC()
	resident := residentBytes(t)
	stop := Choice{Percent: 100, Headroom: headroom, Limit: noLimit}.Apply()
	runtime.GC()
	live, goal := readHeap()
	if room := goal - live; room < headroom || room > headroom+16*mib {
		t.Errorf("the next collection is %d MiB away, want about 64", room/mib)
	}
	if more := residentBytes(t) - resident; more > 16*mib {
		t.Errorf("%d MiB more resident: no page of the ballast may be", more/mib)
	}
	stop()
	runtime.GC()
	if live, _ = readHeap(); live > 16*mib {
		t.Errorf("%d MiB live: the ballast is still there", live/mib)
	}
}

var used []byte // out of the compiler's sight

// readHeap gives what the last collection left and where the next one begins, in bytes.
func readHeap() (live, goal uint64) {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/goal:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64(), samples[1].Value.Uint64()
}

// residentBytes is what Linux keeps in memory for this process; 0 elsewhere.
func residentBytes(t *testing.T) int64 {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/statm")
	if os.IsNotExist(err) {
		return 0
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(raw), &size, &resident); err != nil {
		t.Fatal(err)
	}
	return resident * int64(os.Getpagesize())
}

func TestApplyTellsGoAndStopTakesItBack(t *testing.T) {
	t.Cleanup(func() { debug.SetGCPercent(goPercent); debug.SetMemoryLimit(noLimit) })
	now := func() (percent int, limit int64) {
		percent = debug.SetGCPercent(goPercent)
		debug.SetGCPercent(percent)
		return percent, debug.SetMemoryLimit(-1)
	}
	for name, tt := range map[string]struct {
		choice  Choice
		percent int
		limit   int64
	}{
		"a limit above the ballast":   {Choice{Percent: 200, Headroom: 8 * mib, Limit: 100 * mib}, 200, 104 * mib},
		"no limit":                    {Choice{Percent: 100, Headroom: 8 * mib, Limit: noLimit}, 100, math.MaxInt64},
		"no collection":               {Choice{Percent: -1, Limit: 100 * mib}, -1, 100 * mib},
		"the environment has its way": {Choice{}, 100, math.MaxInt64},
	} {
		t.Run(name, func(t *testing.T) {
			stop := tt.choice.Apply()
			if percent, limit := now(); percent != tt.percent || limit != tt.limit {
				t.Errorf("%d %% and %d bytes, want %d and %d", percent, limit, tt.percent, tt.limit)
			}
			stop()
			if percent, limit := now(); percent != goPercent || limit != noLimit {
				t.Errorf("%d %% and %d bytes are left", percent, limit)
			}
		})
	}
}

func TestBallastStaysWithinTheLimit(t *testing.T) {
	for _, tt := range []struct {
		choice Choice
		want   uint64
	}{
		{Choice{Percent: 100, Headroom: 32 * mib, Limit: noLimit}, 32 * mib},
		{Choice{Percent: 50, Headroom: 32 * mib, Limit: noLimit}, 64 * mib},
		{Choice{Percent: 400, Headroom: 32 * mib, Limit: noLimit}, 8 * mib},
		{Choice{Percent: 1, Headroom: 32 * mib, Limit: 512 * mib}, 512 * mib},
		{Choice{Percent: 100, Headroom: math.MaxUint64, Limit: noLimit}, maxBallast},
		{Choice{Percent: -1, Headroom: 32 * mib}, 0},
		{Choice{Headroom: 32 * mib}, 0},
	} {
		if got := tt.choice.ballast(); got != tt.want {
			t.Errorf("%+v: %d bytes, want %d", tt.choice, got, tt.want)
		}
	}
}

func TestTheLogNamesWhatWasChosen(t *testing.T) {
	for want, choice := range map[string]Choice{
		"gc.limit_from=container gc.limit_bytes=900 gc.percent=100 gc.headroom_bytes=7": {100, 7, 900, "container"},
		"gc.limit_from=environment":                             {From: "environment"},
		"gc.limit_from=flag gc.percent=200 gc.headroom_bytes=0": {200, 0, noLimit, "flag"},
	} {
		var out strings.Builder
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "gc", choice)
		if _, got, _ := strings.Cut(strings.TrimSpace(out.String()), "msg=x "); got != want {
			t.Errorf("logged %q, want %q", got, want)
		}
	}
}

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests, or one of the processes that a benchmark under test starts.
func TestMain(m *testing.M) {
	if isChild(os.Args[1:]) {
		main()
		return
	}
	var err error
	if testDir, err = os.MkdirTemp("", "bench-test-"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(testDir)
		os.Exit(code)
	}))
}

// testDir holds what tests share. TestMain makes and removes it.
var testDir string

// builtGateway is the gateway's program, built once for all tests.
var builtGateway = sync.OnceValues(func() (string, error) {
	b := &benchmark{options: new(options), dir: testDir, progress: io.Discard}
	err := b.build(context.Background())
	return b.tributary, err
})

func gatewayProgram(t *testing.T) string {
	t.Helper()
	program, err := builtGateway()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// TestBenchmark runs everything with real processes, as short as it can be: also the check that a server written by hand answers as the
// gateway does.
func TestBenchmark(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	out := filepath.Join(t.TempDir(), "report.md")
	var progress strings.Builder
	args := []string{
		"-tributary", gatewayProgram(t), "-rounds", "1", "-window", "20ms", "-profiles", "40",
		"-cells", "^(timeline-1000/cold|profile/cold|profile/5ms|trivial/cold)/1$", "-out", out,
	}
	if err := run(t.Context(), args, nil, nil, &progress); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	report := string(raw)
	absolute := report[strings.Index(report, "## Absolute"):]
	// Where nothing is saved, the calls say that everybody did the same work: the server written by hand needs the fewest.
	for _, want := range []string{
		"timeline-1000 cold 1 static", "timeline-1000 cold 1 hand", "timeline-1000 cold 1 stock",
		"profile cold 1 static", "profile cold 1 hand", "profile cold 1 stock", "profile 5ms 1 hand", "profile 5ms 1 stock",
		"trivial cold 1 static", "trivial cold 1 hand", "trivial cold 1 stock",
	} {
		row := rowOf(absolute, want)
		if row == nil {
			t.Errorf("no row for %s", want)
			continue
		}
		if strings.HasPrefix(want, "profile") && strings.HasSuffix(want, "hand") && !strings.HasPrefix(row[12], "8.") && !strings.HasPrefix(row[12], "7.") {
			t.Errorf("%s: %s upstream calls a request, want 8, or 7 for those who have no posts", want, row[12])
		}
		if strings.HasPrefix(want, "trivial") && row[12] != "–" {
			t.Errorf("%s: %s upstream calls, want none", want, row[12])
		}
	}
	if entries, err := os.ReadDir(temp); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// rowOf finds the row of a table that begins with the given words; nil when there is none.
func rowOf(text, words string) []string {
	for line := range strings.Lines(text) {
		row := strings.FieldsFunc(strings.ReplaceAll(line, " ", ""), func(r rune) bool { return r == '|' })
		if len(row) >= 4 && strings.Join(row[:4], " ") == words {
			return row
		}
	}
	return nil
}

func TestAnInterruptedBenchmarkLeavesNothing(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	progress := writerFunc(func(b []byte) (int, error) {
		if strings.Contains(string(b), "compared") {
			cancel()
		}
		return len(b), nil
	})
	err := run(ctx, []string{"-tributary", gatewayProgram(t), "-window", "1m", "-profiles", "5", "-cells", "^timeline-10/cold/1$"}, nil, nil, progress)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("want the end of the context, got %v", err)
	}
	if entries, err := os.ReadDir(temp); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestOptions(t *testing.T) {
	tests := []struct {
		args []string
		want string // in the error
	}{
		{[]string{"-rounds", "0"}, "-rounds"},
		{[]string{"-window", "-1s"}, "-window"},
		{[]string{"-cells", "("}, "-cells"},
		{[]string{"-out", "/nowhere/at/all"}, "-out"},
		{[]string{"-tributary", "/nowhere/at/all"}, "-tributary"},
		{[]string{"everything"}, "everything"},
		{[]string{"-wat"}, "-wat"},
	}
	for _, test := range tests {
		if _, err := parseOptions(test.args, new(strings.Builder)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: want an error that names %s, got %v", test.args, test.want, err)
		}
	}
	full, err := parseOptions(nil, new(strings.Builder))
	if err != nil {
		t.Fatal(err)
	}
	quick, err := parseOptions([]string{"-quick"}, new(strings.Builder))
	if err != nil || quick.total >= full.total || quick.window >= full.window {
		t.Errorf("quick takes %v with windows of %v, full %v and %v; %v", quick.total, quick.window, full.total, full.window, err)
	}
	own, err := parseOptions([]string{"-quick", "-window", "7s"}, new(strings.Builder))
	if err != nil || own.window.Seconds() != 7 {
		t.Errorf("-quick changed the window that was given to %v, %v", own.window, err)
	}
}

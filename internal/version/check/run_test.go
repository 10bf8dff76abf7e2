package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The schema that is served keeps what was released.
func TestServedKeepsReleased(t *testing.T) {
	var out strings.Builder
	if err := run([]string{"-dir", "../../../schema/released"}, &out, time.Now()); err != nil {
		t.Errorf("%v\n%s", err, &out)
	}
}

// What breaks clients is released only by force.
func TestRelease(t *testing.T) {
	dir := t.TempDir()
	run := func(args ...string) (string, error) {
		var out strings.Builder
		err := run(append([]string{"-dir", dir}, args...), &out, today)
		return out.String(), err
	}
	if out, err := run(); err != nil || !strings.Contains(out, "version 1 has not been released") {
		t.Fatalf("nothing is released: %v\n%s", err, out)
	}
	if out, err := run("-release"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := run(); err != nil || out != "" {
		t.Fatalf("all is released: %v\n%s", err, out)
	}
	file := filepath.Join(dir, "1.graphqls")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	more := strings.Replace(string(raw), "type Query {", "type Query {\n  promised: Int", 1)
	if err := os.WriteFile(file, []byte(more), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := run("-release"); err == nil || !strings.Contains(err.Error(), "nothing was written") || !strings.Contains(out, "FIELD_REMOVED at Query.promised") {
		t.Fatalf("%v\n%s", err, out)
	}
	if now, _ := os.ReadFile(file); string(now) != more {
		t.Fatal("it was written all the same")
	}
	if out, err := run("-release", "-force"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if now, _ := os.ReadFile(file); string(now) != string(raw) {
		t.Error("what was forced was not written")
	}
}

func TestReleaseRemembersWhatIsGone(t *testing.T) {
	dir := t.TempDir()
	for _, served := range [][]edition{{{number: 1, sunset: lastYear}, {number: 2, released: lastYear}}, {{number: 3, released: today}, {number: 2}}} {
		if err := release(dir, served, new(strings.Builder)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := readRecord(dir)
	if want := []promise{{1, "", "2025-11-23"}, {2, "", ""}, {3, "2026-11-23", ""}}; err != nil || len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestCompare(t *testing.T) {
	var out strings.Builder
	if err := run([]string{"../breaking/testdata/enums.before.graphqls", "../breaking/testdata/prices.before.graphqls"}, &out, today); err != nil || !strings.Contains(out.String(), `"coordinate": "Query.color"`) {
		t.Errorf("%v\n%s", err, &out)
	}
	for _, args := range [][]string{{"one"}, {"1", "2", "3"}, {"none", "../breaking/testdata/enums.before.graphqls"}, {"../breaking/testdata/enums.before.graphqls", "none"}, {"-nonsense"}} {
		if err := run(args, &out, today); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}

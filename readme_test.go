package main

import (
	"os"
	"strings"
	"testing"

	"tributary/internal/config"
)

// TestFlagsTableIsTrue holds README's table of flags against the program's own; UPDATE=1 writes it.
func TestFlagsTableIsTrue(t *testing.T) {
	const open, end = "<!-- flags -->\n", "<!-- /flags -->"
	raw, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(raw), open)
	got, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("README.md has no %q … %q", open, end)
	}
	want := config.FlagsTable()
	if got == want {
		return
	}
	if os.Getenv("UPDATE") == "" {
		t.Fatalf("README.md does not list the flags as they are: UPDATE=1 go test -run TestFlagsTableIsTrue . writes\n%s", want)
	}
	if err := os.WriteFile("README.md", []byte(before+open+want+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

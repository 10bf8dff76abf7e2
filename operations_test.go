package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tributary/internal/config"
)

// TestOperationsTableIsTrue holds every bound in docs/operations.md against the flags and the codes that there are.
func TestOperationsTableIsTrue(t *testing.T) {
	raw, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(raw), "## Bounds")
	table, _, _ = strings.Cut(table, "## Limits")
	rows := regexp.MustCompile("(?m)^\\| [^|]+ \\| ([0-9a-z]+) \\| (.+) \\| `(--[a-z-]+)` \\|$").FindAllStringSubmatch(table, -1)
	if len(rows) < 20 {
		t.Fatalf("only %d rows", len(rows))
	}
	flags := config.FlagsTable()
	listed := map[string]bool{}
	for _, row := range rows {
		listed[row[3]] = true
		if !strings.Contains(flags, "| `"+row[3]+"` | `"+row[1]+"` |") {
			t.Errorf("%s does not have the default %s", row[3], row[1])
		}
	}
	for _, flag := range regexp.MustCompile("--max-[a-z-]+").FindAllString(flags, -1) {
		if !listed[flag] {
			t.Errorf("%s is not in the table", flag)
		}
	}
	source := programText(t)
	for _, code := range regexp.MustCompile("`([A-Z_]{6,})`").FindAllStringSubmatch(table, -1) {
		if !strings.Contains(source, `"`+code[1]+`"`) {
			t.Errorf("no code has %s", code[1])
		}
	}
}

// programText is all of the program's source but for tests and generated code.
func programText(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	for _, folder := range []string{"clients", "resolvers", "internal"} {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			raw, err := os.ReadFile(path)
			text.Write(raw)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}

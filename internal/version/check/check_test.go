package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const sunsetDirective = "directive @sunset(at: String!) on FIELD_DEFINITION | ENUM_VALUE | ARGUMENT_DEFINITION\n"

var (
	today    = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	tomorrow = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	lastYear = time.Date(2025, 11, 23, 0, 0, 0, 0, time.UTC)
)

// What is released, what is served then, and what is said of it: each text has to occur, in this order; nothing else may fail.
func TestExamine(t *testing.T) {
	const sdl = "type Query { a: Int b(c: Int): Int }\n"
	for name, c := range map[string]struct {
		released, served []edition
		problems, notes  []string
	}{
		"nothing new": {[]edition{{number: 1, sdl: sdl}}, []edition{{number: 1, sdl: sdl}}, nil, nil},
		"a removal": {
			[]edition{{number: 1, sdl: sdl}, {number: 2, sdl: sdl}}, []edition{{number: 1, sdl: sdl}, {number: 2, sdl: "type Query { b(c: Int): Int }"}},
			[]string{"version 2: FIELD_REMOVED at Query.a: Query.a was removed.\n  Put it back, with @until(version: 2)"}, []string{"version 2: once that is released"},
		},
		"another type": {
			[]edition{{number: 1, sdl: sdl}, {number: 2, sdl: sdl}}, []edition{{number: 1, sdl: "type Query { a: ID b(c: Int): Int }"}, {number: 2, sdl: sdl}},
			[]string{"version 1: FIELD_CHANGED_KIND at Query.a: Query.a changed its type from Int to ID.\n  Leave it as it was, with @until(version: 2), and add what it is to be under another name with @since(version: 3)."},
			[]string{"version 1: once that is released"},
		},
		"a required argument": {
			[]edition{{number: 1, sdl: sdl}}, []edition{{number: 1, sdl: "type Query { a(x: Int!): Int b(c: Int!): Int }"}},
			[]string{"REQUIRED_ARG_ADDED at Query.a(x:)", "ARG_CHANGED_KIND at Query.b(c:)"}, []string{"Query.a(x:) is new", "version 1: once that is released"},
		},
		"additions": {
			[]edition{{number: 1, sdl: sdl}}, []edition{{number: 1, sdl: "type Query { a: Int b(c: Int d: E): Int f: Int } enum E { A }"}},
			nil, []string{"version 1: OPTIONAL_ARG_ADDED at Query.b(d:)", "version 1: E is new", "version 1: Query.b(d:) is new", "version 1: Query.f is new", "version 1: once that is released, make schema-release"},
		},
		"a new version":  {[]edition{{number: 1, sdl: sdl}}, []edition{{number: 1, sdl: sdl}, {number: 2, sdl: "type Query { x: Int }"}}, nil, []string{"version 2 has not been released"}},
		"words":          {[]edition{{number: 1, sdl: sdl}}, []edition{{number: 1, sdl: `"Reads." ` + sdl}}, nil, []string{"version 1: only descriptions"}},
		"a version gone": {[]edition{{number: 1, sdl: sdl}, {number: 2, sdl: sdl, sunset: tomorrow}}, nil, []string{"version 1: VERSION_REMOVED: it was released, no sunset was announced", "version 2: VERSION_REMOVED: it was released, its sunset is 2026-11-24"}, nil},
		"a version over": {[]edition{{number: 1, sdl: sdl, sunset: today.Truncate(24 * time.Hour)}}, nil, nil, nil},
		"over, and another in its place": {
			[]edition{{number: 1, sdl: sdl, sunset: lastYear}}, []edition{{number: 1, sdl: "type Query { x: Int }", sunset: lastYear}}, nil, nil,
		},
		"over, and goes on": {
			[]edition{{number: 1, sdl: sdl, sunset: lastYear}}, []edition{{number: 1, sdl: "type Query { a: Int }", sunset: tomorrow}},
			[]string{"FIELD_REMOVED at Query.b"}, []string{"version 1: once"},
		},
		"ends earlier":      {[]edition{{number: 1, sdl: sdl, sunset: tomorrow}}, []edition{{number: 1, sdl: sdl, sunset: lastYear}}, []string{"version 1: SUNSET_EARLIER: it was to end on 2026-11-24, and ends on 2025-11-23 now."}, nil},
		"ends later":        {[]edition{{number: 1, sdl: sdl, sunset: tomorrow}}, []edition{{number: 1, sdl: sdl, sunset: tomorrow.AddDate(1, 0, 0)}}, nil, nil},
		"ends unannounced":  {[]edition{{number: 1, sdl: sdl}}, []edition{{number: 1, sdl: sdl, sunset: lastYear}}, []string{"version 1: SUNSET_UNANNOUNCED"}, nil},
		"an end is set":     {[]edition{{number: 1, sdl: sdl}}, []edition{{number: 1, sdl: sdl, sunset: tomorrow}}, nil, nil},
		"elements over":     {[]edition{{number: 1, sdl: endsOn("2026-11-23")}}, []edition{{number: 1, sdl: sunsetDirective + "type Query { a: Int b: Int } enum E { B }"}}, nil, []string{"version 1: E.A has ended, as announced", "version 1: Query.b(c:) has ended", "version 1: Query.old has ended", "version 1: once"}},
		"elements not over": {[]edition{{number: 1, sdl: endsOn("2026-11-24")}}, []edition{{number: 1, sdl: sunsetDirective + "type Query { a: Int b: Int } enum E { B }"}}, []string{"VALUE_REMOVED_FROM_ENUM at E.A", "TYPE_REMOVED at Old", "ARG_REMOVED at Query.b(c:)", "FIELD_REMOVED at Query.old"}, []string{"version 1: once"}},
		"elements end unannounced": {
			[]edition{{number: 1, sdl: sunsetDirective + "type Query { a: Int b: Int c: Int }"}}, []edition{{number: 1, sdl: sunsetDirective + `type Query { a: Int @sunset(at: "2026-11-24") b: Int @sunset(at: "2026-11-23") c: Int }`}},
			[]string{"SUNSET_UNANNOUNCED at Query.b: it has ended on 2026-11-23"}, []string{"version 1: once"},
		},
		"elements end earlier": {
			[]edition{{number: 1, sdl: endsOn("2026-11-24")}}, []edition{{number: 1, sdl: endsOn("2026-11-23")}},
			[]string{"SUNSET_EARLIER at E.A", "SUNSET_EARLIER at Query.b(c:)", "SUNSET_EARLIER at Query.old: it was to end on 2026-11-24, and ends on 2026-11-23 now."}, []string{"version 1: once"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := release(dir, c.released, new(strings.Builder)); err != nil {
				t.Fatal(err)
			}
			found, err := examine(dir, c.served, today)
			if err != nil {
				t.Fatal(err)
			}
			occur(t, "problems", found.problems, c.problems)
			occur(t, "notes", found.notes, c.notes)
		})
	}
}

// endsOn is a schema of which some elements end on a day, and with them the only way to a type.
func endsOn(at string) string {
	sunset := ` @sunset(at: "` + at + `")`
	return sunsetDirective + "type Query { a: Int b(c: Int" + sunset + "): Int old: [Old!]" + sunset + " } type Old { e: E } enum E { A" + sunset + " B }"
}

func occur(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %q, want %q", what, got, want)
	}
	for i := range got {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("%s: got %q, want %q", what, got[i], want[i])
		}
	}
}

func TestExamineFiles(t *testing.T) {
	const sdl = "type Query { a: Int }"
	for name, c := range map[string]struct{ file, content, want string }{
		"no record":      {recordFile, "{", "versions.json: unexpected end"},
		"no day":         {recordFile, `[{"version": 1, "sunset": "soon"}]`, `version 1: want days such as 2026-11-23, not "soon"`},
		"no schema":      {"1.graphqls", "type Query {", "Expected Name"},
		"half a schema":  {"1.graphqls", "type Query { a: Gone }", "Undefined type Gone"},
		"no file at all": {"1.graphqls", "", "is missing, though the version was released"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := release(dir, []edition{{number: 1, sdl: sdl}}, new(strings.Builder)); err != nil {
				t.Fatal(err)
			}
			if c.content == "" {
				os.Remove(filepath.Join(dir, c.file))
			} else if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.content), 0o644); err != nil {
				t.Fatal(err)
			}
			found, err := examine(dir, []edition{{number: 1, sdl: sdl}}, today)
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				got = strings.Join(found.problems, "\n")
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

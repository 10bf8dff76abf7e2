package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/version/breaking"
)

// findings are what breaks clients of a released version, and what else there is to know.
type findings struct{ problems, notes []string }

func (f *findings) problem(format string, args ...any) {
	f.problems = append(f.problems, fmt.Sprintf(format, args...))
}

func (f *findings) note(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

func (f *findings) print(w io.Writer) {
	for _, note := range f.notes {
		fmt.Fprintln(w, note)
	}
	for _, problem := range f.problems {
		fmt.Fprintln(w, problem)
	}
}

// examine compares what is served with what was released of it. An error says that the files cannot be read.
func examine(dir string, current []edition, now time.Time) (*findings, error) {
	promises, err := readRecord(dir)
	if err != nil {
		return nil, err
	}
	found := &findings{}
	newest := 0
	for _, p := range promises {
		newest = max(newest, p.Version)
	}
	for _, p := range promises {
		i := slices.IndexFunc(current, func(e edition) bool { return e.number == p.Version })
		switch {
		case i < 0 && !p.ended(now):
			found.gone(p)
		case i < 0 || p.ended(now) && current[i].ended(now):
		default:
			found.sunset(p, current[i], now)
			if err := found.version(dir, current[i], newest, now); err != nil {
				return nil, err
			}
		}
	}
	for _, e := range current {
		if !slices.ContainsFunc(promises, func(p promise) bool { return p.Version == e.number }) {
			found.note("version %d has not been released: make schema-release puts it under guard", e.number)
		}
	}
	return found, nil
}

// gone tells of a version that was promised for longer.
func (f *findings) gone(p promise) {
	until := "no sunset was announced"
	if p.Sunset != "" {
		until = "its sunset is " + p.Sunset
	}
	f.problem("version %d: VERSION_REMOVED: it was released, %s, and the schema lists it no more.\n"+
		"  Put its @version back, with a sunset, and take it out when that day has come.", p.Version, until)
}

// sunset tells of a version that ends earlier than was said when it was released last.
func (f *findings) sunset(p promise, e edition, now time.Time) {
	switch {
	case e.sunset.IsZero():
	case p.Sunset == "" && e.ended(now):
		f.problem("version %d: SUNSET_UNANNOUNCED: it has ended on %s, and no release said that it would.\n"+
			"  Give it a day that is still to come.", p.Version, day(e.sunset))
	case day(e.sunset) < p.Sunset:
		f.problem("version %d: SUNSET_EARLIER: it was to end on %s, and ends on %s now.\n"+
			"  A day that was announced may only move away.", p.Version, p.Sunset, day(e.sunset))
	}
}

func (f *findings) version(dir string, e edition, newest int, now time.Time) error {
	raw, err := os.ReadFile(sdlFile(dir, e.number))
	if errors.Is(err, fs.ErrNotExist) {
		f.problem("version %d: %s is missing, though the version was released.\n  Bring it back from the history of the repository.", e.number, sdlFile(dir, e.number))
		return nil
	}
	if err != nil {
		return err
	}
	was, err := load(sdlFile(dir, e.number), string(raw))
	if err != nil {
		return err
	}
	is, err := load(fmt.Sprintf("version %d as it is served", e.number), e.sdl)
	if err != nil {
		return err
	}
	before := len(f.problems) + len(f.notes)
	kept, ended := withoutEnded(was, is, now)
	for _, change := range breaking.Between(kept, is) {
		f.problem("version %d: %s at %s: %s\n  %s", e.number, change.Kind, change.Coordinate, change.Message, advice(change.Kind, newest))
	}
	f.sunsets(e, sunsets(was), sunsets(is), now)
	for _, coordinate := range ended {
		f.note("version %d: %s has ended, as announced", e.number, coordinate)
	}
	for _, change := range breaking.Dangerous(kept, is) {
		f.note("version %d: %s at %s: %s", e.number, change.Kind, change.Coordinate, change.Message)
	}
	for _, coordinate := range breaking.Additions(was, is) {
		f.note("version %d: %s is new", e.number, coordinate)
	}
	switch {
	case len(f.problems)+len(f.notes) > before:
		f.note("version %d: once that is released, make schema-release puts it under guard", e.number)
	case string(raw) != e.sdl:
		f.note("version %d: only descriptions, prices, deprecations or the order differ from what was released", e.number)
	}
	return nil
}

// sunsets tells of elements that end earlier than was said, or have ended without a word.
func (f *findings) sunsets(e edition, was, is map[string]string, today time.Time) {
	for _, coordinate := range slices.Sorted(maps.Keys(is)) {
		if _, announced := was[coordinate]; !announced && is[coordinate] <= day(today) {
			f.problem("version %d: SUNSET_UNANNOUNCED at %s: it has ended on %s, and no release said that it would.\n"+
				"  Give it a day that is still to come.", e.number, coordinate, is[coordinate])
		}
	}
	for _, coordinate := range slices.Sorted(maps.Keys(was)) {
		if now, ok := is[coordinate]; ok && now < was[coordinate] {
			f.problem("version %d: SUNSET_EARLIER at %s: it was to end on %s, and ends on %s now.\n"+
				"  A day that was announced may only move away.", e.number, coordinate, was[coordinate], now)
		}
	}
}

// advice says how to have what a change is for and break nobody. Newest is the newest version that was released.
func advice(kind breaking.Kind, newest int) string {
	switch kind {
	case breaking.TypeRemoved, breaking.FieldRemoved, breaking.ArgRemoved, breaking.ValueRemovedFromEnum:
		return fmt.Sprintf("Put it back, with @until(version: %d), and with @deprecated where that may stand: the versions after that lack it.", newest)
	case breaking.FieldChangedKind, breaking.ArgChangedKind, breaking.TypeChangedKind:
		return fmt.Sprintf("Leave it as it was, with @until(version: %d), and add what it is to be under another name with @since(version: %d).", newest, newest+1)
	case breaking.RequiredArgAdded, breaking.RequiredInputFieldAdded, breaking.ArgBecameRequired, breaking.InputFieldBecameRequired:
		return "Give it a default value, or let it be null."
	default:
		return fmt.Sprintf("Take it back, or make the change at a new element with @since(version: %d).", newest+1)
	}
}

func load(name, sdl string) (*ast.Schema, error) {
	return gqlparser.LoadSchema(&ast.Source{Name: name, Input: sdl})
}

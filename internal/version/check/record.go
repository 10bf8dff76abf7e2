package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// recordFile says what was released and until when it was promised, since a version that has been taken out of the schema can no
// longer say so itself.
const recordFile = "versions.json"

// promise is what was said of a version when it was released last. Days are in UTC, such as 2026-11-23.
type promise struct {
	Version  int    `json:"version"`
	Released string `json:"released,omitempty"`
	Sunset   string `json:"sunset,omitempty"` // empty: until further notice
}

// ended: the day of the sunset has come.
func (p promise) ended(now time.Time) bool {
	return p.Sunset != "" && now.UTC().Format(time.DateOnly) >= p.Sunset
}

// readRecord reads what was released, the oldest first; nothing where nothing ever was.
func readRecord(dir string) ([]promise, error) {
	raw, err := os.ReadFile(filepath.Join(dir, recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var promises []promise
	if err := json.Unmarshal(raw, &promises); err != nil {
		return nil, fmt.Errorf("%s: %w", recordFile, err)
	}
	for _, p := range promises {
		for _, date := range []string{p.Released, p.Sunset} {
			if _, err := time.Parse(time.DateOnly, date); date != "" && err != nil {
				return nil, fmt.Errorf("%s: version %d: want days such as 2026-11-23, not %q", recordFile, p.Version, date)
			}
		}
	}
	return promises, nil
}

// release writes what is served now as what was released. What was promised of versions that are gone stays on record.
func release(dir string, current []edition, stdout io.Writer) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	promises, err := readRecord(dir)
	if err != nil {
		return err
	}
	for _, e := range current {
		if err := os.WriteFile(sdlFile(dir, e.number), []byte(e.sdl), 0o644); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "wrote %s\n", sdlFile(dir, e.number))
		promises = slices.DeleteFunc(promises, func(p promise) bool { return p.Version == e.number })
		promises = append(promises, promise{Version: e.number, Released: day(e.released), Sunset: day(e.sunset)})
	}
	slices.SortFunc(promises, func(a, b promise) int { return a.Version - b.Version })
	raw, err := json.MarshalIndent(promises, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, recordFile), append(raw, '\n'), 0o644)
}

func sdlFile(dir string, version int) string {
	return filepath.Join(dir, strconv.Itoa(version)+".graphqls")
}

// day writes a date; empty for none.
func day(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.DateOnly)
}

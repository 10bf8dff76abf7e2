package event_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"tributary/internal/event"
	"tributary/internal/event/eventtest"
)

func openSQLite(t testing.TB, path string) *event.SQLite {
	t.Helper()
	log, err := event.OpenSQLite(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func TestSQLite(t *testing.T) {
	eventtest.Run(t, func(t *testing.T) eventtest.Open {
		path := filepath.Join(t.TempDir(), "events?#% .db")
		return func(t *testing.T) (event.Log, event.Keeper) {
			log := openSQLite(t, path)
			return log, log
		}
	})
}

// TestSQLiteForgets looks for what was redacted in every byte of the files, the write-ahead log included.
func TestSQLiteForgets(t *testing.T) {
	dir := t.TempDir()
	log := openSQLite(t, filepath.Join(dir, "events.db"))
	defer log.Close()
	rememberSecret(t, log)
	if !foundInFiles(t, dir, secret) {
		t.Fatal("the files do not have the secret: the test looks in the wrong place")
	}
	// Readers that come and go do not keep the write-ahead log from being emptied.
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for ctx.Err() == nil {
				if _, err := log.Read(t.Context(), 0, 10); err != nil {
					t.Error(err)
				}
			}
		})
	}
	err := log.Redact(t.Context(), "user/secret")
	cancel()
	readers.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if foundInFiles(t, dir, secret) {
		t.Error("the files still have the secret")
	}
	if !foundInFiles(t, dir, "plain@example.org") {
		t.Error("other subjects were redacted too")
	}
}

const secret = "ada@secret.example"

// rememberSecret has the log keep a secret in data, short and over many pages, and as an actor.
func rememberSecret(t *testing.T, log event.Log) {
	t.Helper()
	var batch []event.Event
	for version, data := range []string{
		`{"email":"` + secret + `"}`, `{"bio":"` + string(bytes.Repeat([]byte(secret+" "), 1000)) + `"}`, `{"name":"x"}`,
	} {
		kind := "user.updated"
		if version == 0 {
			kind = "user.created"
		}
		e := event.Event{ID: data[:9], Type: kind, Subject: "user/secret", Time: time.Now(), Actor: secret, Version: int64(version + 1), Data: []byte(data)}
		other := e
		other.ID, other.Subject, other.Actor, other.Data = "o"+e.ID, "user/other", "u2", []byte(`{"email":"plain@example.org"}`)
		batch = append(batch, e, other)
	}
	if _, err := log.Append(t.Context(), "user", batch); err != nil {
		t.Fatal(err)
	}
}

func foundInFiles(t *testing.T, dir, text string) (found bool) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		found = found || bytes.Contains(content, []byte(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestSQLiteRefusesBadFiles(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, bytes.Repeat([]byte("not a database\n"), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{garbage, dir, filepath.Join(dir, "none", "events.db")} {
		if log, err := event.OpenSQLite(t.Context(), path, time.Now); err == nil {
			log.Close()
			t.Errorf("%s was opened", path)
		}
	}
	path := filepath.Join(dir, "events.db")
	openSQLite(t, path).Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the log: %v, %v", info.Mode(), err)
	}
}

// TestSQLiteClockGoesBack holds Trim to an order of recording that follows the positions, whatever the clock does.
func TestSQLiteClockGoesBack(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	log, err := event.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "events.db"), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	start := now
	for version, at := range []time.Duration{0, -time.Hour, time.Minute} {
		now = start.Add(at)
		e := event.Event{ID: at.String(), Type: "user.updated", Subject: "user/a", Version: int64(version + 1)}
		if _, err := log.Append(t.Context(), "user", []event.Event{e}); err != nil {
			t.Fatal(err)
		}
	}
	trimTo(t, log, start.Add(-time.Second), 1)
	trimTo(t, log, start, 3)
	trimTo(t, log, start.Add(time.Hour), 4)
}

func trimTo(t *testing.T, log *event.SQLite, before time.Time, first int64) {
	t.Helper()
	if err := log.Trim(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if bounds, err := log.Bounds(t.Context()); err != nil || bounds.First != first {
		t.Errorf("trimmed to %v the log has %+v, %v, want %d first", before, bounds, err, first)
	}
}

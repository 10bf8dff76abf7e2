package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tributary/internal/event"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gateway is the real way in over a real log, with trouble in front of it for the next deliveries.
func gateway(t *testing.T, log event.Log, trouble *atomic.Int64) string {
	t.Helper()
	key, err := event.ParseSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	in := &event.Ingest{Log: log, Secrets: map[string][][]byte{"post": {key}}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n := trouble.Add(-1); {
		case n < 0:
			in.ServeHTTP(w, r)
		case n%2 == 0: // it is kept, and nobody learns of it
			in.ServeHTTP(httptest.NewRecorder(), r)
			fallthrough
		default:
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func openLog(t *testing.T) event.Log {
	t.Helper()
	log, err := event.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "events.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

// titles reads the log and says what was published.
func titles(t *testing.T, log event.Log) (all []string) {
	t.Helper()
	events, err := log.Read(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		_, rest, _ := strings.Cut(string(e.Data), `"title":"`)
		title, _, _ := strings.Cut(rest, `"`)
		all = append(all, title)
	}
	return all
}

// TestOutboxArrivesOnce: over deliveries that are cut, answers that are lost and runs that end, each post is in the log once, in order.
func TestOutboxArrivesOnce(t *testing.T) {
	log, trouble := openLog(t), &atomic.Int64{}
	args := []string{"-db", filepath.Join(t.TempDir(), "posts.db"), "-events", gateway(t, log, trouble), "-secret", secret}
	var want, lines []string
	for i := range 250 {
		lines = append(lines, fmt.Sprint("post ", i))
	}
	for round, n := range []int64{0, 3, 4} {
		trouble.Store(n)
		want = append(want, lines...)
		if err := run(t.Context(), args, strings.NewReader(strings.Join(lines, "\n")), t.Output()); err != nil {
			t.Fatal(round, err)
		}
		if got := titles(t, log); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatal(round, len(got))
		}
	}
}

// TestOutboxStays sends what another process writes into its database, and beats.
func TestOutboxStays(t *testing.T) {
	log, trouble := openLog(t), &atomic.Int64{}
	path := filepath.Join(t.TempDir(), "posts.db")
	args := []string{"-db", path, "-events", gateway(t, log, trouble), "-secret", secret, "-stay"}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- run(ctx, args, strings.NewReader("one"), t.Output()) }()
	if err := log.Wait(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	other, err := openStore(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.publish(t.Context(), "u2", "two"); err != nil {
		t.Fatal(err)
	}
	if err := log.Wait(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := titles(t, log); fmt.Sprint(got) != "[one two]" {
		t.Fatal(got)
	}
}

func TestOutboxIsRefused(t *testing.T) {
	log := openLog(t)
	url := gateway(t, log, &atomic.Int64{})
	path := filepath.Join(t.TempDir(), "posts.db")
	other := "whsec_" + strings.Repeat("QUJD", 10)
	err := run(t.Context(), []string{"-db", path, "-events", url, "-secret", other}, strings.NewReader("x"), t.Output())
	if refused, ok := errors.AsType[*refusal](err); !ok || !strings.HasPrefix(refused.status, "401") || strings.Contains(err.Error(), other[6:]) {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE outbox SET version = 2"); err != nil {
		t.Fatal(err)
	}
	err = run(t.Context(), []string{"-db", path, "-events", url, "-secret", secret}, strings.NewReader(""), t.Output())
	if err == nil || !strings.Contains(err.Error(), `"index":0,"expected":1`) {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"-secret", "whsec_x"}, nil, t.Output()); err == nil {
		t.Fatal("a secret that is none")
	}
}

package webhook_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tributary/internal/event"
	"tributary/internal/work/dispatch"
	"tributary/internal/work/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	admin = webhook.Caller{Admin: true}
	ann   = webhook.Caller{UserID: "ann"}
	bob   = webhook.Caller{UserID: "bob"}
)

// ping is any event.
var ping = event.Event{ID: "e", Source: "post", Type: "post.created", Subject: "post/p1", Data: json.RawMessage(`{}`)}

// given is a secret that a caller brings.
const given = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="

// bench is the whole of webhooks over a log that a test writes.
type bench struct {
	*testing.T
	log        event.Log
	store      dispatch.Store
	dispatcher *dispatch.Dispatcher
	sender     *webhook.Sender
	*webhook.Endpoints
	mu       sync.Mutex
	now      time.Time // zero: the time that it is
	versions map[string]int64
}

// setup is how a bench differs from one on loopback with the defaults.
type setup struct {
	targets webhook.TargetOptions
	sender  webhook.SenderOptions
	options webhook.Options
}

func newBench(t *testing.T, change func(*setup)) *bench {
	t.Helper()
	b := &bench{T: t, versions: map[string]int64{}}
	s := setup{targets: webhook.TargetOptions{AllowHTTP: true, AllowLoopback: true}}
	s.sender.Now, s.options.Now = b.clock, b.clock
	if change != nil {
		change(&s)
	}
	log, err := event.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "events.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	store, err := dispatch.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "webhooks.db"))
	if err != nil {
		t.Fatal(err)
	}
	targets := webhook.NewTargets(s.targets)
	b.log, b.store = log, store
	b.sender = webhook.NewSender(store, targets, s.sender)
	b.dispatcher = dispatch.New(store, log, b.sender.Send, dispatch.Options{Scale: 0.001})
	b.Endpoints = webhook.New(store, log, b.dispatcher, targets, s.options)
	t.Cleanup(func() {
		b.sender.Close()
		_, _ = log.Close(), store.Close()
	})
	return b
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now.IsZero() {
		return time.Now()
	}
	return b.now
}

func (b *bench) setClock(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = now
}

// run has the dispatcher run until the test ends.
func (b *bench) run() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	done := make(chan error)
	go func() { done <- b.dispatcher.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-done })
}

// write appends an event that happened at a time.
func (b *bench) write(kind, subject string, at time.Time, data string) event.Event {
	b.Helper()
	b.versions[subject]++
	e := event.Event{
		ID: fmt.Sprintf("%s.%d", subject, b.versions[subject]), Source: "post", Type: kind, Subject: subject, Actor: "u1",
		Version: b.versions[subject], Time: at.UTC(), Data: json.RawMessage(data),
	}
	if _, err := b.log.Append(b.Context(), "post", []event.Event{e}); err != nil {
		b.Fatal(err)
	}
	bounds, err := b.log.Bounds(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.dispatcher.Notify(bounds.Last)
	return e
}

// create makes an endpoint for everything.
func (b *bench) create(caller webhook.Caller, url string) webhook.Endpoint {
	b.Helper()
	made, _, err := b.Create(b.Context(), caller, webhook.NewEndpoint{URL: url, EventTypes: []string{"*"}, Secret: given})
	if err != nil {
		b.Fatal(err)
	}
	return made
}

// ping is the delivery of a ping to a URL.
func (b *bench) ping(url string) webhook.Delivery {
	b.Helper()
	d, err := b.Ping(b.Context(), admin, b.create(admin, url).ID)
	if err != nil {
		b.Fatal(err)
	}
	return d
}

// until waits for something to become true.
func (b *bench) until(what string, holds func() bool) {
	b.Helper()
	for start := time.Now(); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Since(start) > 20*time.Second {
			b.Fatalf("not so after 20 s: %s", what)
		}
	}
}

// request is what a receiver got.
type request struct {
	header http.Header
	body   []byte
}

// receiver is a server that answers 204, or as answer does, and keeps what it got.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []request
	answer http.HandlerFunc
}

func receive(t *testing.T, answer http.HandlerFunc) *receiver {
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	r.mu.Lock()
	r.got = append(r.got, request{q.Header, body})
	r.mu.Unlock()
	if r.answer != nil {
		r.answer(w, q)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (r *receiver) requests() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// ids are the webhook-ids that it got.
func (r *receiver) ids() (ids []string) {
	for _, q := range r.requests() {
		ids = append(ids, q.header.Get("webhook-id"))
	}
	return ids
}

func pool(s *httptest.Server) *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return roots
}

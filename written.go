package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"tributary/clients"
	"tributary/internal/auth"
	"tributary/internal/limit"
)

const (
	// rememberWithin is how long a write that has been done may wait for Redis to keep it.
	rememberWithin = 50 * time.Millisecond
	// complainEvery is how often writes that cannot be read are logged at most.
	complainEvery = time.Minute
)

// written has callers see at once what they wrote through another replica: each write is kept in Redis under its caller, and comes
// back with the one call that the limiter makes for that caller's next operations.
type written struct {
	store    *limit.Redis
	apply    func([]clients.Change) // is to do nothing for changes that it has seen
	lost     func(reason string)
	log      *slog.Logger
	known    payloads
	complain atomic.Int64 // when next, in nanoseconds since 1970
}

// writtenChange is clients.Change as replicas of any version tell it to each other: members are added, never given another meaning, and those
// that are not known are left out.
type writtenChange struct {
	Kind    string `json:"k"`
	ID      string `json:"i"`
	Version int    `json:"v,omitzero"`
	Type    string `json:"t,omitzero"`
	Mark    string `json:"m,omitzero"`

	AuthorIDs []string `json:"a,omitempty"`
	PostIDs   []string `json:"p,omitempty"`
	ParentIDs []string `json:"r,omitempty"`
	Handles   []string `json:"h,omitempty"`

	Moved bool `json:"moved,omitzero"`
	Draft bool `json:"draft,omitzero"`
	Gone  bool `json:"gone,omitzero"`
}

// remember keeps a write, but waits no longer than a moment: it has been done, and is answered whatever becomes of this.
func (w *written) remember(ctx context.Context, done clients.Change) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rememberWithin) // who has left may come back
	defer cancel()
	viewer := auth.FromContext(ctx)
	payload, err := json.Marshal(writtenChange(done))
	if err == nil {
		w.learn(string(payload), done)
		err = w.store.Remember(ctx, limit.WriterOf(limit.Caller{UserID: viewer.UserID, KeyID: viewer.KeyID}), string(payload))
	}
	timeout, ok := errors.AsType[net.Error](err)
	switch {
	case err == nil:
	case errors.Is(err, limit.ErrWriteTooLong):
		w.lost("size")
	case ctx.Err() != nil || ok && timeout.Timeout():
		w.lost("timeout")
	default:
		w.lost("error")
	}
}

// recent drops what a caller's writes have made out of date here, but for those that are known.
func (w *written) recent(_ context.Context, writes []string) {
	for _, payload := range w.known.without(writes) {
		var told writtenChange
		if err := json.Unmarshal([]byte(payload), &told); err != nil || told.Kind == "" || told.ID == "" {
			w.unreadable()
			continue
		}
		w.apply([]clients.Change{clients.Change(told)})
		w.learn(payload, clients.Change(told)) // not before: others would go on without it
	}
}

// learn takes note of a payload whose change has been applied. Changes that cannot be told apart are applied every time.
func (w *written) learn(payload string, applied clients.Change) {
	if applied.Version != 0 || applied.Mark != "" {
		w.known.add(payload)
	}
}

// unreadable logs that a write is ignored, once in a while.
func (w *written) unreadable() {
	now, next := time.Now(), w.complain.Load()
	if now.UnixNano() >= next && w.complain.CompareAndSwap(next, now.Add(complainEvery).UnixNano()) {
		w.log.Warn("a recent write in Redis cannot be read: do all replicas run the same version?")
	}
}

// payloads are those that need not be read again, the latest ones. The zero value is ready. Safe for concurrent use.
type payloads struct {
	mu            sync.Mutex
	recent, older map[string]struct{}
}

// payloadsBound is how many each half of the memory may hold, of about 100 bytes as a rule and 2 KiB at most.
const payloadsBound = 1 << 12

// without gives those of a list that are not known.
func (p *payloads) without(list []string) (unknown []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, payload := range list {
		_, recently := p.recent[payload]
		_, before := p.older[payload]
		if !recently && !before {
			unknown = append(unknown, payload)
		}
	}
	return unknown
}

func (p *payloads) add(payload string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.recent == nil || len(p.recent) >= payloadsBound {
		p.recent, p.older = make(map[string]struct{}), p.recent
	}
	p.recent[payload] = struct{}{}
}

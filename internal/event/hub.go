package event

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Hub takes the events of a log, as they come, to those in this process who ask for them: first to the taps, then to the
// subscriptions on one of the event's topics. It is the one tailer of a replica; an event costs it nothing for those who did not
// ask. It is safe for concurrent use.
type Hub struct {
	log      Log
	options  HubOptions
	taps     []func([]Event)
	started  chan struct{} // closed once position and logID hold, or Run has ended
	found    bool          // the log, by Run
	replays  chan struct{} // a token for each replaying read under way
	position atomic.Int64  // all up to here has been fanned out; changes under mu

	mu     sync.Mutex
	logID  string
	seen   Event // the last event that was fanned out, to know the log again by; the zero Event before the first
	topics map[string]map[*Subscription]struct{}
	all    map[*Subscription]struct{} // that were not closed, those that are still behind too
	ended  bool
}

// HubOptions are the bounds of a Hub. What is zero has its default.
type HubOptions struct {
	MaxReplay        int64         // events that a subscription may go back; default 100,000
	MaxSubscriptions int           // at a time; default 100,000
	MaxTopics        int           // of one subscription; default 1,000
	CheckEvery       time.Duration // how long a quiet log is waited for before it is asked whether it is still the same; default 5 s
	Logger           *slog.Logger  // default: none
	Observer         HubObserver
}

// HubObserver is told what a hub does. Any of its functions may be nil; they are called concurrently and must not block.
type HubObserver struct {
	Subscriptions func(delta int) // so many more, or fewer
	Delivered     func(n int)     // an event was put into the buffers of so many subscriptions
	Dropped       func()          // a subscription was ended because it was too slow
	Failed        func()          // the log could not be read; it will be tried again
	// Lost is told before the hub goes on at the log's end after a break: events were trimmed before the hub had read them, or the
	// log is another one or has lost its end. Every subscription was ended; who relies on a tap has to forget all that it kept. It
	// must not call the hub.
	Lost func()
}

// The refusals of a Hub beside ErrCursor.
var (
	ErrEnded         = errors.New("the subscription has ended")
	ErrSubscriptions = errors.New("there are too many subscriptions")
)

// NewHub makes a Hub that reads a log. Nothing is started: see Run.
func NewHub(log Log, options HubOptions) *Hub {
	options.MaxReplay = orStandard(options.MaxReplay, 100_000)
	options.MaxSubscriptions = orStandard(options.MaxSubscriptions, 100_000)
	options.MaxTopics = orStandard(options.MaxTopics, 1_000)
	options.CheckEvery = orStandard(options.CheckEvery, 5*time.Second)
	return &Hub{log: log, options: options, started: make(chan struct{}), replays: make(chan struct{}, maxReplaying),
		topics: map[string]map[*Subscription]struct{}{}, all: map[*Subscription]struct{}{}}
}

// Tap has f called with every batch of events, in order and without a gap, before any subscription sees one of them: a cache that
// a tap invalidates is never behind a subscriber. F must not keep or change the slice. Not to be called once Run was.
func (h *Hub) Tap(f func(events []Event)) { h.taps = append(h.taps, f) }

// Position returns the place in the log up to which all events have been fanned out; 0 before Run has found the log.
func (h *Hub) Position() int64 { return h.position.Load() }

// Lag returns how many events of the log have not been fanned out. It asks the log.
func (h *Hub) Lag(ctx context.Context) (int64, error) {
	bounds, err := h.log.Bounds(ctx)
	return max(0, bounds.Last-h.Position()), err
}

// fan puts one event into the buffers of those who asked for it.
func (h *Hub) fan(e *Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delivered := 0
	for _, topic := range Topics(*e) {
		for s := range h.topics[topic] {
			switch s.push(e) {
			case pushed:
				delivered++
			case overflowed:
				h.withdraw(s)
				call(h.options.Observer.Dropped)
			}
		}
	}
	h.seen = *e
	h.position.Store(e.Position)
	if h.options.Observer.Delivered != nil {
		h.options.Observer.Delivered(delivered)
	}
}

// admit takes a subscription in, though not yet to be delivered to. A cursor's log has to be the one that the hub reads.
func (h *Hub) admit(s *Subscription, after *Cursor) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.ended:
		return ErrEnded
	case len(h.all) >= h.options.MaxSubscriptions:
		return ErrSubscriptions
	case after != nil && after.Log != h.logID:
		return ErrCursor
	}
	s.logID = h.logID
	h.all[s] = struct{}{}
	if h.options.Observer.Subscriptions != nil {
		h.options.Observer.Subscriptions(1)
	}
	return nil
}

// join has the events behind the hub's place delivered to a subscription, if there are at most gap between its place and the
// hub's, which it returns. It may be called again.
func (h *Hub) join(s *Subscription, gap int64) (position int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	position = h.position.Load()
	if _, in := h.all[s]; in && s.start(position, gap) {
		for _, topic := range s.topics {
			if h.topics[topic] == nil {
				h.topics[topic] = map[*Subscription]struct{}{}
			}
			h.topics[topic][s] = struct{}{}
		}
	}
	return position
}

// withdraw takes a subscription out of the index; the caller holds mu.
func (h *Hub) withdraw(s *Subscription) {
	for _, topic := range s.topics {
		delete(h.topics[topic], s)
		if len(h.topics[topic]) == 0 {
			delete(h.topics, topic)
		}
	}
}

// leave forgets a subscription.
func (h *Hub) leave(s *Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, in := h.all[s]; !in {
		return
	}
	delete(h.all, s)
	h.withdraw(s)
	if h.options.Observer.Subscriptions != nil {
		h.options.Observer.Subscriptions(-1)
	}
}

// endAll ends every subscription; the caller holds mu.
func (h *Hub) endAll(err error) {
	for s := range h.all {
		s.end(err)
	}
	clear(h.topics)
}

// distinct returns the topics without repetition, in an array of their own.
func distinct(topics []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(topics)))
}

func call(f func()) {
	if f != nil {
		f()
	}
}

package dispatch

import (
	"maps"
	"strings"
	"time"

	"tributary/internal/event"
)

type taskState int

const (
	waiting taskState = iota
	flying
	settled
	failed
)

// task is one event that a consumer is to get.
type task struct {
	event    event.Event
	state    taskState
	attempts int       // that failed
	shared   bool      // while it is flying: it has a token of Dispatcher.shared
	failedAt time.Time // the last time
	retryAt  time.Time // then it may be tried again
	final    bool      // it has failed for too long
}

// finished is a task whose delivery has ended.
type finished struct {
	task   *task
	result Result
	at     time.Time
	took   time.Duration
}

// begin begins what may be: the first waiting one of each subject, and nothing behind one that failed. A consumer that fails is
// sent only its first.
func (s *stream) begin() {
	busy := make(map[string]bool, len(s.tasks))
	for i, t := range s.tasks {
		switch {
		case t.state == failed, s.halt != nil, s.gone, s.flying >= s.d.options.Window, s.c.State == Failing && i > 0:
			return
		case t.state == settled || busy[t.event.Subject]:
			continue
		}
		busy[t.event.Subject] = true
		if t.state == flying {
			continue
		}
		if !s.leased() {
			s.halt = ErrLeaseLost
			return
		}
		if s.flying > 0 && !s.share(t) {
			return // one that is under way will end
		}
		s.launch(t)
	}
}

// share takes a token for a delivery beside the consumer's first, if there is one left.
func (s *stream) share(t *task) bool {
	select {
	case s.d.shared <- struct{}{}:
		t.shared = true
		return true
	default:
		return false
	}
}

func (s *stream) launch(t *task) {
	t.state = flying
	s.flying++
	c, attempt := s.c, t.attempts+1
	go func() { // waited for by run, which takes as many results as it has launched
		at := time.Now()
		result := s.d.send(s.sends, c, t.event, attempt)
		s.results <- finished{t, result, at.UTC().Round(0), time.Since(at)}
	}()
}

// settle takes in how a delivery ended.
func (s *stream) settle(f finished) {
	t, r := f.task, f.result
	t.state = waiting
	s.flying--
	if t.shared {
		t.shared = false
		<-s.d.shared
	}
	if !r.settled() && s.sends.Err() != nil {
		return // it was cut off: that says nothing of the receiver
	}
	d := delivery(t.event, t.attempts+1, f)
	if r.settled() {
		t.state = settled
		if s.c.State == Failing {
			s.recover()
		}
	} else {
		s.fail(t, f)
		if !s.gone && !t.final {
			d.NextRetry = t.retryAt
		}
	}
	for len(s.tasks) > 0 && s.tasks[0].state == settled {
		s.tasks = s.tasks[1:]
	}
	if !r.Skipped {
		s.pending = append(s.pending, d)
		s.d.attempted(s.c, d)
	}
}

func (s *stream) fail(t *task, f finished) {
	t.state = failed
	t.attempts++
	t.failedAt = f.at.Add(f.took)
	t.retryAt = t.failedAt.Add(s.d.options.rest(t.attempts, f.result.RetryAfter))
	if s.d.options.Durable(s.c) {
		return
	}
	s.gone = s.gone || f.result.Gone
	since := s.c.FailingSince
	t.final = !since.IsZero() && t.failedAt.Sub(since) >= s.d.options.scaled(s.d.options.GiveUp)
}

func (s *stream) failed() bool {
	for _, t := range s.tasks {
		if t.state == failed {
			return true
		}
	}
	return false
}

// recover makes a consumer that failed active again.
func (s *stream) recover() {
	s.c.State, s.c.Attempts, s.c.FailingSince, s.c.RetryAt = Active, 0, time.Time{}, time.Time{}
}

// remember keeps what is known of events that the consumer has not got behind it.
func (s *stream) remember() {
	s.forget()
	s.passed = s.low()
	for _, t := range s.tasks {
		if t.state == settled || t.attempts > 0 {
			s.known[t.event.Position] = trace{t.state == settled, t.attempts}
		}
	}
}

// forget drops what is known of events that the consumer has got behind it.
func (s *stream) forget() {
	low := s.low()
	maps.DeleteFunc(s.known, func(position int64, _ trace) bool { return position <= low })
}

// maxExcerpt bounds Delivery.Excerpt.
const maxExcerpt = 1 << 10

// delivery is what is written down of an attempt.
func delivery(e event.Event, attempt int, f finished) Delivery {
	excerpt := f.result.Excerpt
	excerpt = strings.ToValidUTF8(excerpt[:min(len(excerpt), maxExcerpt)], "")
	return Delivery{
		EventID: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, Position: e.Position, Attempt: attempt,
		At: f.at, Took: f.took, Outcome: f.result.outcome(), Status: f.result.Status, Excerpt: excerpt, Problem: f.result.Problem,
	}
}

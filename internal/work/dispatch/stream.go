package dispatch

import (
	"cmp"
	"context"
	"errors"
	"time"

	"tributary/internal/event"
)

const (
	// mostUnwritten and longestUnwritten are how far, and for how long, a consumer may pass by events that it does not want before
	// that is written down.
	mostUnwritten    = 500
	longestUnwritten = 5 * time.Second
)

// stream delivers to a consumer until a delivery fails or something else gets in the way.
type stream struct {
	*runner
	c       Consumer  // kept, and what has come of deliveries since
	tasks   []*task   // for the wanted events behind low, in order; the first is not settled
	scanned int64     // up to here the log was looked through
	more    bool      // there may be more to read at once
	flying  int       // tasks
	written time.Time // when the progress was written last
	results chan finished
	changed <-chan struct{}  // closed once the log has more
	grace   <-chan time.Time // ends some time after ctx
	halt    error            // why nothing is begun any more
	gone    bool             // the receiver wants nothing any more
}

func newStream(r *runner) *stream {
	return &stream{
		runner: r, c: r.kept, scanned: max(r.kept.Position, r.passed), written: time.Now(), results: make(chan finished, r.d.options.Window),
	}
}

// run returns nil after a delivery has failed and that was written down: the consumer is Failing or Disabled then. When it returns
// nothing is under way.
func (s *stream) run(ctx context.Context) error {
	defer s.remember()
	for {
		if s.halt == nil {
			s.halt = s.fill(ctx)
		}
		s.begin()
		if s.flying == 0 && (s.halt != nil || s.failed() || s.gone || s.finished()) {
			return s.end(ctx)
		}
		if s.halt == nil && s.due() {
			s.halt = s.flush(ctx)
		}
		s.wait(ctx)
	}
}

// end writes down what has come, be it that ctx has ended. It tries as long as the consumer is held: what failed would go out again at
// once if nobody knew that it has.
func (s *stream) end(ctx context.Context) error {
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.d.options.Lease*3/10)
		err := s.flush(writing)
		cancel()
		if err == nil || errors.Is(err, ErrLeaseLost) || ctx.Err() != nil {
			return cmp.Or(err, s.halt)
		}
		s.d.options.Logger.WarnContext(ctx, "progress of a consumer cannot be written", "consumer", s.id, "error", err, "again_in", pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// finished says whether a replay has come to its end.
func (s *stream) finished() bool { return s.c.Until > 0 && s.low() >= s.c.Until }

// low is the place up to which everything is settled or was not wanted.
func (s *stream) low() int64 {
	if len(s.tasks) > 0 {
		return s.tasks[0].event.Position - 1
	}
	return s.scanned
}

// fill reads a page if there is room for its events, and none has failed.
func (s *stream) fill(ctx context.Context) error {
	s.more, s.changed = false, nil
	if len(s.tasks) > page/2 || (len(s.tasks) > 0 && len(s.known) > page) || s.failed() || s.gone || (s.c.State == Failing && len(s.tasks) > 0) {
		return nil
	}
	last, changed := s.d.news.read()
	s.changed = changed
	if s.c.Until > 0 {
		last = min(last, s.c.Until)
	}
	if s.scanned >= last {
		if s.c.State == Failing { // what failed is not wanted any more
			s.recover()
		}
		return nil
	}
	events, err := s.d.pages.read(ctx, s.scanned, page-len(s.tasks))
	if err != nil {
		return err
	}
	for _, e := range events {
		if e.Position != s.scanned+1 {
			return event.ErrTrimmed
		}
		if e.Position > last {
			break
		}
		s.scanned = e.Position
		if known := s.known[e.Position]; wants(s.c.Types, e) && !known.settled {
			s.add(e, known.attempts)
		}
	}
	s.more = len(events) > 0
	return nil
}

// add adds a task. Of the event behind the place of a consumer that fails the store knows how often it has failed.
func (s *stream) add(e event.Event, attempts int) {
	if s.c.State == Failing && len(s.tasks) == 0 {
		attempts = max(attempts, s.c.Attempts)
	}
	s.tasks = append(s.tasks, &task{event: e, attempts: attempts})
}

// due says whether progress is to be written.
func (s *stream) due() bool {
	moved := s.low() - s.kept.Position
	return len(s.pending) > 0 || moved >= mostUnwritten || (moved > 0 && time.Since(s.written) >= longestUnwritten)
}

// wait waits for something to do. Once ctx has ended, deliveries under way have some time left.
func (s *stream) wait(ctx context.Context) {
	var changed, ended <-chan struct{}
	var timer <-chan time.Time
	switch {
	case s.halt != nil:
	case s.more:
		timer = time.After(0)
	default:
		changed = s.changed
		if s.low() > s.kept.Position {
			timer = time.After(time.Until(s.written.Add(longestUnwritten)))
		}
	}
	if s.grace == nil {
		ended = ctx.Done()
	}
	select {
	case f := <-s.results:
		s.settle(f)
	case <-s.poked:
		s.halt = cmp.Or(s.halt, error(errPoked))
	case <-ended:
		s.halt = ctx.Err()
		s.grace = time.After(s.d.options.Grace)
	case <-s.grace:
		s.kill()
	case <-changed:
	case <-timer:
	}
	for range len(s.results) { // what else has ended is written down together
		s.settle(<-s.results)
	}
}

// flush writes down how far the consumer is, if that is not written yet.
func (s *stream) flush(ctx context.Context) error {
	next := s.c
	next.Position = s.low()
	if len(s.tasks) > 0 && s.tasks[0].state == failed {
		head := s.tasks[0]
		next.State, next.Attempts, next.RetryAt = Failing, head.attempts, head.retryAt
		if next.FailingSince.IsZero() {
			next.FailingSince = head.failedAt
		}
		if head.final {
			next.State, next.Reason, next.RetryAt = Disabled, ReasonTooLong, time.Time{}
		}
	}
	if s.gone {
		next.State, next.Reason, next.RetryAt = Disabled, ReasonGone, time.Time{}
	}
	if len(s.pending) > 0 || progressOf(next) != progressOf(s.kept) {
		if err := s.write(ctx, next); err != nil {
			return err
		}
	}
	s.c, s.written = s.kept, time.Now()
	s.forget()
	return nil
}

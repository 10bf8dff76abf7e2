package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// EventSink is where the services deliver the events of their outboxes.
type EventSink struct {
	// URL is that of POST /events.
	URL string
	// Secrets has the key of every service that runs, by its name: the bytes that sign, without whsec_ and base64.
	Secrets map[string][]byte

	pace pace
}

// pace is how fast a deliverer goes. Zero values are the defaults.
type pace struct {
	beat        time.Duration // between heartbeats, and looks for rows of other processes
	rest        time.Duration // after the first failure; it doubles with every further one
	longestRest time.Duration
	retry       time.Duration // between attempts for a subject that is parked
	doubt       time.Duration // after which the sink is asked what it keeps before it gets more
}

func (p pace) withDefaults() pace {
	orDefault := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	orDefault(&p.beat, time.Second)
	orDefault(&p.rest, 100*time.Millisecond)
	orDefault(&p.longestRest, 5*time.Second)
	orDefault(&p.retry, time.Minute)
	orDefault(&p.doubt, 50*time.Millisecond)
	return p
}

// deliverer brings the events of one outbox to the sink, in order for every subject and at least once; the sink knows
// by their ids those that it has. It remembers nothing of its own: the sink says which sequence it kept last. A sink
// that loses its latest events shows it by a lower one, but no longer once it has taken later ones: so after a failure,
// and after a silence in which it may have been restarted, it is asked before it gets more.
type deliverer struct {
	*dispatch
	store  *store
	faults *Faults
	pace   pace
	log    *slog.Logger
	now    func() time.Time

	known    bool  // what the sink keeps; false before its first answer
	kept     int64 // the last sequence that the sink keeps, as it said
	position int64 // behind the last row that was offered; those of parked subjects are passed by
	failures int   // in a row
}

// newDeliverer fails if the sink cannot be used. It starts nothing.
func newDeliverer(sink *EventSink, a *api, faults *Faults) (*deliverer, error) {
	service := a.store.definition.name
	target, err := url.Parse(sink.URL)
	if err != nil || target.Host == "" || (target.Scheme != "http" && target.Scheme != "https") {
		return nil, fmt.Errorf("%s service: events need the http address of their sink", service)
	}
	secret := sink.Secrets[service]
	if len(secret) == 0 {
		return nil, fmt.Errorf("%s service: there is no secret to sign its events with", service)
	}
	return &deliverer{
		dispatch: newDispatch(target.String(), service, secret, a.now),
		store:    a.store, faults: faults, pace: sink.pace.withDefaults(), log: a.log, now: a.now,
	}, nil
}

// run delivers until ctx ends. It may be called once.
func (d *deliverer) run(ctx context.Context) {
	defer d.client.CloseIdleConnections()
	for d.awaitUp(ctx) {
		idle, err := d.round(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d.known = false // the sink may have lost something meanwhile
			d.restAfter(ctx, err)
		case idle:
			d.failures = 0
			d.await(ctx)
		default:
			d.failures = 0
		}
	}
}

// round delivers one batch of everything that waits, and says whether nothing did.
func (d *deliverer) round(ctx context.Context) (idle bool, err error) {
	if !d.known {
		return false, d.meet(ctx)
	}
	rows, err := d.waiting(ctx)
	if err != nil {
		return false, err
	}
	if len(rows) > 0 && time.Since(d.lastPost) > d.pace.doubt {
		return false, d.beat(ctx) // it may rewind
	}
	if len(rows) > 0 {
		end := rows[len(rows)-1].seq
		if _, err := d.offer(ctx, rows); err != nil {
			return false, err
		}
		d.position = max(d.position, end)
		d.settle()
	}
	retried, err := d.retryParked(ctx)
	if err != nil {
		return false, err
	}
	told, err := d.tell(ctx)
	if err != nil || told || retried || len(rows) > 0 {
		return false, err
	}
	if time.Since(d.lastPost) < d.pace.beat {
		return true, nil
	}
	return true, d.beat(ctx)
}

// meet asks the sink where to begin.
func (d *deliverer) meet(ctx context.Context) error {
	if err := d.beat(ctx); err != nil {
		return err
	}
	if err := d.retryAllSoon(ctx); err != nil {
		return err
	}
	last, err := d.lastSequence(ctx)
	if err != nil {
		return err
	}
	// What was on its way when something broke may have arrived after a loss and hidden it: a batch more is offered.
	d.known, d.kept, d.position = true, d.answered, max(d.answered-maxBatchEvents, 0)
	if d.kept > last { // it speaks of another file: everything is offered
		d.position = 0
	}
	d.log.InfoContext(ctx, "events are delivered", "from", d.position, "kept", d.kept)
	return nil
}

// settle compares what the sink says it keeps with what it said before: if it lost events they are offered again, as
// far as the outbox has them. It does not compare with the position: rows that the sink knew otherwise, or that are
// parked, do not count there.
func (d *deliverer) settle() {
	if d.answered < d.kept {
		d.log.Info("the sink lost events", "kept", d.answered, "had", d.kept)
		d.position = min(d.position, d.answered)
	}
	d.kept = d.answered
}

// beat posts an empty batch, and rewinds if the answer asks for it.
func (d *deliverer) beat(ctx context.Context) error {
	r, err := d.post(ctx, nil)
	if err != nil {
		return err
	}
	if r.status != http.StatusOK {
		return r.setback("a heartbeat was refused")
	}
	if d.known {
		d.settle()
	}
	return nil
}

// await waits for a commit of this process or for the next beat.
func (d *deliverer) await(ctx context.Context) {
	timer := time.NewTimer(max(d.pace.beat-time.Since(d.lastPost), 0))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-d.store.committed:
	case <-timer.C:
	}
}

// awaitUp waits while the service is made to be down: it is the same process. It returns false when ctx ended.
func (d *deliverer) awaitUp(ctx context.Context) bool {
	for {
		fault := d.faults.current.Load()
		if fault == nil || !fault.Down {
			return ctx.Err() == nil
		}
		select {
		case <-ctx.Done():
			return false
		case <-fault.lifted:
		}
	}
}

// restAfter waits after a failure, each time for longer and never at the same moment as others. Commits do not cut it
// short.
func (d *deliverer) restAfter(ctx context.Context, err error) {
	level := slog.LevelDebug
	if d.failures == 0 {
		level = slog.LevelInfo
	}
	rest := min(d.pace.longestRest, d.pace.rest<<min(d.failures, 16))
	rest = rest/2 + rand.N(rest/2+1)
	s, answered := errors.AsType[*setback](err)
	switch {
	case answered:
		rest = max(rest, s.after)
		if s.denied && d.failures == 0 {
			level = slog.LevelError
		}
	case d.failures == 0: // the outbox could not be read, or not be written to
		level = slog.LevelError
	}
	d.failures++
	d.log.Log(ctx, level, "events cannot be delivered for now", "error", err, "again_in", rest)
	timer := time.NewTimer(rest)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// lastSequence is the highest sequence that the outbox ever gave.
func (d *deliverer) lastSequence(ctx context.Context) (int64, error) {
	rows, err := d.store.read.query(ctx, "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0)")
	if err != nil {
		return 0, err
	}
	return scanOne[int64](rows)
}

package demo

import (
	"context"
	"net/http"
	"slices"
)

// offering is what becomes of one batch.
type offering struct {
	*deliverer
	stuck    map[string]bool  // the subjects that were parked on the way
	expected map[string]int64 // of subjects that were mended: what the sink wanted
}

// offer posts events, does what the answers ask for, and posts what is left of them until the sink has all that it
// takes. It returns the subjects that were parked. After an error nothing is known of the events.
func (d *deliverer) offer(ctx context.Context, events []outgoing) (stuck map[string]bool, err error) {
	o := &offering{deliverer: d, stuck: map[string]bool{}, expected: map[string]int64{}}
	return o.stuck, o.offer(ctx, slices.Clone(events))
}

func (o *offering) offer(ctx context.Context, events []outgoing) error {
	for len(events) > 0 {
		r, err := o.post(ctx, events)
		if err != nil {
			return err
		}
		o.log.DebugContext(ctx, "events were posted", "events", len(events), "status", r.status)
		switch blamed := r.index >= 0 && r.index < len(events); {
		case r.status == http.StatusOK:
			return nil
		case blamed && r.status == http.StatusConflict:
			events, err = o.mend(ctx, events, r)
		case blamed:
			events, err = o.park(ctx, events, r.index, r)
		case len(events) == 1:
			events, err = o.park(ctx, events, 0, r)
		default: // one of them is not acceptable: it is looked for
			half := len(events) / 2
			err = o.offer(ctx, events[:half])
			events = slices.DeleteFunc(events[half:], func(e outgoing) bool { return o.stuck[e.subject] })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mend deals with an event that does not follow what the sink has of its subject, and returns what is still to be
// posted.
func (o *offering) mend(ctx context.Context, events []outgoing, r receipt) ([]outgoing, error) {
	e := events[r.index]
	if e.version < r.expected { // the sink has this state under another id, as from a snapshot
		return slices.DeleteFunc(events, func(other outgoing) bool {
			return other.subject == e.subject && other.version < r.expected
		}), nil
	}
	if r.expected <= o.expected[e.subject] {
		return o.park(ctx, events, r.index, r) // mending brought it no further
	}
	o.expected[e.subject] = r.expected
	missing, err := o.rowsOf(ctx, e.subject, r.expected, e.version, 0, events[0].seq)
	if err != nil {
		return nil, err
	}
	if len(missing) == 0 && r.expected == 1 {
		if missing, err = o.present(ctx, e.subject); err != nil {
			return nil, err
		}
	}
	if len(missing) == 0 {
		return o.park(ctx, events, r.index, r)
	}
	o.log.InfoContext(ctx, "a subject's events are offered again", "subject", e.subject, "version", missing[0].version)
	answer, err := o.post(ctx, missing)
	if err != nil {
		return nil, err
	}
	if answer.status != http.StatusOK {
		return o.park(ctx, events, r.index, answer)
	}
	return events, nil
}

// park sets the subject of an event aside and returns the events of others, and those before it.
func (o *offering) park(ctx context.Context, events []outgoing, index int, r receipt) ([]outgoing, error) {
	e := events[index]
	if err := o.setAside(ctx, e, r); err != nil {
		return nil, err
	}
	o.stuck[e.subject] = true
	later := slices.DeleteFunc(events[index:], func(other outgoing) bool { return other.subject == e.subject })
	return events[:index+len(later)], nil
}

package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// Entity is what a service answers about a subject that exists now.
type Entity struct {
	Subject string
	Version int64
	JSON    json.RawMessage // the entity as the service writes it, ids without the graph's prefix
}

// Services reads what the services hold. Deleted entities do not appear, drafts and hidden ones do, and nothing comes from a cache.
type Services struct {
	Kinds []string // of subjects, such as post in post/p1; all that the functions know
	// ByID returns those of up to 500 subjects of a kind that exist, in any order.
	ByID func(ctx context.Context, kind string, subjects []string) ([]Entity, error)
	// All yields every entity of a kind, in any order, and ends behind an error. One that is written meanwhile may come or not.
	All func(ctx context.Context, kind string) iter.Seq2[Entity, error]
}

const (
	verifyPage     = 500 // subjects that are compared at a time
	verifyAttempts = 3   // looks at a subject before it counts as drifted
)

// Verify rebuilds the state of every subject from the log and compares it with what the services hold, and looks for entities
// that the log does not know. What differs is looked at again twice, after a pause each, since an event may be on its way: events
// need to arrive within the pause. It holds one page of subjects at a time. The report is of what was seen until then when there is an
// error, which is one of reading, or of ctx.
func Verify(ctx context.Context, log Log, subjects SubjectLister, services Services, pause time.Duration) (Report, error) {
	v := &verification{log: log, services: services, pause: pause}
	if err := v.subjects(ctx, subjects); err != nil {
		return v.report, err
	}
	for _, kind := range services.Kinds {
		if err := v.entities(ctx, kind); err != nil {
			return v.report, err
		}
	}
	return v.report, nil
}

type verification struct {
	log      Log
	services Services
	pause    time.Duration
	report   Report
}

// subjects compares what the log knows.
func (v *verification) subjects(ctx context.Context, lister SubjectLister) error {
	for after := ""; ; {
		page, err := lister.Subjects(ctx, after, verifyPage)
		if err != nil {
			return fmt.Errorf("subjects of the log: %w", err)
		}
		for rest := page; len(rest) > 0; {
			kind := kindOf(rest[0])
			end := slices.IndexFunc(rest, func(s string) bool { return kindOf(s) != kind })
			if end < 0 {
				end = len(rest)
			}
			if err := v.compare(ctx, kind, rest[:end]); err != nil {
				return err
			}
			v.report.Subjects += end
			rest = rest[end:]
		}
		if len(page) < verifyPage {
			return nil
		}
		after = page[len(page)-1]
	}
}

// entities looks for what the log does not know.
func (v *verification) entities(ctx context.Context, kind string) error {
	var unknown []string
	for e, err := range v.services.All(ctx, kind) {
		if err != nil {
			return fmt.Errorf("all of %s: %w", kind, err)
		}
		v.report.Entities++
		known, err := knows(ctx, v.log, e.Subject)
		if err != nil {
			return err
		}
		if !known {
			unknown = append(unknown, e.Subject)
		}
		if len(unknown) == verifyPage {
			if err := v.compare(ctx, kind, unknown); err != nil {
				return err
			}
			unknown = unknown[:0]
		}
	}
	return v.compare(ctx, kind, unknown)
}

// compare reports those of a page of subjects that differ, and go on differing.
func (v *verification) compare(ctx context.Context, kind string, subjects []string) error {
	if !slices.Contains(v.services.Kinds, kind) {
		v.report.Unchecked += len(subjects)
		return nil
	}
	for attempt := 1; len(subjects) > 0; attempt++ {
		if attempt > 1 {
			if err := wait(ctx, v.pause); err != nil {
				return err
			}
		}
		drifts, err := v.look(ctx, kind, subjects)
		if err != nil {
			return err
		}
		subjects = subjects[:0:0]
		for _, d := range drifts {
			if attempt == verifyAttempts {
				v.report.add(d)
			} else {
				subjects = append(subjects, d.Subject)
			}
		}
		if attempt == verifyAttempts {
			return nil
		}
	}
	return nil
}

// look compares subjects once. The services are read first, so that an event that arrives meanwhile shows as one ahead.
func (v *verification) look(ctx context.Context, kind string, subjects []string) (drifts []Drift, err error) {
	answered, err := v.services.ByID(ctx, kind, subjects)
	if err != nil {
		return nil, fmt.Errorf("%s by id: %w", kind, err)
	}
	entities := make(map[string]Entity, len(answered))
	for _, e := range answered {
		entities[e.Subject] = e
	}
	for _, subject := range subjects {
		state, err := foldUntil(ctx, v.log, subject, nil)
		entity, exists := entities[subject]
		switch {
		case errors.Is(err, ErrBrokenHistory):
			drifts = append(drifts, Drift{Subject: subject, Kind: Broken, ServiceVersion: entity.Version})
		case err != nil:
			return nil, fmt.Errorf("%s in the log: %w", subject, err)
		default:
			if d, differs := drift(state, entity, exists); differs {
				d.Subject = subject
				drifts = append(drifts, d)
			}
		}
	}
	return drifts, nil
}

// drift compares a state with what the service holds.
func drift(state State, entity Entity, exists bool) (Drift, bool) {
	d := Drift{LogVersion: state.Version, ServiceVersion: entity.Version}
	switch {
	case state.Version == 0:
		d.Kind = MissingInLog
		return d, exists
	case !exists:
		d.Kind = MissingInService
		return d, !state.Deleted
	case state.Deleted:
		d.Kind = DeletedInLog
		return d, true
	case !state.Redacted:
		d.Fields = differentFields(state.JSON, entity.JSON)
	}
	if d.Kind = DifferentFields; state.Version != entity.Version {
		d.Kind = DifferentVersion
	}
	return d, state.Version != entity.Version || len(d.Fields) > 0
}

// differentFields are the names, sorted, of the members that are not alike but for the version.
func differentFields(state, entity json.RawMessage) []string {
	a, errA := decodeObject(state)
	b, errB := decodeObject(entity)
	if errA != nil || errB != nil {
		return []string{"(not an object)"}
	}
	names := differing(a, b)
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool { return name == "version" })
}

func kindOf(subject string) string {
	kind, _, _ := strings.Cut(subject, "/")
	return kind
}

// knows says whether a log has events of a subject.
func knows(ctx context.Context, log Log, subject string) (bool, error) {
	events, err := log.ReadSubject(ctx, subject, 0, 0, 1, true)
	if err != nil {
		return false, fmt.Errorf("%s in the log: %w", subject, err)
	}
	return len(events) > 0, nil
}

// wait returns after d, or earlier with the error of ctx.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

package event

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// SyncReport is what Sync did.
type SyncReport struct {
	Known   int // entities whose subjects the log had met
	Written int // snapshots, with those that another run wrote at the same time
}

// Write prints the report for a person. The error is the writer's.
func (r SyncReport) Write(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d snapshots written, %d subjects known before\n", r.Written, r.Known)
	return err
}

const (
	syncBatch      = 100       // snapshots appended at a time, at most
	syncBatchBytes = 512 << 10 // of their data, but for the last
)

// Sync writes a snapshot of every entity of the services that the log does not know yet. It may run beside deliveries: where an event
// comes first the snapshot is left out, and it can be repeated at any time. An error leaves what was written so far, which the
// report counts.
func Sync(ctx context.Context, log Log, services Services, now func() time.Time) (SyncReport, error) {
	var r SyncReport
	for _, kind := range services.Kinds {
		source := sourceOf(kind)
		var batch []Event
		size := 0
		for entity, err := range services.All(ctx, kind) {
			if err != nil {
				return r, fmt.Errorf("all of %s: %w", kind, err)
			}
			known, err := knows(ctx, log, entity.Subject)
			if err != nil {
				return r, err
			}
			if known {
				r.Known++
				continue
			}
			snapshot, err := snapshotOf(entity, source, now())
			if err != nil {
				return r, err
			}
			batch, size = append(batch, snapshot), size+len(snapshot.Data)
			if len(batch) == syncBatch || size >= syncBatchBytes {
				if err := r.write(ctx, log, source, batch); err != nil {
					return r, err
				}
				batch, size = nil, 0
			}
		}
		if err := r.write(ctx, log, source, batch); err != nil {
			return r, err
		}
	}
	return r, nil
}

// write appends a batch, but for what others wrote first.
func (r *SyncReport) write(ctx context.Context, log Log, source string, batch []Event) error {
	for len(batch) > 0 { // an empty batch would be a heartbeat
		_, err := log.Append(ctx, source, batch)
		gap, ahead := errors.AsType[*GapError](err)
		if !ahead {
			if err == nil {
				r.Written += len(batch)
			}
			return err
		}
		if gap.Index < 0 || gap.Index >= len(batch) {
			return err
		}
		batch = append(batch[:gap.Index:gap.Index], batch[gap.Index+1:]...)
		r.Known++
	}
	return nil
}

// snapshotOf is the first event of an entity that the log has not met. Its id is the same each time, so that two runs at once
// write it once.
func snapshotOf(e Entity, source string, at time.Time) (Event, error) {
	if _, err := decodeObject(e.JSON); err != nil || e.Version < 1 {
		return Event{}, fmt.Errorf("%s: its service's answer is no entity", e.Subject)
	}
	return Event{
		ID: fmt.Sprintf("snapshot:%s:%d", e.Subject, e.Version), Source: source, Type: source + SnapshotSuffix, Subject: e.Subject,
		Time: at.UTC(), Version: e.Version, Data: e.JSON,
	}, nil
}

// sourceOf is the service that tells of a kind of subject.
func sourceOf(kind string) string {
	if kind == "follow" {
		return "follower"
	}
	return kind
}

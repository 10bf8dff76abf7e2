package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// The outbox holds the events of a service in the order in which they happened, each written in the transaction of
// the change it tells of. A row is a CloudEvents envelope (id, type, subject, time, actor) with a version that
// counts per subject and survives deletion, and data as an RFC 7396 merge patch of the entity as the API answers it:
// created and restored carry all of it, the others what changed. Every event names author, post, parent or pair;
// a move names the old author as previousAuthorId; deleted and removed carry the names alone. Seed and import add
// entities without rows: a consumer gets those as snapshots (snapshot.go).

// redactedData stands in the place of data that was erased.
const redactedData = "{}"

// event is a row to write. Version is the entity's after the change.
type event struct {
	kind    string // such as post.published
	subject string // such as post/{id}
	version int64
	data    string
	before  string // the document before the change, where there was one: all of it, or the names
}

// emit writes an event into the outbox.
func (w *writing) emit(ctx context.Context, e event) error {
	if e.version > 1 {
		if err := w.introduce(ctx, e); err != nil {
			return fmt.Errorf("outbox: state of %s before version %d: %w", e.subject, e.version, err)
		}
	}
	_, err := w.exec(ctx, "INSERT INTO outbox (id, type, subject, version, time, actor, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
		newID(), e.kind, e.subject, e.version, int64(w.now), w.actor, e.data)
	if err != nil {
		return fmt.Errorf("outbox: %s of %s version %d: %w", e.kind, e.subject, e.version, err)
	}
	return nil
}

// names are the members that an event carries whether they changed or not.
type names map[string]*string

// json writes the names alone, as deleted and removed carry them.
func (n names) json() string { return n.into(nil) }

// into adds the names to members.
func (n names) into(members object) string {
	if members == nil {
		members = object{}
	}
	for name, value := range n {
		members[name] = json.RawMessage("null")
		if value != nil {
			members[name] = appendString(nil, *value)
		}
	}
	b := []byte{'{'}
	for i, name := range slices.Sorted(maps.Keys(members)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendName(b, name), members[name]...)
	}
	return string(append(b, '}'))
}

// full is all of a document, with the names.
func (n names) full(doc string) (string, error) {
	var members object
	if err := json.Unmarshal([]byte(doc), &members); err != nil {
		return "", err
	}
	return n.into(members), nil
}

// patch is what changed from one document to the next, with the names. Documents have no nested objects and always
// the same members, so a merge patch is the members that differ.
func (n names) patch(before, after string) (string, error) {
	var old, changed object
	if err := json.Unmarshal([]byte(before), &old); err != nil {
		return "", err
	}
	if err := json.Unmarshal([]byte(after), &changed); err != nil {
		return "", err
	}
	maps.DeleteFunc(changed, func(name string, value json.RawMessage) bool { return bytes.Equal(old[name], value) })
	return n.into(changed), nil
}

package event

import (
	"context"
	"encoding/json"
	"slices"
)

// SubjectLister tells whom a log knows. Every Log of this package is one.
type SubjectLister interface {
	// Subjects returns up to limit subjects of the log in the order of their bytes, from behind the given one; empty for the
	// start. Trimming does not take subjects away, nor does redaction. Safe for concurrent use.
	Subjects(ctx context.Context, after string, limit int) ([]string, error)
}

// MaxHistory is the most events that a page of history or of the audit log holds.
const MaxHistory = 500

// lookback is how many events before a page are read with it, to know what they set.
const lookback = 50

// HistoryPage asks for events of a subject with versions in (After, Before), Before 0 for no bound: the oldest Limit of them first,
// or with Backward the newest first. A Limit is brought into 1 to MaxHistory.
type HistoryPage struct {
	After, Before int64
	Limit         int
	Backward      bool
}

// Change is an event of a subject and what it changed.
type Change struct {
	Event Event // without Data where it was redacted
	// Fields are by name. A deletion changes none. version and updatedAt, which always change, are left out.
	Fields []FieldChange
	// StatusBefore and Status are the subject's before and after the event, "deleted" where it was gone; empty where it has none
	// or where it is not known.
	StatusBefore, Status string
}

// FieldChange is a field that an event set: null where the field is not there, nil where the value is not known. With Before
// known the two differ; an event that carries all sets every field, which may have been the same before.
type FieldChange struct {
	Name          string
	Before, After json.RawMessage
}

// History returns a page of what happened to a subject, none where the log does not know it, and whether there are more behind
// it. It reads the log once: the page, and up to 50 events before it. What was before is known as far as these tell it; it is
// always known for a subject of that many events. Patches of a part of an object need the object: After is nil without it.
func History(ctx context.Context, log Log, subject string, page HistoryPage) (changes []Change, more bool, err error) {
	limit := min(max(page.Limit, 1), MaxHistory)
	page.After, page.Before = max(0, page.After), max(0, page.Before)
	from, n := max(0, page.After-lookback), limit+1
	if page.Backward {
		n += lookback
	} else {
		n += int(page.After - from)
	}
	events, err := log.ReadSubject(ctx, subject, from, page.Before, n, page.Backward)
	if err != nil {
		return nil, false, err
	}
	if page.Backward {
		events = slices.Clone(events)
		slices.Reverse(events)
	}
	var k knowledge
	for _, e := range events {
		c, err := k.learn(e)
		if err != nil {
			return nil, false, err
		}
		if e.Version > page.After {
			changes = append(changes, c)
		}
	}
	if page.Backward {
		slices.Reverse(changes)
	}
	if len(changes) > limit {
		changes, more = changes[:limit:limit], true
	}
	return changes, more, nil
}

// Package event keeps what happened in the services: the log of their domain events, the way in, and the way out to those who
// wait for them.
package event

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Event is a domain event: a CloudEvents 1.0 envelope (https://github.com/cloudevents/spec) with the extensions actor, version
// and sequence. It is not changed once it is in the log, but for redaction, and may be shared.
type Event struct {
	Position int64           // in the log, from 1 without a gap; 0 before it is appended
	ID       string          // unique within its source
	Source   string          // the service: user, post, comment or follower
	Sequence int64           // of its source's outbox, growing; 0 for a snapshot that was not sent by an outbox
	Type     string          // such as post.published
	Subject  string          // such as post/p1
	Time     time.Time       // when it happened, UTC
	Actor    string          // the user service's id of who did it; empty for nobody
	Version  int64           // of the subject, after the event; counts on over its deletion
	Data     json.RawMessage // RFC 7396 merge patch of the subject's state; nil once it is redacted
}

// SnapshotSuffix ends the type of an event that carries the whole state of a subject that the log has not met before.
const SnapshotSuffix = ".snapshot"

// Snapshot says whether the event tells a state and nothing that happened.
func (e Event) Snapshot() bool { return strings.HasSuffix(e.Type, SnapshotSuffix) }

// Cursor is a place in a log: behind the event at Position. The zero Cursor is none.
type Cursor struct {
	Log      string // which log: Bounds.ID
	Position int64  // 0: in front of the first event
}

// ErrCursor is wrapped by the refusal of a cursor that this log cannot go on from: malformed, of another log, of a place whose
// events are gone, or of one that the log has not come to.
var ErrCursor = errors.New("the cursor does not lead anywhere")

// String is the cursor as clients see it: opaque, URL-safe; empty for the zero Cursor.
func (c Cursor) String() string {
	if c == (Cursor{}) {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(c.Log + ":" + strconv.FormatInt(c.Position, 10)))
}

// ParseCursor is the inverse of String. The error wraps ErrCursor and does not quote the text.
func ParseCursor(text string) (Cursor, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	log, number, ok := strings.Cut(string(raw), ":")
	if err != nil || !ok || log == "" || len(text) > 200 {
		return Cursor{}, ErrCursor
	}
	position, err := strconv.ParseInt(number, 10, 64)
	if err != nil || position < 0 || strconv.FormatInt(position, 10) != number {
		return Cursor{}, ErrCursor
	}
	return Cursor{Log: log, Position: position}, nil
}

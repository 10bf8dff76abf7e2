package webhook

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"time"

	"tributary/internal/event"
)

const (
	maxBody      = 20_000 // bytes: what Standard Webhooks asks receivers to take
	maxTruncated = 100    // members that are named as left out
)

// payload is the body of a delivery.
type payload struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"` // when it happened
	Data      data      `json:"data"`
}

type data struct {
	ID      string          `json:"id"`     // as its source named it
	Source  string          `json:"source"` // user, post, comment, follower or gateway
	Subject string          `json:"subject"`
	Version int64           `json:"version,omitempty"`
	ActorID string          `json:"actorId,omitempty"`
	Changes json.RawMessage `json:"changes"` // null: erased
	// Truncated names the members of changes that were left out because the body would be too long; "*": all.
	Truncated []string `json:"truncated,omitempty"`
}

// messageID is the webhook-id of an event, the same for each attempt and each endpoint. Ids are any text, but a field of a request is
// not, and a full stop would part the text that is signed.
func messageID(e event.Event) string {
	escaped := []byte(url.PathEscape(e.ID))
	id := append([]byte(e.Source), ':')
	for _, c := range escaped {
		if c == '.' {
			id = append(id, "%2E"...)
		} else {
			id = append(id, c)
		}
	}
	return string(id)
}

// body writes what is sent of an event whose receiver is shown the changes. What does not fit into maxBody is left out, the longest
// members first.
func body(e event.Event, changes json.RawMessage) ([]byte, error) {
	p := payload{e.Type, e.Time.UTC(), data{ID: e.ID, Source: e.Source, Subject: e.Subject, Version: e.Version, ActorID: e.Actor, Changes: changes}}
	text, err := json.Marshal(p)
	if err != nil || len(text) <= maxBody {
		return text, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(changes, &members); err == nil {
		longest := slices.SortedFunc(maps.Keys(members), func(a, b string) int {
			return cmp.Or(cmp.Compare(len(members[b]), len(members[a])), cmp.Compare(a, b))
		})
		least := len(text) // what is left is no shorter than that, and names what was left out
		for _, name := range longest[:min(len(longest), maxTruncated)] {
			quoted, _ := json.Marshal(name) // a string
			least -= len(quoted) + len(members[name]) + len(":,")
			delete(members, name)
			p.Data.Truncated = append(p.Data.Truncated, name)
			if least > maxBody {
				continue
			}
			if p.Data.Changes, err = json.Marshal(members); err != nil {
				return nil, err
			}
			if text, err = json.Marshal(p); err != nil || len(text) <= maxBody {
				return text, err
			}
		}
	}
	p.Data.Changes, p.Data.Truncated = json.RawMessage(`{}`), []string{"*"}
	return json.Marshal(p)
}

package clients

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
)

// BulkOptions are the keys under which a write to everything of a user is sent. Unlike other writes it does not derive its
// key from the Caller: a saga repeats it after a restart, under the same key and for the same Actor.
type BulkOptions struct {
	Key   string // Idempotency-Key, 1 to 255 printable ASCII characters; required
	Fence string // of an undo: the Key of the write undone, which is refused with KindConflict from then on; else empty
}

// anyID is the id of a Change that may concern everything of its kind. No entity can have it.
const anyID = "*"

// erased is the version of an entity that was purged: no other can follow.
const erased = math.MaxInt

// validKey says whether the contract allows an idempotency key.
func validKey(key string) bool {
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return false
		}
	}
	return len(key) >= 1 && len(key) <= 255
}

// request is a bulk write of a verb to what stands under a path, such as /posts/by-author/ and an id.
func (o BulkOptions) request(s *service, path string, id UserID, verb string) (*request, error) {
	switch {
	case !validID(string(id)):
		return nil, &Error{Kind: KindNotFound, Service: s.name}
	case !validKey(o.Key), o.Fence != "" && !validKey(o.Fence), o.Key == o.Fence:
		return nil, invalid(s.name, errors.New("key and fence: want two different ones of 1 to 255 printable ASCII characters"))
	}
	return &request{
		method: http.MethodPost, endpoint: path + "{id}/" + verb, target: path + string(id) + "/" + verb, key: o.Key, fence: o.Fence,
	}, nil
}

// bulk is a write to everything of a user in one service.
type bulk struct {
	kind, path, verb string
	of, to           UserID // to: of a transfer
	gone             bool   // what was read before may be shown to nobody any more, not even in an outage
}

// send sends a bulk write and drops what it may have changed before it returns: everything of the service, for which
// entities these are nobody knows. A write that was certainly not done drops nothing.
func (b bulk) send(ctx context.Context, s *service, o BulkOptions) (affected int64, err error) {
	r, err := o.request(s, b.path, b.of, b.verb)
	if err != nil {
		return 0, err
	}
	r.bulk = true
	change := Change{Kind: b.kind, ID: anyID, Type: b.kind + "." + b.verb, AuthorIDs: []string{string(b.of)}, Gone: b.gone, Mark: rand.Text()}
	var in any
	if b.verb == "transfer" {
		if !validID(string(b.to)) {
			return 0, invalid(s.name, errors.New("transfer: want the id of another user"))
		}
		in = map[string]UserID{"to": b.to}
		change.AuthorIDs = append(change.AuthorIDs, string(b.to))
	}
	affected, _, _, err = send(ctx, s, r, in, decodeAffected)
	if !untouched(err) {
		s.drop(b.gone)
	}
	if err == nil {
		s.wrote(ctx, change)
	}
	return affected, err
}

// untouched tells whether a write certainly changed nothing: it was not done, or refused before anything was looked at.
func untouched(err error) bool {
	if err == nil {
		return false
	}
	kind := kindOf(err)
	return kind == KindUnavailable || kind == KindInvalid || kind == "" // the caller left before it was sent
}

// drop overtakes everything read from the service, or withdraws it.
func (s *service) drop(gone bool) {
	if gone {
		s.gens.withdrawAll()
	} else {
		s.gens.invalidateAll()
	}
}

// applyAny is apply for a change that may concern everything of its kind.
func (c *Clients) applyAny(change Change) {
	name := change.Kind
	if name == "follow" {
		name = "follower"
	}
	if s := c.named(name); s != nil {
		s.drop(change.Gone)
	}
}

// decodeAffected reads the answer to a bulk write.
func decodeAffected(a answer) (int64, error) {
	var doc struct {
		Affected *int64 `json:"affected"`
	}
	if err := json.Unmarshal(a.body, &doc); err != nil {
		return 0, err
	}
	if a.status != http.StatusOK || doc.Affected == nil || *doc.Affected < 0 {
		return 0, fmt.Errorf("status %d without a number of things affected", a.status)
	}
	return *doc.Affected, nil
}

package webhook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// errMade says that there is an endpoint of the id already.
var errMade = errors.New("the endpoint was made before")

// keyedID is the id of the endpoint that a caller makes under an idempotency key: whoever asks twice finds the first one, and no record
// of keys has to be kept and emptied. Owners and admins have keys of their own.
func keyedID(caller Caller, key string) string {
	right := "owner"
	if caller.Admin {
		right = "admin"
	}
	named, _ := json.Marshal([]string{right, caller.UserID, key}) // texts alone: never fails
	hash := sha256.Sum256(named)
	return idPrefix + strings.ToLower(base32.StdEncoding.EncodeToString(hash[:])[:26])
}

// digest tells whether two requests ask for the same. What is asked for may change later; the digest of it stays.
func (n NewEndpoint) digest() []byte {
	version := "" // of the first, as it was written before there were versions
	if n.version() != firstVersion {
		version = strconv.Itoa(n.version())
	}
	text, _ := json.Marshal(struct { // texts alone: never fails
		URL                                     string
		EventTypes                              []string
		Secret, Description, SchemaVersion, Key string
	}{n.URL, n.EventTypes, n.Secret, n.Description, version, ""})
	hash := sha256.Sum256(text)
	return hash[:]
}

// repeated returns the endpoint that was made under an idempotency key; found is false if there is none. CodeKeyReused where it was
// made of something else.
func (e *Endpoints) repeated(ctx context.Context, caller Caller, id string, request []byte) (_ Endpoint, found bool, err error) {
	c, kept, err := e.find(ctx, caller, id)
	if refusal, ok := errors.AsType[*Error](err); ok && refusal.Code == CodeNotFound {
		return Endpoint{}, false, nil
	}
	if err != nil {
		return Endpoint{}, false, err
	}
	if !bytes.Equal(kept.Request, request) {
		return Endpoint{}, false, refuse("", CodeKeyReused, "This Idempotency-Key was used for another request.")
	}
	if err := e.room(ctx, kept.OwnerID, id); err != nil { // it is about to go again
		return Endpoint{}, false, err
	}
	return kept.endpoint(*c, e.options.Now()), true, nil
}

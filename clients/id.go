package clients

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// UserID, PostID and CommentID are the services' own opaque ids. On the graph they appear with their kind in front
// ("user_42"), on the wire to a service without it.
type (
	UserID    string
	PostID    string
	CommentID string
)

// MarshalGQL writes the global id as a JSON string.
func (id UserID) MarshalGQL(w io.Writer)    { _, _ = w.Write(id.AppendGQL(nil)) }
func (id PostID) MarshalGQL(w io.Writer)    { _, _ = w.Write(id.AppendGQL(nil)) }
func (id CommentID) MarshalGQL(w io.Writer) { _, _ = w.Write(id.AppendGQL(nil)) }

// AppendGQL appends what MarshalGQL writes.
func (id UserID) AppendGQL(b []byte) []byte    { return appendGlobal(b, KindUser, string(id)) }
func (id PostID) AppendGQL(b []byte) []byte    { return appendGlobal(b, KindPost, string(id)) }
func (id CommentID) AppendGQL(b []byte) []byte { return appendGlobal(b, KindComment, string(id)) }

// UnmarshalGQL reads a global id of this kind; any other kind or form is an error that wraps ErrMalformedID.
func (id *UserID) UnmarshalGQL(v any) error    { return readGlobal(v, KindUser, (*string)(id)) }
func (id *PostID) UnmarshalGQL(v any) error    { return readGlobal(v, KindPost, (*string)(id)) }
func (id *CommentID) UnmarshalGQL(v any) error { return readGlobal(v, KindComment, (*string)(id)) }

// Kind is the part of a global id that names the entity kind.
type Kind string

// The kinds that a global id can name.
const (
	KindUser    Kind = "user"
	KindPost    Kind = "post"
	KindComment Kind = "comment"
	KindJob     Kind = "job"
	KindSaga    Kind = "saga"
	KindWebhook Kind = "wh"
)

var kinds = [...]Kind{KindUser, KindPost, KindComment, KindJob, KindSaga, KindWebhook}

// Entity says whether what the kind names belongs to a service: a Node.
func (k Kind) Entity() bool { return k == KindUser || k == KindPost || k == KindComment }

// ErrMalformedID is wrapped by every refusal of a global id.
var ErrMalformedID = errors.New("malformed id")

// MaxIDBytes is the contract's bound on a service's own id.
const MaxIDBytes = 64

// GlobalID is a global id whose kind the argument leaves open, as in node(id:), or whose kind has no type of its own.
type GlobalID struct {
	Kind Kind
	ID   string // the service's own id, or the gateway's
}

// MarshalGQL writes the global id as a JSON string.
func (g GlobalID) MarshalGQL(w io.Writer) { _, _ = w.Write(g.AppendGQL(nil)) }

// AppendGQL appends what MarshalGQL writes.
func (g GlobalID) AppendGQL(b []byte) []byte { return appendGlobal(b, g.Kind, g.ID) }

// UnmarshalGQL reads a global id of any kind; the error wraps ErrMalformedID.
func (g *GlobalID) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("%w: an id is a string", ErrMalformedID)
	}
	parsed, err := ParseGlobalID(text)
	if err != nil {
		return err
	}
	*g = parsed
	return nil
}

// ParseGlobalID splits "user_42" into its kind and the rest. The error wraps ErrMalformedID.
func ParseGlobalID(text string) (GlobalID, error) {
	kind, id, found := strings.Cut(text, "_")
	g := GlobalID{Kind: Kind(kind), ID: id}
	switch {
	case !found || !slices.Contains(kinds[:], g.Kind):
		return GlobalID{}, fmt.Errorf("%w: want user_…, post_…, comment_…, job_…, saga_… or wh_…", ErrMalformedID)
	case !validID(id):
		return GlobalID{}, fmt.Errorf("%w: the part behind %s_ must be 1 to %d of A-Z a-z 0-9 - . _ ~", ErrMalformedID, kind, MaxIDBytes)
	}
	return g, nil
}

// validID says whether the contract allows an id: its length and its bytes.
func validID(id string) bool {
	if id == "" || len(id) > MaxIDBytes {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~':
		default:
			return false
		}
	}
	return true
}

func appendGlobal(b []byte, kind Kind, id string) []byte {
	if !validID(id) { // a service broke the contract: still no broken JSON
		quoted, _ := json.Marshal(string(kind) + "_" + id)
		return append(b, quoted...)
	}
	return append(append(append(append(append(b, '"'), kind...), '_'), id...), '"')
}

func readGlobal(v any, want Kind, into *string) error {
	var g GlobalID
	if err := g.UnmarshalGQL(v); err != nil {
		return err
	}
	if g.Kind != want {
		return fmt.Errorf("%w: want a %s id, not a %s id", ErrMalformedID, want, g.Kind)
	}
	*into = g.ID
	return nil
}

// Package auth says who calls and what they may see.
package auth

import (
	"context"
	"errors"
	"slices"
	"time"
)

// ScopeAdmin lets its bearer act on everybody's entities.
const ScopeAdmin = "admin"

// Viewer is the caller of one operation. The zero Viewer is anonymous.
type Viewer struct {
	UserID  string    // the user service's own id; empty for nobody's
	KeyID   string    // of the API key that was shown; empty without one
	KeyName string    // what people call it
	Scopes  []string  // what the caller may beyond being that user
	Version int       // of the schema, for a caller who names none; 0: the server's default
	Expires time.Time // when what was shown of the caller ends; zero for never
}

// Anonymous says whether nothing is known of who calls.
func (v Viewer) Anonymous() bool { return v.UserID == "" && v.KeyID == "" }

// HasScopes says whether the viewer has all of these scopes.
func (v Viewer) HasScopes(all ...string) bool {
	for _, scope := range all {
		if !slices.Contains(v.Scopes, scope) {
			return false
		}
	}
	return true
}

// Admin says whether the viewer may act on everybody's entities.
func (v Viewer) Admin() bool { return slices.Contains(v.Scopes, ScopeAdmin) }

// Is says whether the viewer is the user with this id of the user service; an anonymous viewer is nobody.
func (v Viewer) Is(userID string) bool { return v.UserID != "" && v.UserID == userID }

type viewerKey struct{}

// WithViewer puts the caller into the context of an operation.
func WithViewer(ctx context.Context, v Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

// FromContext gives the caller of the operation, anonymous when none was put there.
func FromContext(ctx context.Context) Viewer {
	v, _ := ctx.Value(viewerKey{}).(Viewer)
	return v
}

// The two ways of being refused.
var (
	ErrUnauthenticated = errors.New("a token is needed")
	ErrForbidden       = errors.New("not allowed to this caller")
)

// Entity is what CanSee has to know of something that may be protected.
type Entity struct {
	OwnerID string // the user service's id of the user it belongs to; empty when nobody's
	Public  bool   // shown to everybody
}

// CanSee is the one rule of visibility: what is public everybody sees, anything else its owner and admins.
func CanSee(v Viewer, e Entity) bool {
	return e.Public || v.Is(e.OwnerID) || v.Admin()
}

// RequireUser refuses a viewer who is no user: with ErrUnauthenticated when anonymous, with ErrForbidden when it is the bearer of
// an API key that acts as nobody.
func RequireUser(v Viewer) error {
	switch {
	case v.Anonymous():
		return ErrUnauthenticated
	case v.UserID == "":
		return ErrForbidden
	}
	return nil
}

// RequireSelf refuses everybody but the user with this id: with ErrUnauthenticated when anonymous, else ErrForbidden.
func RequireSelf(v Viewer, userID string) error {
	switch {
	case v.Anonymous():
		return ErrUnauthenticated
	case !v.Is(userID):
		return ErrForbidden
	}
	return nil
}

// RequireOwner refuses everybody but the owner and admins, as RequireSelf does.
func RequireOwner(v Viewer, ownerID string) error {
	if v.Admin() {
		return nil
	}
	return RequireSelf(v, ownerID)
}

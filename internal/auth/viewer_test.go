package auth_test

import (
	"errors"
	"testing"

	"tributary/internal/auth"
)

var (
	anonymous   = auth.Viewer{}
	owner       = auth.Viewer{UserID: "1"}
	somebody    = auth.Viewer{UserID: "2"}
	almost      = auth.Viewer{UserID: "2", Scopes: []string{"administrator", "Admin", "admin:read", ""}}
	admin       = auth.Viewer{UserID: "3", Scopes: []string{"events:read", auth.ScopeAdmin}}
	nobodyAdmin = auth.Viewer{Scopes: []string{auth.ScopeAdmin}}
)

func TestWhoMaySeeAndAct(t *testing.T) {
	no, anon := auth.ErrForbidden, auth.ErrUnauthenticated
	for _, tt := range []struct {
		name              string
		viewer            auth.Viewer
		private, orphaned bool // may see what is owner's, and what is nobody's
		self, owner       error
	}{
		{"anonymous", anonymous, false, false, anon, anon},
		{"owner", owner, true, false, nil, nil},
		{"somebody else", somebody, false, false, no, no},
		{"scopes that only look like admin", almost, false, false, no, no},
		{"admin", admin, true, true, no, nil},
		{"admin without a user", nobodyAdmin, true, true, anon, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, e := range []auth.Entity{{Public: true}, {OwnerID: "1", Public: true}, {OwnerID: "9", Public: true}} {
				if !auth.CanSee(tt.viewer, e) {
					t.Errorf("cannot see %+v", e)
				}
			}
			if got := auth.CanSee(tt.viewer, auth.Entity{OwnerID: "1"}); got != tt.private {
				t.Errorf("sees what is private: %t", got)
			}
			if got := auth.CanSee(tt.viewer, auth.Entity{}); got != tt.orphaned {
				t.Errorf("sees what is nobody's and not public: %t", got)
			}
			if err := auth.RequireSelf(tt.viewer, "1"); !errors.Is(err, tt.self) {
				t.Errorf("RequireSelf: %v, want %v", err, tt.self)
			}
			if err := auth.RequireOwner(tt.viewer, "1"); !errors.Is(err, tt.owner) {
				t.Errorf("RequireOwner: %v, want %v", err, tt.owner)
			}
		})
	}
}

// TestNobodyOwnsWhatIsNobodys keeps the empty id of an anonymous viewer from matching the empty one of an entity.
func TestNobodyOwnsWhatIsNobodys(t *testing.T) {
	if anonymous.Is("") || !anonymous.Anonymous() || owner.Anonymous() || !owner.Is("1") || owner.Is("") {
		t.Error("an id matches that should not, or does not that should")
	}
	if err := auth.RequireSelf(anonymous, ""); !errors.Is(err, auth.ErrUnauthenticated) {
		t.Errorf("RequireSelf: %v", err)
	}
	if err := auth.RequireOwner(somebody, ""); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("RequireOwner: %v", err)
	}
}

// TestKeysWithoutAUser is about known callers that are nobody.
func TestKeysWithoutAUser(t *testing.T) {
	bearer := auth.Viewer{KeyID: "k", Scopes: []string{"a", "b"}}
	if bearer.Anonymous() || bearer.Is("") || auth.CanSee(bearer, auth.Entity{}) {
		t.Error("the bearer of a key is nobody, or everybody")
	}
	for viewer, want := range map[*auth.Viewer]error{&anonymous: auth.ErrUnauthenticated, &bearer: auth.ErrForbidden, &owner: nil} {
		if err := auth.RequireUser(*viewer); !errors.Is(err, want) {
			t.Errorf("%+v: %v, want %v", *viewer, err, want)
		}
	}
	if err := auth.RequireSelf(bearer, ""); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("RequireSelf: %v", err)
	}
	if !bearer.HasScopes() || !bearer.HasScopes("b", "a") || bearer.HasScopes("a", "c") {
		t.Error("HasScopes is wrong")
	}
}

func TestViewerInContext(t *testing.T) {
	if v := auth.FromContext(t.Context()); !v.Anonymous() || v.Admin() {
		t.Errorf("an empty context has viewer %+v", v)
	}
	ctx := auth.WithViewer(auth.WithViewer(t.Context(), owner), admin)
	if v := auth.FromContext(ctx); v.UserID != admin.UserID || !v.Admin() {
		t.Errorf("got %+v, want the viewer put there last", v)
	}
}

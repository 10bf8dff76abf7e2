package clients

import (
	"context"
	"strings"
	"time"
)

// User is a user as the user service has it.
type User struct {
	ID        UserID     `json:"id"`
	Handle    string     `json:"handle"`
	Name      string     `json:"name"`
	Email     *string    `json:"email"`
	Bio       *string    `json:"bio"`
	AvatarURL *string    `json:"avatarUrl"`
	Status    UserStatus `json:"status"`
	CreatedAt time.Time  `json:"createdAt"`
	UpdatedAt time.Time  `json:"updatedAt"`
	Version   int        `json:"version"`
}

// UserStatus says whether an account is in use.
type UserStatus string

// The states of an account that reads can show; a deleted one is absent.
const (
	UserActive UserStatus = "active"
	UserFrozen UserStatus = "frozen"
)

// NewUser is what a user starts with.
type NewUser struct {
	Handle    string  `json:"handle"`
	Name      string  `json:"name"`
	Email     *string `json:"email,omitempty"`
	Bio       *string `json:"bio,omitempty"`
	AvatarURL *string `json:"avatarUrl,omitempty"`
}

// UserPatch is a change of a user: only what is set is sent.
type UserPatch struct {
	Handle    *string          `json:"handle,omitempty"`
	Name      *string          `json:"name,omitempty"`
	Email     Nullable[string] `json:"email,omitzero"`
	Bio       Nullable[string] `json:"bio,omitzero"`
	AvatarURL Nullable[string] `json:"avatarUrl,omitzero"`
}

func (u *User) key() UserID   { return u.ID }
func (u *User) revision() int { return u.Version }

func (u *User) usable() bool {
	return validID(string(u.ID)) && u.Handle != "" && u.Version > 0 && !u.CreatedAt.IsZero() &&
		(u.Status == UserActive || u.Status == UserFrozen)
}

func (u *User) bytes() int {
	size := 216 + len(u.ID) + len(u.Handle) + len(u.Name)
	for _, text := range []*string{u.Email, u.Bio, u.AvatarURL} {
		if text != nil {
			size += 16 + len(*text)
		}
	}
	return size
}

// Users is the client of the user service.
type Users struct {
	svc      *service
	entities *entities[UserID, *User]
}

func newUsers(svc *service) *Users {
	u := &Users{svc, newEntities(svc, "user", "/users", commas("/users?ids="), readUser)}
	u.entities.touched = u.touched
	return u
}

// What the lists of users depend on.
func userList() tag               { return tagOf("users", "") }
func userHandle(lower string) tag { return tagOf("handle", lower) }

// ByIDs reads users by id.
func (u *Users) ByIDs(ctx context.Context, ids []UserID) map[UserID]Answer[*User] {
	return u.entities.byIDs(ctx, ids)
}

// ByHandles reads users by handle, whatever its case. The answer's keys are the handles as asked for.
func (u *Users) ByHandles(ctx context.Context, handles []string) map[string]Answer[*User] {
	lower := make([]string, len(handles))
	for i, handle := range handles {
		lower[i] = strings.ToLower(handle)
	}
	holders := u.holders()
	read := holders.read(ctx, lower)
	if moved := renamed(read); len(moved) > 0 { // what is cached about these handles is out of date
		for _, handle := range moved {
			u.svc.gens.invalidate(0, userHandle(handle))
		}
		for handle, a := range holders.read(ctx, moved) {
			read[handle] = a
		}
	}
	out := make(map[string]Answer[*User], len(handles))
	for i, handle := range handles {
		a, ok := read[lower[i]]
		switch {
		case ok && a.Err != nil:
			out[handle] = Answer[*User]{Err: a.Err}
		case ok && len(a.Value.Items) > 0 && strings.EqualFold(a.Value.Items[0].Handle, handle):
			out[handle] = Answer[*User]{Value: a.Value.Items[0], Stale: a.Stale}
		}
	}
	return out
}

// renamed are the handles whose user has another one by now, or is gone.
func renamed(read map[string]Answer[Window[*User]]) (handles []string) {
	for handle, a := range read {
		if a.Err == nil && a.Stale == nil && (len(a.Value.Items) == 0 || !strings.EqualFold(a.Value.Items[0].Handle, handle)) {
			handles = append(handles, handle)
		}
	}
	return handles
}

// holders reads who has a handle, as a list of at most one user.
func (u *Users) holders() *listings[string, UserID, *User] {
	page := Page{Limit: 1}
	l := newListings(u.entities, "/users", commas("/users?handles="),
		func(handle string) tags { return tagged(userHandle(handle)) }, page,
		func(body []byte, _ []string) (map[string]*pageDoc[*User], error) {
			users, err := decodeItems(body, readUser)
			docs := make(map[string]*pageDoc[*User], len(users))
			for _, user := range users {
				docs[strings.ToLower(user.Handle)] = &pageDoc[*User]{items: []*User{user}, total: 1}
			}
			return docs, err
		})
	l.batch.mayMiss = true
	l.batch.text = func(handle string) string {
		if len(handle) < 3 || len(handle) > 30 || strings.Trim(handle, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return ""
		}
		return handle
	}
	return l
}

// List reads a page of the active users, newest first.
func (u *Users) List(ctx context.Context, page Page) Answer[Window[*User]] {
	query, err := page.query()
	if err != nil {
		return Answer[Window[*User]]{Err: invalid(u.svc.name, err)}
	}
	l := newListings(u.entities, "/users", whole("/users?"+query), func(string) tags { return tagged(userList()) }, page,
		wholePage(readUser))
	l.batch.text = wholeText
	l.show = func(user *User) bool { return user.Status == UserActive }
	return l.read(ctx, []string{everything})[everything]
}

// Create makes a user.
func (u *Users) Create(ctx context.Context, user NewUser) (*User, error) {
	return u.entities.create(ctx, "/users", user, Change{Handles: []string{user.Handle}})
}

// Update changes a user of the given version.
func (u *Users) Update(ctx context.Context, id UserID, version int, patch UserPatch) (*User, error) {
	return u.entities.update(ctx, "/users", id, version, patch, func(*User) Change {
		change := Change{Type: "user.updated"}
		if patch.Handle != nil {
			change.Handles = []string{*patch.Handle}
		}
		return change
	})
}

// Delete removes a user; Restore brings the account back. The user as it was read tells which handle is free.
func (u *Users) Delete(ctx context.Context, user *User) error {
	return u.entities.remove(ctx, "/users", user.ID, user.Version, Change{Handles: []string{user.Handle}})
}

// touched: an update alters no list of users. A handle given up needs no mention, for its holder is looked at by id.
func (u *Users) touched(c Change) (lists []tag, known bool) {
	for _, handle := range c.Handles {
		lists = append(lists, userHandle(strings.ToLower(handle)))
	}
	if c.verb() != "updated" {
		lists = append(lists, userList())
	}
	return lists, true
}

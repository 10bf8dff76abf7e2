package demo

import (
	"context"
	"net/http"
	"strconv"
	"strings"
)

// user is an account as the API answers it.
type user struct {
	ID        string  `json:"id"`
	Handle    string  `json:"handle"`
	Name      string  `json:"name"`
	Email     *string `json:"email"`
	Bio       *string `json:"bio"`
	AvatarURL *string `json:"avatarUrl"`
	Status    string  `json:"status"`
	CreatedAt stamp   `json:"createdAt"`
	UpdatedAt stamp   `json:"updatedAt"`
	Version   int64   `json:"version"`
}

const (
	userActive = "active"
	userFrozen = "frozen"
)

func (u *user) doc() string {
	b := make([]byte, 0, 320)
	b = appendMember(append(b, '{'), "id", u.ID)
	b = appendMember(b, "handle", u.Handle)
	b = appendMember(b, "name", u.Name)
	b = appendOptional(b, "email", u.Email)
	b = appendOptional(b, "bio", u.Bio)
	b = appendOptional(b, "avatarUrl", u.AvatarURL)
	b = appendMember(b, "status", u.Status)
	b = appendTime(b, "createdAt", u.CreatedAt)
	b = appendTime(b, "updatedAt", u.UpdatedAt)
	return string(append(strconv.AppendInt(appendName(b, "version"), u.Version, 10), '}'))
}

func userDefinition() *definition {
	return &definition{
		name: "user", table: "users",
		// A deleted user keeps its row, and so its handle, until it is purged.
		tables: `
CREATE TABLE IF NOT EXISTS users (
	id         TEXT PRIMARY KEY,
	handle     TEXT NOT NULL,
	status     TEXT NOT NULL,
	deleted    INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL,
	version    INTEGER NOT NULL,
	doc        TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS user_totals (one INTEGER PRIMARY KEY CHECK (one = 1), active INTEGER NOT NULL);
`,
		indexes: `
CREATE UNIQUE INDEX IF NOT EXISTS users_by_handle ON users (handle);
CREATE INDEX IF NOT EXISTS users_in_order ON users (created_at, id) WHERE status = 'active' AND deleted = 0;
`,
		totals: `
INSERT OR REPLACE INTO user_totals SELECT 1, count(*) FROM users WHERE status = 'active' AND deleted = 0;
`,
		triggers: `
CREATE TRIGGER IF NOT EXISTS users_added AFTER INSERT ON users WHEN NEW.status = 'active' AND NEW.deleted = 0 BEGIN
	UPDATE user_totals SET active = active + 1;
END;
CREATE TRIGGER IF NOT EXISTS users_erased AFTER DELETE ON users WHEN OLD.status = 'active' AND OLD.deleted = 0 BEGIN
	UPDATE user_totals SET active = active - 1;
END;
CREATE TRIGGER IF NOT EXISTS users_changed AFTER UPDATE OF status, deleted ON users BEGIN
	UPDATE user_totals SET active = active + (NEW.status = 'active' AND NEW.deleted = 0) - (OLD.status = 'active' AND OLD.deleted = 0);
END;
`,
		routes:  func(s *store) []route { return newUsers(s).routes() },
		seed:    seedUsers,
		imports: userImports(),
		events:  telling{prefix: "user/", live: "deleted = 0", changed: "user.updated", moved: "NULL"},
	}
}

// users answers the user service's requests.
type users struct {
	store *store
	all   *listing
}

func newUsers(s *store) *users {
	return &users{store: s, all: listing{
		table: "users", group: "TRUE", at: "created_at", id: "id",
		member: "status = 'active' AND deleted = 0",
		total:  "(SELECT active FROM user_totals)",
	}.prepare()}
}

func (u *users) routes() []route {
	return []route{
		{method: http.MethodGet, pattern: "/users", read: u.read},
		{method: http.MethodPost, pattern: "/users", write: u.create, body: jsonBody},
		{method: http.MethodPatch, pattern: "/users/{id}", write: u.update, body: patchBody, ifMatch: matchRequired},
		{method: http.MethodDelete, pattern: "/users/{id}", write: u.delete, ifMatch: matchOptional},
		{method: http.MethodPost, pattern: "/users/{id}/freeze", write: u.freeze},
		{method: http.MethodPost, pattern: "/users/{id}/restore", write: u.restore},
		{method: http.MethodPost, pattern: "/users/{id}/purge", write: u.purge, erases: true},
	}
}

// read answers users by id or by handle, or a page of the active ones.
func (u *users) read(ctx context.Context, p params, out *stream) error {
	ids, byID, err := p.list("ids", validID)
	if err != nil {
		return err
	}
	handles, byHandle, err := p.list("handles", func(string) bool { return true })
	if err != nil {
		return err
	}
	switch {
	case byID && byHandle:
		return badRequest("ids and handles exclude each other")
	case byID:
		return out.batch(ctx, u.store.read,
			"SELECT doc FROM users WHERE id IN (SELECT value FROM json_each(?)) AND deleted = 0", jsonKeys(ids))
	case byHandle:
		return out.batch(ctx, u.store.read,
			"SELECT doc FROM users WHERE handle IN (SELECT value FROM json_each(?)) AND deleted = 0", jsonKeys(possible(handles)))
	}
	w, err := p.window()
	if err != nil {
		return err
	}
	return out.page(ctx, u.store.read, u.all, "[0]", w)
}

// possible lower-cases handles and leaves out what cannot be one.
func possible(handles []string) []string {
	var kept []string
	for _, handle := range handles {
		if handle = strings.ToLower(handle); validHandle(handle) {
			kept = append(kept, handle)
		}
	}
	return kept
}

// validHandle says whether s is made of a-z 0-9 _, whatever its length.
func validHandle(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

package demo

import (
	"context"
	"database/sql"
	"fmt"
)

func seedUsers(ctx context.Context, tx *sql.Tx, people *population) error {
	rows := loader{tx: tx, into: "users (id, handle, status, created_at, version, doc)"}
	taken := map[string]int{}
	for i, at := range people.users {
		d := throw("user", i)
		w := writer{dice: d, topic: pick(d, topics[:])}
		u := user{ID: fmt.Sprintf("u%d", i+1), Status: userActive, CreatedAt: at, UpdatedAt: at, Version: 1}
		u.Name, u.Handle = person(d)
		if taken[u.Handle]++; taken[u.Handle] > 1 {
			u.Handle = fmt.Sprintf("%s%d", u.Handle, taken[u.Handle])
		}
		if !d.chance(10) {
			email := u.Handle + pick(d, []string{"@example.com", "@example.org"})
			u.Email = &email
		}
		if i == 0 || !d.chance(15) {
			bio := w.bio()
			u.Bio = &bio
		}
		if d.chance(30) {
			avatar := fmt.Sprintf("https://example.org/avatars/%s.svg", u.ID)
			u.AvatarURL = &avatar
		}
		if err := rows.add(ctx, u.ID, u.Handle, u.Status, int64(at), u.Version, u.doc()); err != nil {
			return err
		}
	}
	return rows.flush(ctx)
}

package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	_ "modernc.org/sqlite"
)

// store is the service's database: its state, and the outbox beside it.
type store struct{ *sql.DB }

const schema = `
	CREATE TABLE IF NOT EXISTS posts (id TEXT PRIMARY KEY, author_id TEXT NOT NULL, title TEXT NOT NULL, version INTEGER NOT NULL);
	CREATE TABLE IF NOT EXISTS outbox (
		seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- in the order in which things happened
		id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, subject TEXT NOT NULL, version INTEGER NOT NULL,
		time TEXT NOT NULL, actor TEXT NOT NULL, data TEXT NOT NULL)`

func openStore(ctx context.Context, path string) (store, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		return store{}, err
	}
	if _, err := db.ExecContext(ctx, schema); err != nil {
		db.Close()
		return store{}, fmt.Errorf("open %s: %w", path, err)
	}
	return store{db}, nil
}

// post is the state as the service's API shows it, and so as the event that creates it carries it.
type post struct {
	ID          string `json:"id"`
	AuthorID    string `json:"authorId"`
	Title       string `json:"title"`
	Body        string `json:"body"`
	Status      string `json:"status"`
	PublishedAt string `json:"publishedAt"`
	CreatedAt   string `json:"createdAt"`
	UpdatedAt   string `json:"updatedAt"`
	Version     int64  `json:"version"`
}

// publish changes the state and says so in the outbox, in one transaction: there is never one without the other.
func (s store) publish(ctx context.Context, author, title string) (id string, err error) {
	now := time.Now().UTC().Format(time.RFC3339Nano)
	p := post{ID: strings.ToLower(rand.Text()), AuthorID: author, Title: title, Status: "published",
		PublishedAt: now, CreatedAt: now, UpdatedAt: now, Version: 1}
	data, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	tx, err := s.BeginTx(ctx, nil)
	if err != nil {
		return "", err
	}
	defer tx.Rollback() // does nothing once it is committed
	if _, err := tx.ExecContext(ctx, "INSERT INTO posts VALUES (?, ?, ?, ?)", p.ID, p.AuthorID, p.Title, p.Version); err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO outbox (id, type, subject, version, time, actor, data) VALUES (?, 'post.created', ?, ?, ?, ?, ?)",
		rand.Text(), "post/"+p.ID, p.Version, now, author, string(data))
	if err != nil {
		return "", err
	}
	return p.ID, tx.Commit()
}

// envelope is the CloudEvents envelope of a row.
type envelope struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Type        string          `json:"type"`
	Subject     string          `json:"subject"`
	Time        string          `json:"time"`
	ContentType string          `json:"datacontenttype"`
	Actor       string          `json:"actor,omitempty"`
	Version     int64           `json:"version"`
	Sequence    string          `json:"sequence"`
	Data        json.RawMessage `json:"data"`
}

// behind returns up to limit events of the outbox with a sequence above seq, in order.
func (s store) behind(ctx context.Context, seq int64, limit int) ([]envelope, error) {
	rows, err := s.QueryContext(ctx, "SELECT id, type, subject, time, actor, version, seq, data FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	events := []envelope{}
	for rows.Next() {
		e := envelope{SpecVersion: "1.0", Source: "/post", ContentType: "application/json"}
		if err := rows.Scan(&e.ID, &e.Type, &e.Subject, &e.Time, &e.Actor, &e.Version, &e.Sequence, (*[]byte)(&e.Data)); err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, rows.Err()
}

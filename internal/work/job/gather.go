package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tributary/clients"
	"tributary/internal/work"
)

// gatherPage is how many items are in memory at a time.
const gatherPage = 500

// gathering reads everything of a user into the files of a directory, page by page. A checkpoint is written behind each page, so
// that a gathering that was cut short goes on there.
type gathering struct {
	clients  *clients.Clients
	user     clients.UserID
	progress func(ctx context.Context, done, total int64)
}

// checkpoint is how far a gathering is.
type checkpoint struct {
	File   int            `json:"file"`   // of lists, which is at work
	After  clients.Cursor `json:"after"`  // of the last item that the file has
	Size   int64          `json:"size"`   // of the file up to there, in bytes
	Items  int64          `json:"items"`  // in the files before it
	Here   int64          `json:"here"`   // in the file
	Totals []int64        `json:"totals"` // of all lists, as they were when it began
}

const checkpointName = "checkpoint.json"

// page is one page of a list: its items, how many there are in all, and where the next one begins; empty at the end.
type page struct {
	items []any
	total int
	next  clients.Cursor
}

// list is a file of the export and how it is read.
type list struct {
	name string
	read func(ctx context.Context, p clients.Page) (page, error)
}

func (g gathering) lists() []list {
	of, c := []clients.UserID{g.user}, g.clients
	return []list{
		{"posts.ndjson", func(ctx context.Context, p clients.Page) (page, error) {
			return pageOf(c.Posts.ByAuthors(ctx, of, clients.VisibilityAuthor, p)[g.user], func(v *clients.Post) (time.Time, string) { return v.CreatedAt, string(v.ID) })
		}},
		{"comments.ndjson", func(ctx context.Context, p clients.Page) (page, error) {
			return pageOf(c.Comments.ByAuthors(ctx, of, p)[g.user], func(v *clients.Comment) (time.Time, string) { return v.CreatedAt, string(v.ID) })
		}},
		{"followers.ndjson", func(ctx context.Context, p clients.Page) (page, error) {
			return pageOf(c.Followers.Followers(ctx, of, p)[g.user], func(v clients.Follow) (time.Time, string) { return v.FollowedAt, string(v.FollowerID) })
		}},
		{"following.ndjson", func(ctx context.Context, p clients.Page) (page, error) {
			return pageOf(c.Followers.Following(ctx, of, p)[g.user], func(v clients.Follow) (time.Time, string) { return v.FollowedAt, string(v.FolloweeID) })
		}},
	}
}

var errStale = work.Explain(errors.New("what is known is old"), string(clients.Unavailable), "a service gave no usable answer")

// pageOf takes what was read, unless it is old: an export shows what the services have.
func pageOf[T any](a clients.Answer[clients.Window[T]], place func(T) (time.Time, string)) (p page, err error) {
	switch {
	case a.Err != nil:
		return page{}, a.Err
	case a.Stale != nil:
		return page{}, errStale
	}
	p.total = a.Value.Total
	for _, item := range a.Value.Items {
		p.items = append(p.items, item)
	}
	if n := len(a.Value.Items); a.Value.Next && n > 0 {
		p.next = clients.CursorAt(place(a.Value.Items[n-1]))
	}
	return p, nil
}

// run gathers into a directory, from where a former run was cut short.
func (g gathering) run(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	at, err := readCheckpoint(dir)
	if err != nil {
		return err
	}
	lists := g.lists()
	if at.Totals == nil {
		if err := g.profile(ctx, dir); err != nil {
			return err
		}
		for _, l := range lists {
			first, err := l.read(ctx, clients.Page{Limit: 1})
			if err != nil {
				return err
			}
			at.Totals = append(at.Totals, int64(first.total))
		}
	}
	for at.File < len(lists) {
		if err := g.list(ctx, dir, lists[at.File], &at); err != nil {
			return err
		}
		at = checkpoint{File: at.File + 1, Items: at.Items + at.Here, Totals: at.Totals}
		if err := writeJSON(dir, checkpointName, at); err != nil {
			return err
		}
	}
	return nil
}

// list gathers what is missing of one list.
func (g gathering) list(ctx context.Context, dir string, l list, at *checkpoint) (err error) {
	f, err := os.OpenFile(filepath.Join(dir, l.name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Truncate(at.Size); err != nil { // what was written behind the last checkpoint comes again
		return err
	}
	if _, err := f.Seek(at.Size, 0); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, err := l.read(ctx, clients.Page{Limit: gatherPage, After: at.After})
		if err != nil {
			return err
		}
		var lines []byte
		for _, item := range p.items {
			line, err := json.Marshal(item)
			if err != nil {
				return fmt.Errorf("export: %w", err)
			}
			lines = append(append(lines, line...), '\n')
		}
		if _, err := f.Write(lines); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		at.After, at.Size, at.Here = p.next, at.Size+int64(len(lines)), at.Here+int64(len(p.items))
		if p.next == "" {
			return nil
		}
		if err := writeJSON(dir, checkpointName, at); err != nil {
			return err
		}
		g.tell(ctx, *at)
	}
}

// tell shows how many items there are of those that were there when it began.
func (g gathering) tell(ctx context.Context, at checkpoint) {
	var total int64
	for _, n := range at.Totals {
		total += n
	}
	done := at.Items + at.Here
	g.progress(ctx, done, max(done, total))
}

// profile writes the account itself.
func (g gathering) profile(ctx context.Context, dir string) error {
	a, found := g.clients.Users.ByIDs(ctx, []clients.UserID{g.user})[g.user]
	switch {
	case !found:
		return &clients.Error{Kind: clients.KindNotFound, Service: "user"}
	case a.Err != nil:
		return a.Err
	case a.Stale != nil:
		return errStale
	}
	return writeJSON(dir, "profile.json", a.Value)
}

func readCheckpoint(dir string) (at checkpoint, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, checkpointName))
	if errors.Is(err, os.ErrNotExist) {
		return checkpoint{}, nil
	}
	if err != nil {
		return checkpoint{}, err
	}
	if err := json.Unmarshal(raw, &at); err != nil {
		return checkpoint{}, fmt.Errorf("export: checkpoint: %w", err)
	}
	return at, nil
}

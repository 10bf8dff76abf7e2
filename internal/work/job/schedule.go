package job

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"tributary/clients"
	"tributary/internal/work"
	"tributary/internal/work/upstream"
)

const scheduleName = "schedulePost.v1"

// scheduledPost is the input of a scheduled post. Its author is the owner of the record.
type scheduledPost struct {
	Title string    `json:"title"`
	Body  string    `json:"body"`
	At    time.Time `json:"at"`
}

// Posted is the Output of a scheduled post.
type Posted struct {
	PostID string `json:"postId"`
}

// errFrozen refuses to publish for an account that may not be used.
var errFrozen = work.Permanent(work.Explain(errors.New("the author is frozen"), "ACCOUNT_FROZEN", "the account of the author is frozen"))

// schedulePost publishes a post when its time has come.
func schedulePost(o Options) work.Definition {
	return work.Definition{Name: scheduleName, Kind: work.Job, Retry: o.Retry, Steps: []work.StepDefinition{
		{Name: "publish", Do: func(ctx context.Context, call *work.Call) error {
			in, err := decode[scheduledPost](call.Record)
			if err != nil {
				return err
			}
			author := clients.UserID(call.Record.OwnerID)
			ctx = clients.WithCaller(ctx, clients.Caller{Actor: author, RequestID: call.Record.ID, IdempotencyKey: call.Key})
			if err := usable(ctx, o.Clients, author); err != nil {
				return upstream.Explain(err)
			}
			post, err := o.Clients.Posts.Create(ctx, clients.NewPost{AuthorID: author, Title: in.Title, Body: in.Body, Status: clients.PostPublished})
			if err != nil {
				return upstream.Explain(err)
			}
			return call.SetOutput(Posted{PostID: string(post.ID)})
		}},
	}}
}

// usable makes sure that an account is still there and in use: a post that appeared behind the erasure of its author would stay.
func usable(ctx context.Context, services *clients.Clients, id clients.UserID) error {
	a, found := services.Users.ByIDs(ctx, []clients.UserID{id})[id]
	switch {
	case !found:
		return &clients.Error{Kind: clients.KindNotFound, Service: "user"}
	case a.Err != nil:
		return a.Err
	case a.Stale != nil:
		return errStale
	case a.Value.Status == clients.UserFrozen:
		return errFrozen
	}
	return nil
}

// The refusals of a scheduled post. Fields are told by an *InputError.
var (
	ErrKeyReused = errors.New("the idempotency key belongs to another job")
	ErrInThePast = errors.New("the time has passed")
	ErrTooFar    = errors.New("the time is more than a year ahead")
	ErrTooMany   = errors.New("as many jobs of one owner are open as may be: cancel one, or wait until one has ended")
)

// InputError says which field of a post cannot be taken, with the codes of the services' contract: REQUIRED or TOO_LONG.
type InputError struct{ Field, Code string }

func (e *InputError) Error() string { return e.Field + ": " + e.Code }

// farthest is how far ahead a post can be scheduled.
const farthest = 366 * 24 * time.Hour

// The contract's lengths of a post, in characters. The service has the last word.
const (
	maxTitle = 200
	maxBody  = 20_000
)

// maxOpen is how many jobs of one owner may be open; of requests at once a few more may pass. Each takes room until its time comes.
const maxOpen = 100

// SchedulePost starts a job that publishes a post of a user at a time. ErrInThePast, ErrTooFar or an *InputError if it cannot, also
// for a text of many long characters that is within its length but beyond work.MaxPayload; ErrTooMany if 100 jobs of the user are
// open. Under the idempotency key of the clients.Caller there is one job of a user; ErrKeyReused if that is for something else.
func SchedulePost(ctx context.Context, engine *work.Engine, ownerID, actorID, title, body string, at, now time.Time) (work.Record, error) {
	switch {
	case !at.After(now):
		return work.Record{}, ErrInThePast
	case at.Sub(now) > farthest:
		return work.Record{}, ErrTooFar
	}
	if err := within("title", title, maxTitle); err != nil {
		return work.Record{}, err
	}
	if err := within("body", body, maxBody); err != nil {
		return work.Record{}, err
	}
	in := scheduledPost{Title: title, Body: body, At: at.UTC()}
	order := work.Order{Name: scheduleName, OwnerID: ownerID, ActorID: actorID, Input: in, RunAt: in.At}
	if key := clients.CallerFrom(ctx).IdempotencyKey; key != "" {
		order.Key = ownerID + "/" + key
	}
	if err := room(ctx, engine, order); err != nil {
		return work.Record{}, err
	}
	r, created, err := engine.Start(ctx, order)
	if errors.Is(err, work.ErrTooLarge) { // within the length, but not in bytes
		return work.Record{}, &InputError{"body", "TOO_LONG"}
	}
	if err == nil && !created {
		if first, err := decode[scheduledPost](r); err != nil || first.Title != title || first.Body != body || !first.At.Equal(at) {
			return work.Record{}, ErrKeyReused
		}
	}
	return r, err
}

// room says whether an owner may have the job that is ordered: one more, or one that is there under its key.
func room(ctx context.Context, engine *work.Engine, order work.Order) error {
	found, err := engine.List(ctx, work.Filter{Kind: work.Job, OwnerID: order.OwnerID, States: open()}, "", maxOpen)
	switch {
	case err != nil:
		return fmt.Errorf("schedule a post: %w", err)
	case len(found) < maxOpen, order.Key != "" && slices.ContainsFunc(found, func(r work.Record) bool { return r.Name == order.Name && r.Key == order.Key }):
		return nil
	}
	return ErrTooMany
}

// open are the states of jobs that have not ended.
func open() []work.State { return []work.State{work.Pending, work.Waiting, work.Running, work.Stuck} }

func within(field, text string, most int) error {
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return &InputError{field, "REQUIRED"}
	case n > most:
		return &InputError{field, "TOO_LONG"}
	}
	return nil
}

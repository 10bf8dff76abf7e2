package main

import (
	"encoding/json"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/event"
	"tributary/internal/work"
	"tributary/internal/work/dispatch"
	"tributary/internal/work/webhook"
	"tributary/resolvers"
)

// openStores opens what a gateway has besides its clients, and puts some of everything into it. Nothing of it runs.
func openStores(t *testing.T, urls map[string]string) *resolvers.Resolver {
	t.Helper()
	args := []string{"serve", "--addr", "127.0.0.1:0", "--data-dir", t.TempDir()}
	for service, address := range urls {
		args = append(args, "--"+service+"-url", address)
	}
	cfg, _, err := config.Parse(args, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	r, err := openReplica(t.Context(), &cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	fillEvents(t, r.events.log)
	fillKeys(t, r.access.keys)
	fillWork(t, r.durable.records)
	fillWebhooks(t, r.durable)
	return r.gateway.resolver
}

// fillEvents tells what happened to some entities, in steps of a second.
func fillEvents(t *testing.T, log event.Log) {
	t.Helper()
	for _, kind := range []string{"user", "post", "comment"} {
		var batch []event.Event
		for n := range 12 {
			id := kind[:1] + strconv.Itoa(n)
			entity := entityOf(kind, id)
			for version := range int64(4) {
				entity["version"] = version + 1
				entity["body"], entity["bio"] = textOf(id, strconv.FormatInt(version, 10)), nil
				data, err := json.Marshal(entity)
				if err != nil {
					t.Fatal(err)
				}
				verb := "updated"
				if version == 0 {
					verb = "created"
				}
				batch = append(batch, event.Event{
					ID: id + "-" + strconv.FormatInt(version, 10), Source: kind, Sequence: int64(n)*4 + version + 1, Type: kind + "." + verb, Subject: kind + "/" + id,
					Time: worldStart.Add(time.Duration(version*4-6) * time.Second), Actor: "u" + strconv.Itoa(n%4), Version: version + 1, Data: data,
				})
			}
		}
		if _, err := log.Append(t.Context(), kind, batch); err != nil {
			t.Fatal(err)
		}
	}
}

func fillKeys(t *testing.T, keys *auth.Keys) {
	t.Helper()
	later := time.Now().AddDate(1, 0, 0)
	for i, key := range []auth.NewKey{{Name: "one", UserID: "u1", Scopes: []string{"admin", "webhooks"}}, {Name: "two", ExpiresAt: &later}, {Name: "three", UserID: "u99"}} {
		made, _, err := keys.Create(t.Context(), key)
		if err == nil && i == 2 {
			_, _, err = keys.Revoke(t.Context(), made.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// fillWork writes jobs and sagas down, of which nothing is carried out.
func fillWork(t *testing.T, records work.Store) {
	t.Helper()
	failure := &work.Failure{Code: "UNAVAILABLE", Message: "not \"now\"", At: worldStart}
	states := []work.State{work.Waiting, work.Running, work.Failed, work.Completed}
	for n, state := range states {
		ended := time.Time{}
		if state == work.Failed || state == work.Completed {
			ended = worldStart.Add(time.Hour)
		}
		for _, kind := range []work.Kind{work.Job, work.Saga} {
			name := map[work.Kind]string{work.Job: "schedulePost.v1", work.Saga: "deleteAccount.v1"}[kind]
			record := work.Record{
				ID: string(kind) + strconv.Itoa(n), Kind: kind, Name: name, OwnerID: "u" + strconv.Itoa(n), State: state, Total: 4, Done: int64(n),
				Steps: []work.Step{{Name: "first", State: work.StepDone, Attempts: 1, At: worldStart}, {Name: "second", State: work.StepFailed, Attempts: 3, Undos: 1, Failure: failure, At: worldStart}, {Name: "third", State: work.StepPending}},
				RunAt: worldStart, Attempts: 1, CreatedAt: worldStart.Add(time.Duration(n) * time.Second), UpdatedAt: worldStart, EndedAt: ended, Output: json.RawMessage(`{"postId":"p1"}`),
			}
			if n%2 == 0 {
				record.Failure = failure
			}
			if _, _, err := records.Create(t.Context(), record); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func fillWebhooks(t *testing.T, d *durable) {
	t.Helper()
	for n, owner := range []string{"u1", "u2", ""} {
		made, _, err := d.webhooks.Create(t.Context(), webhook.Caller{UserID: owner, Admin: owner == ""}, webhook.NewEndpoint{
			URL: "https://example.org/" + strconv.Itoa(n), EventTypes: []string{"post.published", "user.*"}, Description: "the \"" + owner + "\"",
		})
		if err != nil {
			t.Fatal(err)
		}
		var kept dispatch.Consumer
		take := func(c *dispatch.Consumer) (*dispatch.Consumer, error) { // its id is drawn at random
			kept = *c
			return nil, nil
		}
		give := func(*dispatch.Consumer) (*dispatch.Consumer, error) {
			kept.CreatedAt = worldStart.Add(time.Duration(n) * time.Second)
			if n == 1 {
				kept.FailingSince, kept.RetryAt, kept.Attempts = worldStart, worldStart.Add(time.Hour), 2
			}
			return &kept, nil
		}
		_, err = d.consumers.Change(t.Context(), made.ID, take)
		if err != nil {
			t.Fatal(err)
		}
		known, err := d.consumers.Change(t.Context(), "wh_wh"+strconv.Itoa(n), give)
		if err != nil {
			t.Fatal(err)
		}
		deliveries := []dispatch.Delivery{
			{EventID: "e1", Source: "post", Type: "post.published", Subject: "post/p1", Position: 1, Attempt: 1, At: worldStart, Took: time.Millisecond, Outcome: dispatch.Delivered, Status: 204},
			{EventID: "e2", Source: "post", Type: "post.published", Subject: "post/p2", Position: 2, Attempt: 2, At: worldStart, Took: 2 * time.Millisecond, Outcome: dispatch.Refused, Status: 500, Excerpt: "no", Problem: "STATUS", NextRetry: worldStart.Add(time.Hour)},
		}
		if err := d.consumers.Progress(t.Context(), "", *known, deliveries); err != nil {
			t.Fatal(err)
		}
	}
}

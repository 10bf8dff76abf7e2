package job_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"tributary/clients"
	"tributary/internal/work"
	"tributary/internal/work/job"
)

func TestAPostIsPublishedInItsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	e, stop := w.engine()
	at := time.Now().Add(300 * time.Millisecond)
	r, err := job.SchedulePost(t.Context(), e, user, user, "Later", "Body", at, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	stop() // it comes in time for its time
	e, _ = w.engine()
	r = w.until(e, r.ID, ended)
	if r.State != work.Completed || !strings.Contains(string(r.Output), `"postId":"`) || r.EndedAt.Before(at) {
		t.Fatalf("%+v %+v", r, r.Failure)
	}
	posts := w.clients.Posts.ByAuthors(t.Context(), []clients.UserID{user}, clients.VisibilityPublic, clients.Page{Limit: 10})[user].Value.Items
	if len(posts) != 2 || posts[0].Title != "Later" || posts[0].Status != clients.PostPublished {
		t.Errorf("%+v", posts)
	}
}

func TestScheduledPostsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	e, _ := w.engine()
	now := time.Now()
	hour := now.Add(time.Hour)
	for name, test := range map[string]struct {
		title, body string
		at          time.Time
		want        error
		field, code string
	}{
		"past":         {"T", "B", now.Add(-time.Second), job.ErrInThePast, "", ""},
		"now":          {"T", "B", now, job.ErrInThePast, "", ""},
		"far":          {"T", "B", now.AddDate(2, 0, 0), job.ErrTooFar, "", ""},
		"no title":     {"", "B", hour, nil, "title", "REQUIRED"},
		"long title":   {strings.Repeat("ä", 201), "B", hour, nil, "title", "TOO_LONG"},
		"no body":      {"T", "", hour, nil, "body", "REQUIRED"},
		"long body":    {"T", strings.Repeat("x", 20_001), hour, nil, "body", "TOO_LONG"},
		"much in body": {"T", strings.Repeat("😀", 20_000), hour, nil, "body", "TOO_LONG"},
	} {
		_, err := job.SchedulePost(t.Context(), e, user, user, test.title, test.body, test.at, now)
		if test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
		if input, ok := errors.AsType[*job.InputError](err); test.field != "" && (!ok || *input != job.InputError{Field: test.field, Code: test.code}) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if r, err := job.SchedulePost(t.Context(), e, user, user, strings.Repeat("ä", 200), strings.Repeat("x", 20_000), hour, now); err != nil || r.RunAt.IsZero() {
		t.Errorf("as long as may be: %v", err)
	}
}

func TestAPostOfNobodyIsNotPublished(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	e, _ := w.engine()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Post(w.demo.URL("user")+"/users/bob/freeze", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	for owner, code := range map[string]string{"nobody": "NOT_FOUND", "bob": "ACCOUNT_FROZEN"} {
		now := time.Now()
		r, err := job.SchedulePost(t.Context(), e, owner, owner, "T", "B", now.Add(time.Millisecond), now)
		if err != nil {
			t.Fatal(err)
		}
		if r = w.until(e, r.ID, ended); r.State != work.Failed || r.Failure.Code != code || r.Steps[0].Attempts != 1 {
			t.Errorf("%s: %+v %+v", owner, r, r.Failure)
		}
	}
}

// The same request under the same idempotency key is one job.
func TestASchedulingIsRepeatedUnderItsKey(t *testing.T) {
	t.Parallel()
	e, _ := newWorld(t, 0).engine()
	at := time.Now().Add(time.Hour)
	ctx := clients.WithCaller(t.Context(), clients.Caller{IdempotencyKey: "k"})
	first, err := job.SchedulePost(ctx, e, user, user, "T", "B", at, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := job.SchedulePost(ctx, e, user, user, "T", "B", at, time.Now()); err != nil || again.ID != first.ID {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	if _, err := job.SchedulePost(ctx, e, user, user, "another", "B", at, time.Now()); !errors.Is(err, job.ErrKeyReused) {
		t.Errorf("reused: %v", err)
	}
	if other, err := job.SchedulePost(ctx, e, "somebody", "somebody", "T", "B", at, time.Now()); err != nil || other.ID == first.ID {
		t.Errorf("somebody else's key: %+v, %v", other, err)
	}
}

// One owner may have so many jobs that have not ended: each is kept until its time, and looked at again and again.
func TestOpenJobsOfOneOwnerAreBounded(t *testing.T) {
	t.Parallel()
	e, _ := newWorld(t, 0).engine()
	now := time.Now()
	schedule := func(owner, key string) (work.Record, error) {
		ctx := clients.WithCaller(t.Context(), clients.Caller{IdempotencyKey: key})
		return job.SchedulePost(ctx, e, owner, owner, "T", "B", now.Add(time.Hour), now)
	}
	first, err := schedule(user, "k")
	for n := 1; n < 100 && err == nil; n++ {
		_, err = schedule(user, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := schedule(user, ""); !errors.Is(err, job.ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
	if again, err := schedule(user, "k"); err != nil || again.ID != first.ID {
		t.Errorf("repeated under its key: %v", err)
	}
	if _, err := schedule("bob", ""); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	if _, err := e.Cancel(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for _, err = schedule(user, ""); errors.Is(err, job.ErrTooMany) && time.Now().Before(deadline); _, err = schedule(user, "") {
		time.Sleep(5 * time.Millisecond) // records tell nobody of their changes
	}
	if err != nil {
		t.Errorf("after one was taken back: %v", err)
	}
}

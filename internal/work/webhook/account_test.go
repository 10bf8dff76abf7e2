package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"tributary/internal/event"
	"tributary/internal/work/dispatch"
	"tributary/internal/work/webhook"
)

// disabledFor checks how an endpoint stands; an empty reason: it is active.
func (b *bench) disabledFor(id, reason string) {
	b.Helper()
	e, err := b.Get(b.Context(), admin, id)
	got := ""
	if err == nil && e.Reason != nil {
		got = *e.Reason
	}
	if err != nil || got != reason || (e.State == dispatch.Disabled) != (reason != "") {
		b.Errorf("%+v %q instead of %q, %v", e, got, reason, err)
	}
}

// TestEndpointsFollowTheirAccounts: what has an account's rights stops and goes on with it, and what its owner had stopped stays so.
func TestEndpointsFollowTheirAccounts(t *testing.T) {
	b := newBench(t, nil)
	root, other := webhook.Caller{UserID: "root", Admin: true}, webhook.Caller{UserID: "other", Admin: true}
	mine, stopped, bobs, roots, nobodys := b.create(ann, target), b.create(ann, target), b.create(bob, target), b.create(root, target), b.create(admin, target)
	if mine.Account() != "ann" || roots.OwnerID != "" || roots.Account() != "root" || nobodys.Account() != "" {
		t.Errorf("%+v %+v %+v", mine, roots, nobodys)
	}
	if _, err := b.Update(t.Context(), ann, stopped.ID, webhook.Update{Enabled: new(false)}); err != nil {
		t.Fatal(err)
	}
	follow := func(user string, inactive bool) {
		t.Helper()
		for range 2 {
			if err := b.FollowAccount(t.Context(), user, inactive); err != nil {
				t.Fatal(err)
			}
		}
	}
	follow("ann", true)
	follow("root", true)
	follow("", true)
	for id, reason := range map[string]string{
		mine.ID: webhook.ReasonAccount, stopped.ID: dispatch.ReasonByRequest, bobs.ID: "", roots.ID: webhook.ReasonAccount, nobodys.ID: "",
	} {
		b.disabledFor(id, reason)
	}
	for caller, id := range map[webhook.Caller]string{ann: mine.ID, other: mine.ID, root: roots.ID} {
		_, err := b.Update(t.Context(), caller, id, webhook.Update{Enabled: new(true)})
		refused(t, err, "enabled", webhook.CodeInvalid)
	}
	if e, err := b.Update(t.Context(), other, roots.ID, webhook.Update{Enabled: new(true)}); err != nil || e.State != dispatch.Active || e.MakerID != "other" {
		t.Errorf("another admin's: %+v, %v", e, err)
	}
	follow("root", true)
	follow("ann", false)
	for id, reason := range map[string]string{mine.ID: "", stopped.ID: dispatch.ReasonByRequest, roots.ID: ""} {
		b.disabledFor(id, reason)
	}
}

// TestNothingIsDeliveredForAnInactiveAccount: not by hand either, and nothing is passed over meanwhile.
func TestNothingIsDeliveredForAnInactiveAccount(t *testing.T) {
	var inactive atomic.Bool
	b := newBench(t, func(s *setup) {
		s.sender.Show = func(_ context.Context, e webhook.Endpoint, of event.Event) (json.RawMessage, bool, error) {
			if inactive.Load() && e.Account() == "ann" {
				return nil, false, fmt.Errorf("show: %w", webhook.ErrAccount)
			}
			return of.Data, true, nil
		}
	})
	r := receive(t, nil)
	made := b.create(ann, r.URL)
	b.run()
	b.write("post.created", "post/p1", time.Now(), `{}`)
	b.until("one is delivered", func() bool { return len(r.requests()) == 1 })
	inactive.Store(true)
	b.write("post.updated", "post/p1", time.Now(), `{}`)
	b.until("it fails", func() bool {
		e, err := b.Get(t.Context(), ann, made.ID)
		return err == nil && e.State == dispatch.Failing
	})
	if d, err := b.Redeliver(t.Context(), ann, made.ID, 1); err != nil || d.Problem != webhook.ProblemAccount {
		t.Errorf("before it is stopped: %+v, %v", d, err)
	}
	if err := b.FollowAccount(t.Context(), "ann", true); err != nil {
		t.Fatal(err)
	}
	if d, err := b.Ping(t.Context(), ann, made.ID); err != nil || d.Problem != webhook.ProblemAccount || d.Outcome != dispatch.Refused {
		t.Errorf("%+v, %v", d, err)
	}
	if got := len(r.requests()); got != 1 {
		t.Errorf("%d deliveries", got)
	}
	inactive.Store(false)
	if err := b.FollowAccount(t.Context(), "ann", false); err != nil {
		t.Fatal(err)
	}
	b.until("what was missed is delivered", func() bool { return len(r.requests()) == 2 && r.ids()[1] == "post:post%2Fp1%2E2" })
}

// TestWhoIsNotAdmittedMakesNone: whatever Admit says is the answer.
func TestWhoIsNotAdmittedMakesNone(t *testing.T) {
	barred := errors.New("frozen")
	b := newBench(t, func(s *setup) {
		s.options.Admit = func(_ context.Context, c webhook.Caller) error {
			if c == ann {
				return barred
			}
			return nil
		}
	})
	if _, secret, err := b.Create(t.Context(), ann, webhook.NewEndpoint{URL: target, EventTypes: []string{"*"}}); !errors.Is(err, barred) || secret != "" {
		t.Error(err)
	}
	b.create(bob, target)
}

package webhook_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tributary/internal/work/dispatch"
	"tributary/internal/work/webhook"
)

const target = "http://127.0.0.1:9/hook"

// refused checks that an error is a refusal with a code of a field.
func refused(t *testing.T, err error, field, code string) {
	t.Helper()
	refusal, ok := errors.AsType[*webhook.Error](err)
	if !ok || refusal.Field != field || refusal.Code != code || refusal.Message == "" {
		t.Errorf("%#v instead of %s %s", err, field, code)
	}
}

func TestCreate(t *testing.T) {
	b := newBench(t, twoVersions)
	b.write("post.created", "post/before", time.Now(), `{}`)
	made, secret, err := b.Create(t.Context(), ann, webhook.NewEndpoint{
		URL: target, EventTypes: []string{"post.*", "user.created", "post.*", "post.snapshot"}, Description: " mine ", Version: new(2),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newKey(secret); err != nil || len(secret) != len("whsec_")+44 {
		t.Error(secret, err)
	}
	want := webhook.Endpoint{
		ID: made.ID, OwnerID: "ann", URL: target, EventTypes: []string{"post.*", "user.created", "post.snapshot"}, Description: "mine",
		Version: 2, State: dispatch.Active, CreatedAt: made.CreatedAt,
	}
	got, err := b.Get(t.Context(), ann, made.ID)
	if err != nil || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(made, want) || made.CreatedAt.IsZero() {
		t.Errorf("%+v %v", got, err)
	}
	all, err := b.store.Consumers(t.Context())
	if err != nil || all[0].Position != 1 || all[0].LogID == "" || !webhook.Is(all[0]) {
		t.Errorf("%+v", all)
	}
	another, chosen, err := b.Create(t.Context(), admin, webhook.NewEndpoint{URL: target, EventTypes: []string{"*"}, Secret: given})
	if err != nil || chosen != given || another.OwnerID != "" {
		t.Error(another, err)
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t, nil)
	long := slices.Repeat([]string{"post.created"}, 51)
	for name, test := range map[string]struct {
		change      func(*webhook.NewEndpoint)
		field, code string
	}{
		"no types":         {func(n *webhook.NewEndpoint) { n.EventTypes = nil }, "eventTypes", webhook.CodeInvalid},
		"51 types":         {func(n *webhook.NewEndpoint) { n.EventTypes = long }, "eventTypes", webhook.CodeInvalid},
		"unknown type":     {func(n *webhook.NewEndpoint) { n.EventTypes = []string{"*", "post.burnt"} }, "eventTypes", webhook.CodeUnknownEventType},
		"unknown kind":     {func(n *webhook.NewEndpoint) { n.EventTypes = []string{"pos.*"} }, "eventTypes", webhook.CodeUnknownEventType},
		"other pattern":    {func(n *webhook.NewEndpoint) { n.EventTypes = []string{"post*"} }, "eventTypes", webhook.CodeUnknownEventType},
		"no kind":          {func(n *webhook.NewEndpoint) { n.EventTypes = []string{".*"} }, "eventTypes", webhook.CodeUnknownEventType},
		"empty type":       {func(n *webhook.NewEndpoint) { n.EventTypes = []string{""} }, "eventTypes", webhook.CodeUnknownEventType},
		"plain secret":     {func(n *webhook.NewEndpoint) { n.Secret = "hunter2hunter2hunter2hunter2" }, "secret", webhook.CodeInvalid},
		"short secret":     {func(n *webhook.NewEndpoint) { n.Secret = "whsec_c2hvcnQ=" }, "secret", webhook.CodeInvalid},
		"long description": {func(n *webhook.NewEndpoint) { n.Description = strings.Repeat("é", 201) }, "description", webhook.CodeInvalid},
		"two lines":        {func(n *webhook.NewEndpoint) { n.Description = "a\nb" }, "description", webhook.CodeInvalid},
	} {
		n := webhook.NewEndpoint{URL: target, EventTypes: []string{"*"}}
		test.change(&n)
		_, secret, err := b.Create(t.Context(), ann, n)
		t.Log(name)
		refused(t, err, test.field, test.code)
		if secret != "" {
			t.Error("a secret all the same")
		}
	}
	_, _, err := b.Create(t.Context(), webhook.Caller{}, webhook.NewEndpoint{URL: target, EventTypes: []string{"*"}})
	refused(t, err, "", webhook.CodeInvalid)
}

// TestOthers: somebody else's endpoint does not exist, whatever is asked of it.
func TestOthers(t *testing.T) {
	b := newBench(t, nil)
	made, theirs := b.create(ann, target), b.create(admin, target)
	if _, err := b.store.Change(t.Context(), "reaction", func(*dispatch.Consumer) (*dispatch.Consumer, error) {
		return &dispatch.Consumer{State: dispatch.Active, Config: []byte(`{}`)}, nil
	}); err != nil {
		t.Fatal(err)
	}
	for caller, ids := range map[webhook.Caller][]string{
		bob: {made.ID, theirs.ID}, ann: {theirs.ID}, {}: {made.ID, theirs.ID}, admin: {"wh_none", "reaction", ""},
	} {
		for _, id := range ids {
			_, err := b.Get(t.Context(), caller, id)
			refused(t, err, "id", webhook.CodeNotFound)
			_, err = b.Update(t.Context(), caller, id, webhook.Update{Description: new("x")})
			refused(t, err, "id", webhook.CodeNotFound)
			_, secret, err := b.RotateSecret(t.Context(), caller, id, "")
			refused(t, err, "id", webhook.CodeNotFound)
			_ = secret
			refused(t, b.Delete(t.Context(), caller, id), "id", webhook.CodeNotFound)
			_, err = b.Ping(t.Context(), caller, id)
			refused(t, err, "id", webhook.CodeNotFound)
			_, err = b.Redeliver(t.Context(), caller, id, 1)
			refused(t, err, "id", webhook.CodeNotFound)
			_, err = b.Replay(t.Context(), caller, id, time.Now().Add(-time.Hour), time.Time{})
			refused(t, err, "id", webhook.CodeNotFound)
			_, err = b.Deliveries(t.Context(), caller, id, 0, 10)
			refused(t, err, "id", webhook.CodeNotFound)
		}
	}
	for caller, want := range map[webhook.Caller]int{ann: 1, bob: 0, admin: 2, {}: 0} {
		if got, err := b.List(t.Context(), caller); err != nil || len(got) != want {
			t.Error(caller, got, err)
		}
	}
	if err := b.DeleteOwned(t.Context(), "ann"); err != nil {
		t.Fatal(err)
	}
	if all, err := b.store.Consumers(t.Context()); err != nil || len(all) != 2 {
		t.Error(all, err)
	}
}

// TestBounds: also when many are made at once, there are as many as there may be.
func TestBounds(t *testing.T) {
	b := newBench(t, func(s *setup) { s.options.MaxPerOwner, s.options.MaxTotal = 3, 5 })
	for i, caller := range []webhook.Caller{ann, bob} {
		want := []int64{3, 2}[i]
		var made atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				_, _, err := b.Create(t.Context(), caller, webhook.NewEndpoint{URL: target, EventTypes: []string{"*"}})
				if err == nil {
					made.Add(1)
					return
				}
				refused(t, err, "", webhook.CodeTooMany)
			})
		}
		all.Wait()
		if got, err := b.List(t.Context(), caller); err != nil || int64(len(got)) != made.Load() || made.Load() != want {
			t.Error(caller, made.Load(), len(got), err)
		}
	}
}

func TestUpdate(t *testing.T) {
	b := newBench(t, nil)
	made := b.create(ann, target)
	set := func(change func(*dispatch.Consumer)) {
		t.Helper()
		if _, err := b.store.Change(t.Context(), made.ID, func(c *dispatch.Consumer) (*dispatch.Consumer, error) { change(c); return c, nil }); err != nil {
			t.Fatal(err)
		}
	}
	update := func(u webhook.Update) webhook.Endpoint {
		t.Helper()
		e, err := b.Update(t.Context(), ann, made.ID, u)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	failing := func(c *dispatch.Consumer) {
		c.State, c.Attempts, c.FailingSince, c.RetryAt = dispatch.Failing, 3, time.Now(), time.Now()
	}
	if e := update(webhook.Update{EventTypes: []string{"post.*"}, Description: new("d")}); e.Description != "d" || !slices.Equal(e.EventTypes, []string{"post.*"}) || e.URL != target {
		t.Errorf("%+v", e)
	}
	set(failing)
	if e := update(webhook.Update{Description: new(""), URL: new(target)}); e.State != dispatch.Failing || e.Description != "" || e.RetryAt == nil {
		t.Errorf("%+v", e)
	}
	if e := update(webhook.Update{URL: new(target + "/new")}); e.State != dispatch.Active || e.FailingSince != nil || e.RetryAt != nil || e.URL != target+"/new" {
		t.Errorf("%+v", e)
	}
	set(failing)
	if e := update(webhook.Update{Enabled: new(false)}); e.State != dispatch.Disabled || *e.Reason != dispatch.ReasonByRequest || e.RetryAt != nil {
		t.Errorf("%+v", e)
	}
	if e := update(webhook.Update{Enabled: new(true)}); e.State != dispatch.Active || e.Reason != nil || e.FailingSince != nil {
		t.Errorf("%+v", e)
	}
	set(func(c *dispatch.Consumer) { c.State, c.Reason = dispatch.Disabled, dispatch.ReasonGone })
	if e := update(webhook.Update{Enabled: new(false)}); *e.Reason != dispatch.ReasonGone {
		t.Errorf("%+v", e)
	}
	_, err := b.Update(t.Context(), ann, made.ID, webhook.Update{URL: new("ftp://x"), Description: new("lost")})
	refused(t, err, "url", webhook.CodeInvalid)
	_, err = b.Update(t.Context(), ann, made.ID, webhook.Update{EventTypes: []string{}})
	refused(t, err, "eventTypes", webhook.CodeInvalid)
	if e, err := b.Get(t.Context(), ann, made.ID); err != nil || e.Description != "" {
		t.Error(e, err)
	}
}

// TestSecretIsNotShown: nothing that an endpoint's administration returns or formats has its secret.
func TestSecretIsNotShown(t *testing.T) {
	b := newBench(t, nil)
	made := b.create(ann, target)
	rotated, _, err := b.RotateSecret(t.Context(), ann, made.ID, secrets[0])
	_, _, bad := b.RotateSecret(t.Context(), ann, made.ID, "whsec_hunter2")
	if text := fmt.Sprintf("%+v %#v %v", made, rotated, bad); err != nil || strings.Contains(text, "whsec_MfK") || strings.Contains(text, "hunter2") || strings.Contains(text, secrets[0]) {
		t.Error(text, err)
	}
}

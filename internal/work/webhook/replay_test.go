package webhook_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tributary/internal/event"
	"tributary/internal/work/dispatch"
	"tributary/internal/work/webhook"
)

// TestReplay sends what happened in a time, also what came in late, and nothing else.
func TestReplay(t *testing.T) {
	b := newBench(t, nil)
	r := receive(t, nil)
	made := b.create(ann, r.URL)
	b.run()
	noon := time.Now().Add(-24 * time.Hour).Truncate(time.Hour)
	for i, minutes := range []int{-300, -90, -10, 0, 20, 5, -50, 59, 60, 40, 61, 200, 400} {
		b.write("post.created", fmt.Sprint("post/p", i), noon.Add(time.Duration(minutes)*time.Minute), `{}`)
	}
	b.until("all were sent", func() bool {
		c, err := b.store.Consumers(t.Context())
		return err == nil && c[0].Position == 13 && len(r.requests()) == 13
	})
	begun, err := b.Replay(t.Context(), ann, made.ID, noon, noon.Add(time.Hour))
	if err != nil || begun.ID == "" || begun.Endpoint.ID != made.ID || begun.Events < 5 || begun.Events > 12 {
		t.Fatalf("%+v %v", begun, err)
	}
	b.until("the replay has ended", func() bool {
		all, err := b.store.Consumers(t.Context())
		return err == nil && len(all) == 1
	})
	var want []string
	for _, i := range []int{3, 4, 5, 7, 9} {
		want = append(want, fmt.Sprintf("post:post%%2Fp%d%%2E1", i))
	}
	got := r.ids()[13:]
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Error(got)
	}
	log, err := b.Deliveries(t.Context(), ann, made.ID, 0, 100)
	if err != nil || len(log) != 18 || !log[0].IsManual || log[17].IsManual {
		t.Errorf("%+v %v", log, err)
	}
	if list, err := b.List(t.Context(), admin); err != nil || len(list) != 1 {
		t.Error(list, err)
	}
}

func TestReplayRefusals(t *testing.T) {
	b := newBench(t, nil)
	made := b.create(ann, target)
	past := time.Now().Add(-time.Minute)
	replay := func(from, to time.Time) (webhook.Replay, error) { return b.Replay(t.Context(), ann, made.ID, from, to) }
	if got, err := replay(past, time.Time{}); err != nil || got.ID != "" || got.Events != 0 {
		t.Error(got, err) // of an empty log
	}
	_, err := replay(time.Now().Add(time.Hour), time.Time{})
	refused(t, err, "from", webhook.CodeInvalid)
	_, err = replay(past, past)
	refused(t, err, "to", webhook.CodeInvalid)
	b.write("post.created", "post/p1", time.Now(), `{}`)
	if got, err := replay(past, time.Time{}); err != nil || got.ID != "" {
		t.Error(got, err) // its turn is still to come
	}
	if _, err := b.store.Change(t.Context(), made.ID, func(c *dispatch.Consumer) (*dispatch.Consumer, error) { c.Position = 1; return c, nil }); err != nil {
		t.Fatal(err)
	}
	if got, err := replay(past, time.Time{}); err != nil || got.Events != 1 {
		t.Error(got, err)
	}
	_, err = replay(past, time.Time{})
	refused(t, err, "id", webhook.CodeBusy)

	// The replay is nobody's endpoint, delivers nothing while its endpoint is disabled, and goes with it.
	all, err := b.store.Consumers(t.Context())
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	_, err = b.Get(t.Context(), admin, all[1].ID)
	refused(t, err, "id", webhook.CodeNotFound)
	if _, err := b.Update(t.Context(), ann, made.ID, webhook.Update{Enabled: new(false)}); err != nil {
		t.Fatal(err)
	}
	if got := b.sender.Send(t.Context(), all[1], event.Event{Time: time.Now()}, 1); !got.Gone || got.Status != 0 {
		t.Errorf("%+v", got)
	}
	_, err = replay(past, time.Time{})
	refused(t, err, "id", webhook.CodeInvalid)
	if err := b.Delete(t.Context(), ann, made.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.sender.Send(t.Context(), all[1], event.Event{Time: time.Now()}, 1); !got.Gone {
		t.Errorf("%+v", got)
	}
	if left, err := b.store.Consumers(t.Context()); err != nil || len(left) != 0 {
		t.Error(left, err)
	}
}

// TestRedeliver: an event is sent again under its id, whatever the endpoint's state.
func TestRedeliver(t *testing.T) {
	b := newBench(t, nil)
	r := receive(t, nil)
	made := b.create(ann, r.URL)
	b.run()
	b.write("post.created", "post/p1", time.Now(), `{}`)
	b.until("written down", func() bool { log, _ := b.Deliveries(t.Context(), ann, made.ID, 0, 1); return len(log) == 1 })
	if _, err := b.Update(t.Context(), ann, made.ID, webhook.Update{Enabled: new(false)}); err != nil {
		t.Fatal(err)
	}
	d, err := b.Redeliver(t.Context(), ann, made.ID, 1)
	if err != nil || d.Number != 2 || !d.IsManual || d.Attempt != 1 || d.Outcome != dispatch.Delivered {
		t.Errorf("%+v %v", d, err)
	}
	if ids := r.ids(); len(ids) != 2 || ids[0] != ids[1] || d.EventID != ids[0] {
		t.Error(ids)
	}
	p, err := b.Ping(t.Context(), ann, made.ID)
	if err != nil || p.Number != 3 || p.EventType != webhook.TypePing || !p.IsManual {
		t.Errorf("%+v %v", p, err)
	}
	for number, code := range map[int64]string{0: webhook.CodeNotFound, -1: webhook.CodeNotFound, 9: webhook.CodeNotFound, 1<<63 - 1: webhook.CodeNotFound, 3: webhook.CodeInvalid} {
		_, err := b.Redeliver(t.Context(), ann, made.ID, number)
		refused(t, err, "delivery", code)
	}
	if err := b.log.(event.Keeper).Trim(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	_, err = b.Redeliver(t.Context(), ann, made.ID, 1)
	refused(t, err, "delivery", webhook.CodeNotFound)
	page, err := b.Deliveries(t.Context(), ann, made.ID, 3, 1)
	if err != nil || len(page) != 1 || page[0].Number != 2 {
		t.Errorf("%+v %v", page, err)
	}
}

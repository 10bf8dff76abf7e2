package event_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tributary/internal/event"
	"tributary/internal/redisclient"
	"tributary/internal/redisclient/redistest"
)

// TestRedisTurns has replicas ask whose turn it is.
func TestRedisTurns(t *testing.T) {
	server := redistest.Start(t)
	one, two := openRedis(t, server.URL()), openRedis(t, server.URL())
	for _, c := range []struct {
		log  *event.Redis
		want bool
	}{{one, true}, {two, false}, {one, false}} {
		if mine, err := c.log.Turn(t.Context(), time.Hour); err != nil || mine != c.want {
			t.Errorf("%v, %v, want %v", mine, err, c.want)
		}
	}
	if left := server.Client().PTTL(t.Context(), "{ev}:retention").Val(); left <= 59*time.Minute || left > time.Hour {
		t.Errorf("the turn lasts %v", left)
	}
	server.Client().Del(t.Context(), "{ev}:retention") // as if the hour had passed
	if mine, err := two.Turn(t.Context(), time.Hour); err != nil || !mine {
		t.Errorf("%v, %v", mine, err)
	}
	server.Kill()
	if _, err := two.Turn(t.Context(), time.Hour); err == nil {
		t.Error("a turn without a server")
	}
}

// between calls a function in front of every pipeline that reads payloads, or script that compacts.
type between func()

func (between) DialHook(next redis.DialHook) redis.DialHook { return next }
func (b between) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, c redis.Cmder) error {
		if strings.HasPrefix(c.Name(), "evalsha") && len(c.Args()) == 3+2+6 {
			b()
		}
		return next(ctx, c)
	}
}
func (b between) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, all []redis.Cmder) error {
		if all[0].Name() == "hmget" {
			b()
		}
		return next(ctx, all)
	}
}

// TestRedisMeetsACompaction puts what others do between the steps of a read and of a compaction.
func TestRedisMeetsACompaction(t *testing.T) {
	server := redistest.Start(t)
	other := openRedis(t, server.URL())
	client, err := redisclient.Open(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	log := event.NewRedis(client, client)
	var do func()
	client.AddHook(between(func() {
		if now := do; now != nil {
			do = nil
			now()
		}
	}))
	fill := func(subject string) {
		for version := int64(1); version <= 3; version++ {
			e := event.Event{ID: subject + string(rune('0'+version)), Type: "post.created", Subject: subject, Version: version, Data: []byte(`{"n":1}`)}
			if _, err := other.Append(t.Context(), "post", []event.Event{e}); err != nil {
				t.Fatal(err)
			}
		}
	}
	trim := func() {
		if err := other.Trim(t.Context(), time.Now().Add(time.Hour)); err != nil {
			t.Error(err)
		}
	}
	compact := func(subject string) func() {
		return func() {
			if n, err := other.Compact(t.Context(), subject, time.Now()); err != nil || n != 3 {
				t.Errorf("the other one compacts %d, %v", n, err)
			}
		}
	}
	fill("post/read")
	do = func() { trim(); compact("post/read")() }
	if events, err := log.Read(t.Context(), 0, 10); !errors.Is(err, event.ErrTrimmed) {
		t.Errorf("a read that meets a compaction got %v, %v", events, err)
	}
	for subject, meet := range map[string]func(){
		"post/compacted": compact("post/compacted"),
		"post/redacted": func() {
			if err := other.Redact(t.Context(), "post/redacted"); err != nil {
				t.Error(err)
			}
		},
	} {
		fill(subject)
		trim()
		do = meet
		if n, err := log.Compact(t.Context(), subject, time.Now()); n != 0 || err != nil || do != nil {
			t.Errorf("%s: %d, %v, met %v", subject, n, err, do == nil)
		}
	}
	if events, err := log.ReadSubject(t.Context(), "post/redacted", 0, 0, 10, false); err != nil || len(events) != 3 || events[0].Data != nil {
		t.Errorf("what was redacted is %v, %v", events, err)
	}
}

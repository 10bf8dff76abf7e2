package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tributary/internal/event"
	"tributary/internal/work/webhook"
)

// An endpoint is shown what its owner could have seen when it happened, by the rule that queries follow.
func TestEndpointsAreShownWhatTheirOwnersMaySee(t *testing.T) {
	log, err := event.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "events.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	story := []struct {
		source, typ, subject, data string
		owner, other               bool // whether u1, whose all this is, and u2 are shown it
	}{
		{"user", "user.created", "user/u1", `{"id":"u1","name":"Ann","email":"ann@example.org"}`, true, true},
		{"user", "user.updated", "user/u1", `{"email":"new@example.org"}`, true, true},
		{"post", "post.created", "post/p1", `{"id":"p1","authorId":"u1","status":"draft","title":"T"}`, true, false},
		{"post", "post.updated", "post/p1", `{"authorId":"u1","title":"still a draft"}`, true, false},
		{"comment", "comment.created", "comment/c0", `{"id":"c0","postId":"p1","authorId":"u1","body":"to myself"}`, true, false},
		{"post", "post.published", "post/p1", `{"authorId":"u1","status":"published"}`, true, true},
		{"comment", "comment.created", "comment/c1", `{"id":"c1","postId":"p1","authorId":"u3","body":"nice"}`, true, true},
		{"post", "post.updated", "post/p1", `{"authorId":"u1","title":"for all"}`, true, true},
		{"post", "post.hidden", "post/p1", `{"authorId":"u1","status":"hidden"}`, true, true},
		{"post", "post.updated", "post/p1", `{"authorId":"u1","title":"for nobody"}`, true, false},
		{"comment", "comment.created", "comment/c2", `{"id":"c2","postId":"p1","authorId":"u1","body":"late"}`, true, false},
		{"follower", "follower.added", "follow/u1:u2", `{"followerId":"u1","followeeId":"u2"}`, true, true},
		{"gateway", "saga.failed", "saga/s1", `{"ownerId":"u1","state":"COMPENSATED"}`, true, false},
		{"gateway", "webhook.disabled", "webhook/wh_1", `{"ownerId":"","state":"DISABLED"}`, false, false},
	}
	versions := map[string]int64{}
	s := &showing{log: log}
	for i, step := range story {
		versions[step.subject]++
		e := event.Event{ID: step.typ + string(rune('a'+i)), Source: step.source, Type: step.typ, Subject: step.subject, Version: versions[step.subject],
			Time: noon.Add(time.Duration(i) * time.Minute), Data: json.RawMessage(step.data)}
		if _, err := log.Append(t.Context(), step.source, []event.Event{e}); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		for owner, want := range map[string]bool{"": true, "u1": step.owner, "u2": step.other} {
			data, shown, err := s.show(t.Context(), webhook.Endpoint{OwnerID: owner}, e)
			if err != nil || shown != want {
				t.Errorf("%d %s to %q: %t, %v", i, step.typ, owner, shown, err)
			}
			if owner == "u2" && strings.Contains(string(data), "example.org") {
				t.Errorf("%d: an address is shown to somebody else: %s", i, data)
			}
			if owner != "u2" && shown && string(data) != step.data {
				t.Errorf("%d to %q: %s", i, owner, data)
			}
		}
	}
	// What was written while the post was published is sent to others as long as it is, be it later or once more.
	for i, shown := range map[int]string{
		0: `{"id":"u1","name":"Ann"}`, 7: `{"authorId":"u1"}`, 6: `{"authorId":"u3","id":"c1","postId":"p1"}`, 5: `{"authorId":"u1","status":"published"}`,
	} {
		e := event.Event{Source: story[i].source, Type: story[i].typ, Subject: story[i].subject, Time: noon.Add(time.Duration(i) * time.Minute), Data: json.RawMessage(story[i].data)}
		if data, ok, err := s.show(t.Context(), webhook.Endpoint{OwnerID: "u2"}, e); err != nil || !ok || string(data) != shown {
			t.Errorf("%d later: %s, %t, %v", i, data, ok, err)
		}
		if data, ok, err := s.show(t.Context(), webhook.Endpoint{OwnerID: e.Subject[len(e.Subject)-2:]}, e); e.Subject == "user/u1" && (err != nil || !ok || string(data) != story[i].data) {
			t.Errorf("%d later, to its owner: %s, %t, %v", i, data, ok, err)
		}
	}
	again := func(typ, subject, data string, version int64, at time.Time) event.Event {
		return event.Event{ID: fmt.Sprint(typ, subject, version), Source: strings.Split(typ, ".")[0], Type: typ, Subject: subject, Version: version, Time: at, Data: json.RawMessage(data)}
	}
	later := noon.Add(time.Hour)
	if _, err := log.Append(t.Context(), "user", []event.Event{again("user.frozen", "user/u1", `{"status":"frozen"}`, versions["user/u1"]+1, later)}); err != nil {
		t.Fatal(err)
	}
	versions["user/u1"]++
	if data, ok, err := s.show(t.Context(), webhook.Endpoint{OwnerID: "u2"}, again("user.created", "user/u1", story[0].data, 1, noon)); err != nil || !ok || string(data) != `{"id":"u1"}` {
		t.Errorf("once the user is frozen: %s, %t, %v", data, ok, err)
	}
	for _, e := range []event.Event{
		again("post.published", "post/p1", `{"authorId":"u1","status":"published"}`, versions["post/p1"]+1, later),
		again("comment.deleted", "comment/c1", `{"id":"c1","postId":"p1","authorId":"u3"}`, 2, later),
		again("user.deleted", "user/u1", `{"id":"u1"}`, versions["user/u1"]+1, later),
	} {
		if _, err := log.Append(t.Context(), e.Source, []event.Event{e}); err != nil {
			t.Fatal(err)
		}
	}
	for i, shown := range map[int]string{0: `{"id":"u1"}`, 6: `{"authorId":"u3","id":"c1","postId":"p1"}`, 7: story[7].data} {
		e := again(story[i].typ, story[i].subject, story[i].data, 1, noon.Add(time.Duration(i)*time.Minute))
		if data, ok, err := s.show(t.Context(), webhook.Endpoint{OwnerID: "u2"}, e); err != nil || !ok || string(data) != shown {
			t.Errorf("%d once a comment and a user are gone: %s, %t, %v", i, data, ok, err)
		}
	}
	erased := event.Event{Source: "user", Type: "user.updated", Subject: "user/u1", Version: 2, Time: noon}
	if data, shown, err := s.show(t.Context(), webhook.Endpoint{OwnerID: "u2"}, erased); data != nil || !shown || err != nil {
		t.Errorf("erased: %s, %t, %v", data, shown, err)
	}
}

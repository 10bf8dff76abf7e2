package main

import (
	"encoding/json"
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
	erased := event.Event{Source: "user", Type: "user.updated", Subject: "user/u1", Version: 2, Time: noon}
	if data, shown, err := s.show(t.Context(), webhook.Endpoint{OwnerID: "u2"}, erased); data != nil || !shown || err != nil {
		t.Errorf("erased: %s, %t, %v", data, shown, err)
	}
}

package event

import (
	"encoding/json"
	"errors"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// lineage makes the events of a subject, a minute after each other from noon, out of types and data; data "" is redacted.
func lineage(subject string, version int64, typesAndData ...string) (events []Event) {
	for i := 0; i < len(typesAndData); i += 2 {
		e := Event{Type: typesAndData[i], Subject: subject, Version: version, Time: noon.Add(time.Duration(i/2) * time.Minute), Actor: "u9"}
		e.Source = kindOf(subject)
		e.ID = subject + e.Time.String()
		if data := typesAndData[i+1]; data != "" {
			e.Data = json.RawMessage(data)
		}
		events = append(events, e)
		version++
	}
	return events
}

func TestFold(t *testing.T) {
	for _, c := range []struct {
		name   string
		events []Event
		want   string // state, followed by d for deleted and r for redacted
	}{
		{"nothing", nil, ``},
		{"created", lineage("post/p", 1, "post.created", `{"id":"p","authorId":"a","publishedAt":null,"title":"x"}`),
			`{"authorId":"a","id":"p","title":"x","version":1}`},
		{"updated, with or without its version", lineage("post/p", 1, "post.created", `{"title":"x","version":1}`, "post.updated", `{"title":"y"}`,
			"post.hidden", `{"status":"hidden","version":3}`), `{"status":"hidden","title":"y","version":3}`},
		{"null removes", lineage("user/u", 1, "user.created", `{"bio":"x","name":"n"}`, "user.updated", `{"bio":null}`), `{"name":"n","version":2}`},
		{"moved", lineage("post/p", 1, "post.created", `{"authorId":"a"}`, "post.updated", `{"authorId":"b","previousAuthorId":"a"}`),
			`{"authorId":"b","version":2}`},
		{"restored to another author", lineage("post/p", 1, "post.created", `{"authorId":"a"}`, "post.restored", `{"authorId":"b","previousAuthorId":"a"}`),
			`{"authorId":"b","version":2}`},
		{"deleted", lineage("comment/c", 1, "comment.created", `{"authorId":"a","body":"x"}`, "comment.deleted", `{"authorId":"z","id":"c"}`),
			`{"authorId":"a","body":"x","version":2} d`},
		{"written to while deleted", lineage("post/p", 1, "post.created", `{"authorId":"a"}`, "post.deleted", `{}`, "post.updated", `{"authorId":"b"}`),
			`{"authorId":"b","version":3} d`},
		{"restored carries all", lineage("post/p", 1, "post.created", `{"a":1,"b":2}`, "post.deleted", `{}`, "post.restored", `{"b":3}`), `{"b":3,"version":3}`},
		{"followed again", lineage("follow/a:b", 1, "follower.added", `{"followedAt":"1"}`, "follower.removed", `{}`, "follower.added", `{"followedAt":"2"}`),
			`{"followedAt":"2","version":3}`},
		{"snapshot", lineage("user/u", 7, "user.snapshot", `{"name":"n"}`, "user.frozen", `{"status":"frozen"}`), `{"name":"n","status":"frozen","version":8}`},
		{"redacted", lineage("user/u", 1, "user.created", ``, "user.deleted", ``), ` dr`},
		{"redacted, then patched", lineage("user/u", 1, "user.created", ``, "user.updated", `{"name":"n"}`), ` r`},
		{"redacted, then deleted", lineage("user/u", 1, "user.created", ``, "user.deleted", `{"id":"u"}`), ` dr`},
		{"redacted, then whole", lineage("user/u", 1, "user.created", ``, "user.restored", `{"name":"n"}`), `{"name":"n","version":2}`},
		{"a patch that was redacted", lineage("user/u", 1, "user.created", `{"name":"n"}`, "user.updated", ``), ` r`},
		{"a first version that is no creation", lineage("user/u", 1, "user.updated", `{"name":"n"}`), `{"name":"n","version":1}`},
		{"deleted from the start", lineage("user/u", 1, "user.deleted", `{"id":"u"}`), `{"id":"u","version":1} d`},
	} {
		s, err := Fold(c.events)
		got := string(s.JSON)
		if s.Deleted || s.Redacted {
			got += " "
		}
		if s.Deleted {
			got += "d"
		}
		if s.Redacted {
			got += "r"
		}
		if err != nil || got != c.want {
			t.Errorf("%s: %s, %v, want %s", c.name, got, err, c.want)
		}
		if n := len(c.events); n > 0 && (s.Version != c.events[n-1].Version || s.Time != c.events[n-1].Time || s.Subject != c.events[0].Subject) {
			t.Errorf("%s: %+v", c.name, s)
		}
	}
}

func TestFoldRefusesWhatDoesNotFollow(t *testing.T) {
	created := lineage("post/p", 1, "post.created", `{}`)
	for name, events := range map[string][]Event{
		"a gap":               append(created, lineage("post/p", 3, "post.updated", `{}`)...),
		"twice the same":      append(created, created...),
		"another subject":     append(created, lineage("post/q", 2, "post.updated", `{}`)...),
		"no beginning":        lineage("post/p", 2, "post.updated", `{}`),
		"deleted from 2 on":   lineage("post/p", 2, "post.deleted", `{}`),
		"data is a list":      lineage("post/p", 1, "post.created", `[]`),
		"data is null":        lineage("post/p", 1, "post.created", `null`),
		"data is no JSON":     lineage("post/p", 1, "post.created", `{"a"`),
		"a patch is a string": append(created, lineage("post/p", 2, "post.updated", `"x"`)...),
	} {
		if s, err := Fold(events); !errors.Is(err, ErrBrokenHistory) || s.Version != 0 {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

// TestASnapshotMayBeOfWhatIsDeleted folds one, and what brings its subject back.
func TestASnapshotMayBeOfWhatIsDeleted(t *testing.T) {
	events := []Event{{Subject: "comment/1", Type: "comment.snapshot", Version: 2, Data: []byte(`{"id":"1","postId":"p","status":"deleted","body":""}`)}}
	if state, err := Fold(events); err != nil || !state.Deleted {
		t.Errorf("%+v, %v", state, err)
	}
	events = append(events, Event{Subject: "comment/1", Type: "comment.restored", Version: 3, Data: []byte(`{"id":"1","postId":"p","status":"published","body":"b"}`)})
	if state, err := Fold(events); err != nil || state.Deleted {
		t.Errorf("%+v, %v", state, err)
	}
}

package saga_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"tributary/internal/event"
	"tributary/internal/work"
	"tributary/internal/work/saga"
)

// TestRestoreAndPurgeCompete takes deletions back at about the time at which their grace period ends: one of the two wins, and all
// of it is done.
func TestRestoreAndPurgeCompete(t *testing.T) {
	const grace = 4 * time.Second
	s := newScene(t, grace)
	s.run("engine", s.engine.Run)
	type racer struct {
		id, post string
		saga     work.Record
	}
	racers := make([]racer, 10)
	for i := range racers {
		r := &racers[i]
		r.id = s.person(fmt.Sprint("racer_", i))
		r.post = s.post(r.id, "published")
		var err error
		if r.saga, err = s.accounts.DeleteAccount(t.Context(), r.id, r.id); err != nil {
			t.Fatal(err)
		}
	}
	won := map[work.State]int{}
	said := make([]error, len(racers))
	for i, r := range racers {
		time.Sleep(time.Until(r.saga.CreatedAt.Add(grace)) + time.Duration(i-3)*75*time.Millisecond) // the race is for this time
		_, err := s.accounts.RestoreAccount(t.Context(), r.id)
		if err != nil && !errors.Is(err, saga.ErrTooLate) {
			t.Fatal(err)
		}
		said[i] = err
	}
	for i, r := range racers {
		err, last := said[i], s.until(r.saga.ID, ended)
		won[last.State]++
		if want := map[bool]work.State{true: work.Compensated, false: work.Completed}[err == nil]; last.State != want {
			t.Errorf("restore says %v, and the deletion is %s", err, last.State)
		}
		people := s.do("GET", "user", "/users?ids="+r.id, nil)["items"].([]any)
		posts := s.do("GET", "post", "/posts?ids="+r.post, nil)["items"].([]any)
		if left := last.State == work.Compensated; (len(people) == 1) != left || (len(posts) == 1) != left {
			t.Errorf("%s with %v and %v", last.State, people, posts)
		}
	}
	t.Logf("%v", won)
}

// TestErasureFindsWhatWasTheirs walks a log in which the person is an author, a former author, and nobody at all.
func TestErasureFindsWhatWasTheirs(t *testing.T) {
	s := newScene(t, 0)
	told := func(source, subject string, patches ...string) {
		batch := make([]event.Event, len(patches))
		for i, patch := range patches {
			batch[i] = event.Event{
				ID: fmt.Sprint(subject, i), Source: source, Sequence: 0, Type: source + ".updated", Subject: subject, Time: time.Now(), Actor: "x",
				Version: int64(i + 1), Data: json.RawMessage(patch),
			}
		}
		batch[0].Type = source + ".created"
		if _, err := s.log.Append(t.Context(), source, batch); err != nil {
			t.Fatal(err)
		}
	}
	ann, bob := `"`+s.ann+`"`, `"`+s.bob+`"`
	theirs := map[string][]string{
		"post/a": {`{"authorId":` + ann + `}`}, "comment/b": {`{"authorId":` + ann + `}`, `{"authorId":null,"previousAuthorId":` + ann + `}`},
		"comment/g": {`{"authorId":null,"previousAuthorId":` + ann + `}`}, // as compaction may leave it
		"comment/c": {`{"authorId":` + bob + `}`, `{"authorId":` + ann + `,"previousAuthorId":` + bob + `}`}, "follow/zz:" + s.ann: {`{}`}, "follow/" + s.ann + ":zz": {`{}`},
	}
	others := map[string][]string{
		"post/d": {`{"authorId":` + bob + `,"title":` + ann + `}`}, "user/" + s.ann + "x": {`{"name":` + ann + `}`}, "follow/x" + s.ann + ":" + s.bob: {`{}`},
		"comment/e": {`{"authorId":null}`}, "comment/f": {`7`},
	}
	for _, all := range []map[string][]string{theirs, others} {
		for subject, patches := range all {
			told(map[byte]string{'p': "post", 'c': "comment", 'f': "follower", 'u': "user"}[subject[0]], subject, patches...)
		}
	}
	s.run("engine", s.engine.Run)
	if r := s.until(s.deletion().ID, ended); r.State != work.Completed {
		t.Fatalf("%+v", r)
	}
	for want, all := range map[bool]map[string][]string{true: theirs, false: others} {
		for subject := range all {
			events, err := s.log.ReadSubject(t.Context(), subject, 0, 0, 10, false)
			if err != nil || len(events) != len(all[subject]) {
				t.Fatalf("%s: %v %v", subject, events, err)
			}
			for _, e := range events {
				if (e.Data == nil && e.Actor == "") != want {
					t.Errorf("%s is %s by %s", subject, e.Data, e.Actor)
				}
			}
		}
	}
}

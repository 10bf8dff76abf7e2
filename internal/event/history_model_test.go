package event

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// step is an event that an entity of the model made, and the entity afterwards: without null members, as it was where it is gone.
type step struct {
	event   Event
	members map[string]any
	gone    bool
}

func (s step) state() string {
	members := copyJSON(s.members).(map[string]any)
	members["version"] = json.Number(fmt.Sprint(s.event.Version))
	return string(encodeJSON(members))
}

// drawLife lets an entity live as the services write their events: whole documents with nulls, merge patches, names in each.
func drawLife(t *rapid.T, subject string, most int) (life []step) {
	members, gone, version := map[string]any{}, false, int64(1)
	at := noon
	for i := range rapid.IntRange(1, most).Draw(t, "events") {
		kind, data := "post.updated", map[string]any{}
		next := drawEntity(t)
		switch dice := rapid.IntRange(0, 9).Draw(t, "kind"); {
		case i == 0 && dice < 3:
			kind, version = "post.snapshot", rapid.Int64Range(1, 50).Draw(t, "version")
		case i == 0:
			kind = "post.created"
		case gone:
			kind = "post.restored"
		case dice == 0:
			kind = "post.deleted"
		}
		switch kind {
		case "post.deleted":
			next = members
		case "post.updated":
			data = patchFrom(members, next)
		default:
			data = copyJSON(next).(map[string]any)
			data["nothing"] = nil
		}
		if i > 0 && next["authorId"] != members["authorId"] {
			data[previousAuthor] = members["authorId"]
		}
		data["id"], data["authorId"] = next["id"], next["authorId"]
		if rapid.Bool().Draw(t, "tells its version") {
			data["version"] = version
		}
		members, gone = next, kind == "post.deleted"
		life = append(life, step{Event{
			ID: fmt.Sprintf("%s:%d", subject, version), Source: "post", Subject: subject, Type: kind, Version: version, Time: at, Data: encodeJSON(data),
		}, members, gone})
		at = at.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "seconds")) * time.Second)
		version++
	}
	return life
}

func drawEntity(t *rapid.T) map[string]any {
	members := map[string]any{"id": "p", "authorId": rapid.SampledFrom([]string{"a", "b"}).Draw(t, "author")}
	for _, name := range []string{"title", "status", "bio"} {
		if text := rapid.SampledFrom([]string{"", "x", "y<&>"}).Draw(t, name); text != "" {
			members[name] = text
		}
	}
	if rapid.Bool().Draw(t, "has meta") {
		meta := map[string]any{}
		for _, name := range []string{"k", "l"} {
			if n := rapid.IntRange(0, 2).Draw(t, name); n > 0 {
				meta[name] = json.Number(fmt.Sprint(n))
			}
		}
		members["meta"] = meta
	}
	return members
}

// patchFrom is the merge patch from one object to another.
func patchFrom(before, after map[string]any) map[string]any {
	patch := map[string]any{}
	for name := range before {
		if _, ok := after[name]; !ok {
			patch[name] = nil
		}
	}
	for name, value := range after {
		old, wasObject := before[name].(map[string]any)
		inner, isObject := value.(map[string]any)
		switch {
		case sameJSON(before[name], value):
		case wasObject && isObject:
			patch[name] = patchFrom(old, inner)
		default:
			patch[name] = value
		}
	}
	return patch
}

func TestFoldOfAnyPrefixIsTheEntity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var events []Event
		for _, s := range drawLife(t, "post/p", 40) {
			events = append(events, s.event)
			got, err := Fold(events)
			if err != nil || string(got.JSON) != s.state() || got.Deleted != s.gone || got.Version != s.event.Version {
				t.Fatalf("%s: %s, deleted %v, %v, want %s", s.event.Data, got.JSON, got.Deleted, err, s.state())
			}
		}
	})
}

// TestHistoryOfTheModel holds every page to the entity before and after each event, where it claims to know them.
func TestHistoryOfTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		life, log := drawLife(t, "post/p", 90), newLedger()
		for _, s := range life {
			log.add(s.event)
		}
		start := life[0].event.Version
		last := start + int64(len(life)) - 1
		page := HistoryPage{
			After: rapid.Int64Range(0, last).Draw(t, "after"), Before: rapid.Int64Range(0, last+1).Draw(t, "before"),
			Limit: rapid.IntRange(1, 60).Draw(t, "limit"), Backward: rapid.Bool().Draw(t, "backward"),
		}
		changes, more, err := History(t.Context(), log, "post/p", page)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(slices.Clone(life), func(s step) bool {
			return s.event.Version <= page.After || page.Before > 0 && s.event.Version >= page.Before
		})
		if page.Backward {
			slices.Reverse(want)
		}
		if more != (len(want) > page.Limit) || len(changes) != min(len(want), page.Limit) {
			t.Fatalf("%d changes, more %v, of %d", len(changes), more, len(want))
		}
		for i, c := range changes {
			if c.Event.Version != want[i].event.Version {
				t.Fatalf("change %d is of version %d", i, c.Event.Version)
			}
			before := map[string]any{}
			if c.Event.Version > start {
				before = life[c.Event.Version-start-1].members
			}
			holdChange(t, c, before, want[i], len(life) <= lookback && life[0].event.Type == "post.created")
		}
	})
}

func holdChange(t *rapid.T, c Change, before map[string]any, after step, complete bool) {
	found := map[string]bool{}
	for _, f := range c.Fields {
		found[f.Name] = true
		text := func(value any) string { return string(encodeJSON(value)) }
		if f.Before != nil && (string(f.Before) != text(before[f.Name]) || string(f.Before) == string(f.After)) {
			t.Fatalf("%s of version %d: %s before, was %s", f.Name, c.Event.Version, f.Before, text(before[f.Name]))
		}
		if f.After != nil && string(f.After) != text(after.members[f.Name]) {
			t.Fatalf("%s of version %d: %s after, is %s", f.Name, c.Event.Version, f.After, text(after.members[f.Name]))
		}
		if complete && (f.Before == nil || f.After == nil) {
			t.Fatalf("%s of version %d: not known", f.Name, c.Event.Version)
		}
	}
	for _, name := range differing(before, after.members) {
		if !found[name] {
			t.Fatalf("%s of version %d is missing", name, c.Event.Version)
		}
	}
	if status, _ := after.members["status"].(string); c.Status != "" && c.Status != "deleted" && c.Status != status || after.gone != (c.Status == "deleted") {
		t.Fatalf("status of version %d: %s", c.Event.Version, c.Status)
	}
}

func TestAsOfTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		life, log := drawLife(t, "post/p", 40), newLedger()
		for _, s := range life {
			log.add(s.event)
		}
		at := noon.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second)
		var want step
		for _, s := range life {
			if !s.event.Time.After(at) {
				want = s
			}
		}
		got, found, err := AsOf(t.Context(), log, "post/p", at)
		if err != nil || !found || string(got.JSON) != want.state() || got.Deleted != want.gone {
			t.Fatalf("%s, %v, %v, want %s", got.JSON, found, err, want.state())
		}
	})
}

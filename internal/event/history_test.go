package event

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// changesText writes changes as "version type status>status field:before>after …", ? for what is not known.
func changesText(changes []Change) (lines []string) {
	or := func(text string) string {
		if text == "" {
			return "?"
		}
		return text
	}
	for _, c := range changes {
		line := fmt.Sprintf("%d %s %s>%s", c.Event.Version, c.Event.Type, or(c.StatusBefore), or(c.Status))
		for _, f := range c.Fields {
			line += fmt.Sprintf(" %s:%s>%s", f.Name, or(string(f.Before)), or(string(f.After)))
		}
		lines = append(lines, line)
	}
	return lines
}

func TestHistoryChanges(t *testing.T) {
	for _, c := range []struct {
		name   string
		events []Event
		want   []string
	}{
		{"of a post", lineage("post/p", 1,
			"post.created", `{"id":"p","authorId":"a","title":"x","status":"draft","publishedAt":null,"version":1,"updatedAt":"1"}`,
			"post.updated", `{"id":"p","authorId":"a","title":"y","version":2,"updatedAt":"2"}`,
			"post.published", `{"id":"p","authorId":"a","status":"published","publishedAt":"3","version":3,"updatedAt":"3"}`,
			"post.updated", `{"id":"p","authorId":"b","previousAuthorId":"a","version":4}`,
			"post.deleted", `{"id":"p","authorId":"b"}`,
			"post.restored", `{"id":"p","authorId":"b","title":"z","status":"published","version":6}`),
			[]string{
				`1 post.created ?>draft authorId:null>"a" id:null>"p" status:null>"draft" title:null>"x"`,
				`2 post.updated draft>draft title:"x">"y"`,
				`3 post.published draft>published publishedAt:null>"3" status:"draft">"published"`,
				`4 post.updated published>published authorId:"a">"b"`,
				`5 post.deleted published>deleted`,
				`6 post.restored deleted>published publishedAt:"3">null title:"y">"z"`,
			}},
		{"from a snapshot", lineage("user/u", 4, "user.snapshot", `{"id":"u","name":"x","bio":null}`, "user.updated", `{"id":"u","bio":"b"}`,
			"user.updated", `{"id":"u","bio":null,"name":"x"}`),
			[]string{`4 user.snapshot ?>? id:?>"u" name:?>"x"`, `5 user.updated ?>? bio:null>"b"`, `6 user.updated ?>? bio:"b">null`}},
		{"a snapshot at version 1 does not say when", lineage("user/u", 1, "user.snapshot", `{"name":"x"}`), []string{`1 user.snapshot ?>? name:?>"x"`}},
		{"of an edge", lineage("follow/a:b", 1, "follower.added", `{"followerId":"a","followedAt":"1"}`, "follower.removed", `{"followerId":"a"}`,
			"follower.added", `{"followerId":"a","followedAt":"2"}`),
			[]string{`1 follower.added ?>? followedAt:null>"1" followerId:null>"a"`, `2 follower.removed ?>deleted`, `3 follower.added deleted>? followedAt:"1">"2"`}},
		{"redacted", lineage("user/u", 1, "user.created", `{"name":"x"}`, "user.updated", ``, "user.updated", `{"id":"u","name":"y"}`),
			[]string{`1 user.created ?>? name:null>"x"`, `2 user.updated ?>?`, `3 user.updated ?>? name:?>"y"`}},
		{"inside of an object", lineage("user/u", 1, "user.created", `{"m":{"a":1,"b":2}}`, "user.updated", `{"m":{"a":null,"c":3}}`, "user.updated", `{"m":{"a":null}}`),
			[]string{`1 user.created ?>? m:null>{"a":1,"b":2}`, `2 user.updated ?>? m:{"a":1,"b":2}>{"b":2,"c":3}`, `3 user.updated ?>?`}},
		{"inside of an object that is not known", lineage("user/u", 1, "user.created", ``, "user.updated", `{"m":{"a":1}}`, "user.updated", `{"m":{"a":2}}`),
			[]string{`1 user.created ?>?`, `2 user.updated ?>? m:?>?`, `3 user.updated ?>? m:?>?`}},
		{"names that are not known to have changed", lineage("comment/c", 1, "comment.created", ``, "comment.updated", `{"id":"c","postId":"p","authorId":"a","body":"x"}`,
			"comment.updated", `{"id":"c","postId":"p","authorId":null,"previousAuthorId":"a"}`, "comment.updated", `{"id":"c","postId":"p","authorId":"b"}`),
			[]string{`1 comment.created ?>?`, `2 comment.updated ?>? body:?>"x"`, `3 comment.updated ?>? authorId:"a">null`, `4 comment.updated ?>? authorId:null>"b"`}},
		{"a move of what is not known", lineage("post/p", 1, "post.created", ``, "post.updated", `{"id":"p","authorId":"b","previousAuthorId":"a"}`),
			[]string{`1 post.created ?>?`, `2 post.updated ?>? authorId:"a">"b"`}},
	} {
		changes, more, err := History(t.Context(), newLedger(c.events...), c.events[0].Subject, HistoryPage{Limit: 100})
		if got := changesText(changes); err != nil || more || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v\n%s\nwant\n%s", c.name, err, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

func TestHistoryPages(t *testing.T) {
	typesAndData := []string{"user.created", `{"id":"u","name":"0","bio":"b"}`}
	for i := range 119 {
		typesAndData = append(typesAndData, "user.updated", fmt.Sprintf(`{"id":"u","name":"%d"}`, i+1))
	}
	log := newLedger(lineage("user/u", 1, typesAndData...)...)
	for _, c := range []struct {
		page        HistoryPage
		first, last int64 // versions; 0 for none
		more        bool
	}{
		{HistoryPage{Limit: 10}, 1, 10, true},
		{HistoryPage{Limit: 120}, 1, 120, false},
		{HistoryPage{Limit: 119}, 1, 119, true},
		{HistoryPage{Limit: 10, After: 100}, 101, 110, true},
		{HistoryPage{Limit: 20, After: 100}, 101, 120, false},
		{HistoryPage{Limit: 20, After: 30, Before: 40}, 31, 39, false},
		{HistoryPage{Limit: 20, After: 120}, 0, 0, false},
		{HistoryPage{Limit: 10, Backward: true}, 120, 111, true},
		{HistoryPage{Limit: 10, Before: 11, Backward: true}, 10, 1, false},
		{HistoryPage{Limit: 9, Before: 11, Backward: true}, 10, 2, true},
		{HistoryPage{Limit: 10, After: 110, Backward: true}, 120, 111, false},
		{HistoryPage{Limit: 9, After: 110, Backward: true}, 120, 112, true},
		{HistoryPage{Limit: 10, After: 5, Before: 9, Backward: true}, 8, 6, false},
		{HistoryPage{Limit: 10, Before: 1, Backward: true}, 0, 0, false},
		{HistoryPage{}, 1, 1, true},
		{HistoryPage{Limit: 5, After: math.MinInt64, Before: -3}, 1, 5, true},
		{HistoryPage{Limit: 5, After: math.MaxInt64}, 0, 0, false},
		{HistoryPage{Limit: -5, Backward: true}, 120, 120, true},
		{HistoryPage{Limit: 1 << 40}, 1, 120, false},
	} {
		log.reads = 0
		changes, more, err := History(t.Context(), log, "user/u", c.page)
		if err != nil || more != c.more || log.reads != 1 {
			t.Errorf("%+v: more %v, %v, %d reads", c.page, more, err, log.reads)
			continue
		}
		if c.first == 0 {
			if len(changes) != 0 {
				t.Errorf("%+v: %d changes", c.page, len(changes))
			}
			continue
		}
		if len(changes) == 0 || changes[0].Event.Version != c.first || changes[len(changes)-1].Event.Version != c.last {
			t.Errorf("%+v: %v", c.page, changesText(changes))
			continue
		}
		for _, change := range changes {
			v := change.Event.Version
			want := fmt.Sprintf(`%d user.updated ?>? name:"%d">"%d"`, v, v-2, v-1)
			if got := changesText([]Change{change})[0]; v > 1 && got != want {
				t.Errorf("%+v: %s, want %s", c.page, got, want)
			}
		}
	}
	if changes, more, err := History(t.Context(), log, "user/x", HistoryPage{Limit: 5}); changes != nil || more || err != nil {
		t.Errorf("a subject that is not known: %v, %v, %v", changes, more, err)
	}
}

func TestHistoryErrors(t *testing.T) {
	gone := errors.New("gone")
	if _, _, err := History(t.Context(), &ledger{fail: gone}, "user/u", HistoryPage{}); !errors.Is(err, gone) {
		t.Error(err)
	}
	bad := newLedger(lineage("user/u", 1, "user.created", `[]`)...)
	if _, _, err := History(t.Context(), bad, "user/u", HistoryPage{}); !errors.Is(err, ErrBrokenHistory) {
		t.Error(err)
	}
}

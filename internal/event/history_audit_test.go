package event

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// auditLog is n events, a second after each other from noon, of ten users by three actors.
func auditLog(n int) *ledger {
	log, versions := newLedger(), map[string]int64{}
	for i := range n {
		subject := fmt.Sprintf("user/u%d", i*i%10)
		versions[subject]++
		e := Event{
			Type: []string{"user.updated", "user.frozen"}[i%2], Source: "user", Subject: subject, Version: versions[subject],
			Actor: []string{"a", "b", ""}[i%3], Time: noon.Add(time.Duration(i) * time.Second),
		}
		log.add(e)
	}
	return log
}

// TestAuditGoesThroughAll follows next from page to page, and compares with what the filter lets through.
func TestAuditGoesThroughAll(t *testing.T) {
	log := auditLog(1300)
	rapid.Check(t, func(t *rapid.T) {
		filter := AuditFilter{
			Actor:   rapid.SampledFrom([]string{"", "", "a", "b", "nobody"}).Draw(t, "actor"),
			Subject: rapid.SampledFrom([]string{"", "", "user/u0", "user/u4", "user/u2"}).Draw(t, "subject"),
			Types:   rapid.SliceOfN(rapid.SampledFrom([]string{"user.updated", "user.frozen", "post.created"}), 0, 2).Draw(t, "types"),
		}
		if rapid.Bool().Draw(t, "from") {
			filter.From = noon.Add(time.Duration(rapid.IntRange(-10, 1400).Draw(t, "seconds")) * time.Second)
		}
		if rapid.Bool().Draw(t, "to") {
			filter.To = noon.Add(time.Duration(rapid.IntRange(-10, 1400).Draw(t, "seconds")) * time.Second)
		}
		limit := rapid.IntRange(1, 700).Draw(t, "limit")
		var got, want []int64
		for _, e := range slices.Backward(log.events) {
			if filter.matches(e) {
				want = append(want, e.Position)
			}
		}
		for before := int64(0); ; {
			page, next, more, err := Audit(t.Context(), log, filter, before, limit)
			if err != nil || len(page) > min(limit, MaxHistory) {
				t.Fatalf("%d events, %v", len(page), err)
			}
			for _, c := range page {
				got = append(got, c.Event.Position)
			}
			if !more {
				break
			}
			if before > 0 && next >= before {
				t.Fatalf("next goes from %d to %d", before, next)
			}
			before = next
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v: %v, want %v", filter, got, want)
		}
	})
}

func TestAuditBoundsItsWork(t *testing.T) {
	log := auditLog(MaxAuditScan + 5)
	for _, subject := range []string{"", "user/u0"} {
		for i := range log.events {
			log.events[i].Subject, log.events[i].Version = "user/u0", int64(i+1)
		}
		events, next, more, err := Audit(t.Context(), log, AuditFilter{Actor: "nobody", Subject: subject}, 0, 10)
		if err != nil || len(events) != 0 || next != 6 || !more {
			t.Errorf("first page: %d events, next %d, more %v, %v", len(events), next, more, err)
		}
		events, next, more, err = Audit(t.Context(), log, AuditFilter{Subject: subject}, next, 10)
		if err != nil || len(events) != 5 || next != 1 || more {
			t.Errorf("second page: %d events, next %d, more %v, %v", len(events), next, more, err)
		}
		events, _, more, err = Audit(t.Context(), log, AuditFilter{Subject: subject}, 1, 10)
		if err != nil || len(events) != 0 || more {
			t.Errorf("in front of the first: %d events, more %v, %v", len(events), more, err)
		}
	}
}

func TestAuditOfATrimmedLog(t *testing.T) {
	log := auditLog(1000)
	log.first = 321
	events, next, more, err := Audit(t.Context(), log, AuditFilter{}, 800, 500)
	if err != nil || len(events) != 479 || next != 321 || more {
		t.Errorf("%d events, next %d, more %v, %v", len(events), next, more, err)
	}
	if events, _, more, err = Audit(t.Context(), log, AuditFilter{}, 300, 500); err != nil || len(events) != 0 || more {
		t.Errorf("trimmed: %d events, more %v, %v", len(events), more, err)
	}
	if events, _, _, err = Audit(t.Context(), log, AuditFilter{Subject: "user/u5"}, 0, 500); err != nil || len(events) != 100 {
		t.Errorf("by subject: %d events, %v", len(events), err)
	}
	if events, _, more, err = Audit(t.Context(), newLedger(), AuditFilter{}, 0, 5); err != nil || len(events) != 0 || more {
		t.Errorf("empty: %d events, more %v, %v", len(events), more, err)
	}
	log.fail = errors.New("gone")
	for _, subject := range []string{"", "user/u0"} {
		if _, _, _, err := Audit(t.Context(), log, AuditFilter{Subject: subject}, 5, 5); !errors.Is(err, log.fail) {
			t.Error(err)
		}
	}
}

func TestAuditTellsWhatChanged(t *testing.T) {
	log := newLedger(lineage("post/p", 1,
		"post.created", `{"id":"p","authorId":"a","title":"x","status":"draft","publishedAt":null,"version":1}`,
		"post.updated", `{"id":"p","authorId":"a","title":"y","version":2,"updatedAt":"2"}`,
		"post.published", `{"id":"p","authorId":"a","status":"published","publishedAt":"3"}`,
		"post.updated", `{"id":"p","authorId":"b","previousAuthorId":"a"}`,
		"post.updated", ``,
		"post.deleted", `{"id":"p","authorId":"b"}`,
		"post.restored", `{"id":"p","authorId":"b","title":"z","status":"published"}`)...)
	for range 40 { // further subjects: more than a page
		log.add(lineage(fmt.Sprint("user/u", len(log.events)), 3, "user.snapshot", `{"id":"u","name":"n","version":3}`)[0])
	}
	log.add(lineage("user/m", 2, "user.updated", `{"id":"m","bio":null,"m":{"a":1}}`)[0])
	page, _, more, err := Audit(t.Context(), log, AuditFilter{}, 0, 100)
	if err != nil || more || log.reads != 1 {
		t.Fatalf("%d reads, %v, %v", log.reads, more, err)
	}
	want := []string{
		`2 user.updated ?>? bio:?>null m:?>?`,
		`3 user.snapshot ?>? id:?>"u" name:?>"n"`,
		`7 post.restored ?>published authorId:?>"b" id:?>"p" status:?>"published" title:?>"z"`,
		`6 post.deleted ?>deleted`,
		`5 post.updated ?>?`,
		`4 post.updated ?>? authorId:"a">"b"`,
		`3 post.published ?>published publishedAt:?>"3" status:?>"published"`,
		`2 post.updated ?>? title:?>"y"`,
		`1 post.created ?>draft authorId:null>"a" id:null>"p" status:null>"draft" title:null>"x"`,
	}
	if got := changesText(slices.Concat(page[:2], page[len(page)-7:])); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	log.add(lineage("user/b", 1, "user.created", `[]`)[0])
	if _, _, _, err := Audit(t.Context(), log, AuditFilter{}, 0, 100); !errors.Is(err, ErrBrokenHistory) {
		t.Error(err)
	}
}

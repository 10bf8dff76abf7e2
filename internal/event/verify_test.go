package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// holdings are services in memory, by subject.
type holdings map[string]Entity

func (h holdings) put(subject string, version int64, data string) {
	h[subject] = Entity{subject, version, json.RawMessage(data)}
}

// services reads the holdings; looked, which may be nil, is called before each read by id.
func (h holdings) services(looked func()) Services {
	return Services{
		Kinds: []string{"user", "post", "comment", "follow"},
		ByID: func(_ context.Context, kind string, subjects []string) (entities []Entity, err error) {
			if looked != nil {
				looked()
			}
			if len(subjects) > 500 {
				return nil, fmt.Errorf("%d subjects at once", len(subjects))
			}
			for _, subject := range subjects {
				if kindOf(subject) != kind {
					return nil, errors.New("subjects of another kind")
				}
				if e, ok := h[subject]; ok {
					entities = append(entities, e)
				}
			}
			return entities, nil
		},
		All: func(_ context.Context, kind string) iter.Seq2[Entity, error] {
			return func(yield func(Entity, error) bool) {
				for _, subject := range slices.Sorted(maps.Keys(h)) {
					if kindOf(subject) == kind && !yield(h[subject], nil) {
						return
					}
				}
			}
		},
	}
}

func drifted() (*ledger, holdings) {
	log, held := newLedger(), holdings{}
	for _, events := range [][]Event{
		lineage("user/same", 1, "user.created", `{"id":"same","bio":null,"n":1}`, "user.updated", `{"n":2.0}`),
		lineage("user/ahead", 1, "user.created", `{"n":1}`),
		lineage("user/behind", 1, "user.created", `{"n":1}`, "user.updated", `{"n":2}`),
		lineage("user/other", 1, "user.created", `{"n":1,"email":"secret@example.org","meta":{"a":1}}`),
		lineage("user/purged", 1, "user.created", ``, "user.deleted", ``),
		lineage("user/redacted", 1, "user.created", ``),
		lineage("user/stale", 1, "user.created", ``),
		lineage("post/deleted", 1, "post.created", `{}`, "post.deleted", `{}`),
		lineage("post/undead", 1, "post.created", `{}`, "post.deleted", `{}`),
		lineage("post/lost", 1, "post.created", `{}`),
		lineage("comment/broken", 2, "comment.updated", `{}`),
		lineage("follow/a:b", 3, "follower.snapshot", `{"followerId":"a"}`),
		lineage("like/x", 1, "like.created", `{}`),
	} {
		for _, e := range events {
			log.add(e)
		}
	}
	held.put("user/same", 2, `{"id":"same","n":2,"version":2,"email":null}`)
	held.put("user/ahead", 2, `{"n":5}`)
	held.put("user/behind", 1, `{"n":2}`)
	held.put("user/other", 1, `{"n":1,"name":"x","meta":{"a":2}}`)
	held.put("user/redacted", 1, `{"n":1}`)
	held.put("user/stale", 2, `{"n":1}`)
	held.put("post/undead", 2, `{}`)
	held.put("comment/broken", 2, `{}`)
	held.put("comment/new\x1b", 1, `{}`)
	held.put("follow/a:b", 3, `{"followerId":"a"}`)
	return log, held
}

func TestVerify(t *testing.T) {
	log, held := drifted()
	report, err := Verify(t.Context(), log, log, held.services(nil), 0)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := report.Write(&out); err != nil {
		t.Fatal(err)
	}
	want := `comment/broken: broken history (version 0 in the log, 2 in the service)
post/lost: missing in the service (version 1 in the log, 0 in the service)
post/undead: deleted in the log alone (version 2 in the log, 2 in the service)
user/ahead: different versions (version 1 in the log, 2 in the service): n
user/behind: different versions (version 2 in the log, 1 in the service)
user/other: different fields (version 1 in the log, 1 in the service): email, meta, name
user/stale: different versions (version 1 in the log, 2 in the service)
"comment/new\x1b": missing in the log (version 0 in the log, 1 in the service)
13 subjects of the log and 10 entities of the services compared
1 subjects not compared, since no service holds their kind
missing in the log: 1
missing in the service: 1
deleted in the log alone: 1
different versions: 3
different fields: 1
broken history: 1
`
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
	if report.Total() != 8 || report.Count(DifferentVersion) != 3 {
		t.Errorf("%d in all", report.Total())
	}
}

func TestVerifyFindsNoDrift(t *testing.T) {
	log, held := newLedger(), holdings{}
	for i := range 1201 { // of pages that end within kinds
		subject := fmt.Sprintf("%s/%04d", []string{"user", "post", "comment", "follow"}[i%4], i)
		log.add(lineage(subject, 1, "x.created", `{"n":1}`)[0])
		held.put(subject, 1, `{"n":1}`)
	}
	report, err := Verify(t.Context(), log, log, held.services(nil), time.Hour)
	if err != nil || report.Total() != 0 || report.Subjects != 1201 || report.Entities != 1201 {
		t.Fatalf("%+v, %v", report, err)
	}
	var out strings.Builder
	if err := report.Write(&out); err != nil || out.String() != "1201 subjects of the log and 1201 entities of the services compared\nno drift\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// TestVerifyWaitsForWhatIsOnItsWay has an event arrive between the first look and the second or third.
func TestVerifyWaitsForWhatIsOnItsWay(t *testing.T) {
	for arrives, drifts := range map[int]int{2: 0, 3: 0, 4: 1} {
		log, held := newLedger(lineage("user/u", 1, "user.created", `{"n":1}`)...), holdings{}
		held.put("user/u", 2, `{"n":2}`)
		looks := 0
		report, err := Verify(t.Context(), log, log, held.services(func() {
			if looks++; looks == arrives {
				log.add(lineage("user/u", 2, "user.updated", `{"n":2}`)[0])
			}
		}), time.Millisecond)
		if err != nil || report.Total() != drifts {
			t.Errorf("at look %d: %+v, %v", arrives, report, err)
		}
	}
}

func TestVerifyBoundsItsReport(t *testing.T) {
	held := holdings{}
	for i := range MaxDrifts + 600 {
		held.put(fmt.Sprint("post/", i), 1, `{}`)
	}
	log := newLedger()
	report, err := Verify(t.Context(), log, log, held.services(nil), 0)
	if err != nil || len(report.Drifts) != MaxDrifts || report.Count(MissingInLog) != MaxDrifts+600 {
		t.Fatalf("%d drifts of %d, %v", len(report.Drifts), report.Total(), err)
	}
	var out strings.Builder
	if err := report.Write(&out); err != nil || !strings.Contains(out.String(), "\nand 600 more\n") {
		t.Errorf("%s, %v", out.String()[:200], err)
	}
}

func TestVerifyErrors(t *testing.T) {
	log, held := drifted()
	gone := errors.New("gone")
	services := held.services(nil)
	services.ByID = func(context.Context, string, []string) ([]Entity, error) { return nil, gone }
	if _, err := Verify(t.Context(), log, log, services, 0); !errors.Is(err, gone) {
		t.Error(err)
	}
	services = held.services(nil)
	services.All = func(context.Context, string) iter.Seq2[Entity, error] {
		return func(yield func(Entity, error) bool) { yield(Entity{}, gone) }
	}
	report, err := Verify(t.Context(), log, log, services, 0)
	if !errors.Is(err, gone) || report.Total() != 7 {
		t.Error(report.Total(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Verify(ctx, log, log, held.services(cancel), time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	log.fail = gone
	if _, err := Verify(t.Context(), log, log, held.services(nil), 0); !errors.Is(err, gone) {
		t.Error(err)
	}
}

package event

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"
)

func TestSync(t *testing.T) {
	log, held := newLedger(lineage("user/known", 1, "user.created", `{"n":1}`)...), holdings{}
	held.put("user/known", 1, `{"n":1}`)
	for i := range 250 {
		held.put(fmt.Sprintf("post/%03d", i), int64(i+1), `{"n":1}`)
	}
	held.put("follow/a:b", 4, `{"followerId":"a"}`)
	now := func() time.Time { return noon.In(time.FixedZone("", 3600)) }
	report, err := Sync(t.Context(), log, held.services(nil), now)
	if err != nil || report != (SyncReport{Known: 1, Written: 251}) {
		t.Fatalf("%+v, %v", report, err)
	}
	last := log.events[len(log.events)-1]
	if last.Type != "follower.snapshot" || last.Source != "follower" || last.Version != 4 || last.Time != noon || last.ID != "snapshot:follow/a:b:4" {
		t.Errorf("%+v", last)
	}
	if check, err := Verify(t.Context(), log, log, held.services(nil), 0); err != nil || check.Total() != 0 {
		t.Errorf("%+v, %v", check, err)
	}
	again, err := Sync(t.Context(), log, held.services(nil), now)
	var out strings.Builder
	if err != nil || again != (SyncReport{Known: 252}) || again.Write(&out) != nil || out.String() != "0 snapshots written, 252 subjects known before\n" {
		t.Errorf("again: %+v, %v, %s", again, err, out.String())
	}
}

// TestSyncBesideDeliveries has the first events of subjects arrive after they were found unknown, older than the snapshots.
func TestSyncBesideDeliveries(t *testing.T) {
	log, held := newLedger(), holdings{}
	for i := range 9 {
		held.put(fmt.Sprint("user/", i), 3, `{"n":1}`)
	}
	all := held.services(nil).All
	services := held.services(nil)
	services.All = func(ctx context.Context, kind string) iter.Seq2[Entity, error] {
		return func(yield func(Entity, error) bool) {
			for e, err := range all(ctx, kind) {
				if !yield(e, err) {
					return
				}
				if strings.HasSuffix(e.Subject, "0") || strings.HasSuffix(e.Subject, "4") || strings.HasSuffix(e.Subject, "8") {
					log.add(lineage(e.Subject, 1, "user.created", `{"n":0}`)[0])
				}
			}
		}
	}
	report, err := Sync(t.Context(), log, services, time.Now)
	if err != nil || report != (SyncReport{Known: 3, Written: 6}) || len(log.events) != 9 {
		t.Fatalf("%+v, %v, %d events", report, err, len(log.events))
	}
}

func TestSyncBoundsBatches(t *testing.T) {
	log, held := newLedger(), holdings{}
	large := `{"body":"` + strings.Repeat("x", 200<<10) + `"}`
	for i := range 7 {
		held.put(fmt.Sprint("post/", i), 1, large)
	}
	watched := &batches{ledger: log}
	if report, err := Sync(t.Context(), watched, held.services(nil), time.Now); err != nil || report.Written != 7 || fmt.Sprint(watched.sizes) != "[3 3 1]" {
		t.Fatalf("%+v, %v, %v", report, err, watched.sizes)
	}
}

// batches notes the size of each batch.
type batches struct {
	*ledger
	sizes []int
}

func (b *batches) Append(ctx context.Context, source string, batch []Event) (int64, error) {
	b.sizes = append(b.sizes, len(batch))
	return b.ledger.Append(ctx, source, batch)
}

func TestSyncErrors(t *testing.T) {
	gone := errors.New("gone")
	services := holdings{}.services(nil)
	services.All = func(context.Context, string) iter.Seq2[Entity, error] {
		return func(yield func(Entity, error) bool) { yield(Entity{}, gone) }
	}
	if _, err := Sync(t.Context(), newLedger(), services, time.Now); !errors.Is(err, gone) {
		t.Error(err)
	}
	held := holdings{}
	held.put("user/u", 1, `{}`)
	if _, err := Sync(t.Context(), &ledger{fail: gone}, held.services(nil), time.Now); !errors.Is(err, gone) {
		t.Error(err)
	}
	for _, bad := range []Entity{{"user/u", 0, []byte(`{}`)}, {"user/u", 1, []byte(`[]`)}, {"user/u", 1, nil}} {
		held["user/u"] = bad
		if r, err := Sync(t.Context(), newLedger(), held.services(nil), time.Now); err == nil || r.Written != 0 {
			t.Errorf("%+v: %+v", bad, r)
		}
	}
}

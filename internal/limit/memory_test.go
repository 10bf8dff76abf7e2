package limit

import (
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func (m *Memory) count() (slots, indexed int) {
	for i := range m.shards {
		slots += len(m.shards[i].slots)
		indexed += len(m.shards[i].index)
	}
	return slots, indexed
}

func TestMemoryIsBounded(t *testing.T) {
	for _, bound := range []int{0, 1, 6, 100, 1000, 10_000} {
		m := NewMemory(bound, time.Now)
		for i := range 3 * max(bound, 10) {
			asked := []Entry{entry(fmt.Sprint(i), Points, Rate{10, never}, 1), entry(fmt.Sprint(i), Requests, Rate{10, never}, 1)}
			if o, _ := m.Debit(t.Context(), asked, Writer{}); !o.Allowed || o.Missing[0] == 0 || o.Missing[1] == 0 {
				t.Fatalf("bucket %d: %v", i, o)
			}
		}
		slots, indexed := m.count()
		if most := max(bound, MaxEntries); slots != indexed || slots > most || slots < most*9/10 {
			t.Errorf("%d buckets in %d slots, bound %d", indexed, slots, bound)
		}
	}
}

// TestMemoryAtItsBound has operations push out each other's buckets, and their own, in any order.
func TestMemoryAtItsBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := NewMemory(MaxEntries, time.Now)
		for range 60 {
			var entries []Entry
			ids := rapid.Permutation([]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}).Draw(t, "buckets")
			for _, id := range ids[:rapid.IntRange(1, MaxEntries).Draw(t, "n")] {
				entries = append(entries, entry(id, Points, Rate{1000, never}, rapid.Int64Range(0, 5).Draw(t, "amount")))
			}
			if o, _ := m.Debit(t.Context(), entries, Writer{}); !o.Allowed {
				t.Fatal(o)
			}
			s := &m.shards[0]
			if len(s.slots) > MaxEntries || len(s.index) != len(s.slots) {
				t.Fatalf("%d buckets in %d slots", len(s.index), len(s.slots))
			}
			for key, at := range s.index {
				if s.slots[at].key != key {
					t.Fatal("the index is wrong")
				}
			}
		}
	})
}

// TestFullBucketsLeave lets one caller after another come, each of whom has gone when the next but ten comes.
func TestFullBucketsLeave(t *testing.T) {
	now := time.Now()
	m := NewMemory(100_000, func() time.Time { return now })
	for i := range 50_000 {
		_, _ = m.Debit(t.Context(), []Entry{entry(fmt.Sprint(i), Points, Rate{10, 1}, 1)}, Writer{})
		now = now.Add(100 * time.Millisecond)
	}
	if slots, indexed := m.count(); slots != indexed || slots > 1000 {
		t.Errorf("%d buckets in %d slots, when about 10 are not full", indexed, slots)
	}
}

// TestEvictionSparesTheEmptiest floods a store at its bound with callers who have spent little.
func TestEvictionSparesTheEmptiest(t *testing.T) {
	m := NewMemory(64*minShard, time.Now)
	spent := []Entry{entry("spent", Points, Rate{1000, never}, 1000)}
	_, _ = m.Debit(t.Context(), spent, Writer{})
	for i := range 100_000 {
		_, _ = m.Debit(t.Context(), []Entry{entry(fmt.Sprint(i), Points, Rate{1000, never}, 1)}, Writer{})
	}
	if o, _ := m.Look(t.Context(), spent, Writer{}); left(o, spent)[0] != 0 {
		t.Errorf("a flood gave %d points back", left(o, spent)[0])
	}
}

// TestMemoryAgainstModel compares a store that never has to evict with plain levels.
func TestMemoryAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.UnixMicro(1.8e15)
		m := NewMemory(100_000, func() time.Time { return now })
		model := map[Key]level{}
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, 5e9).Draw(t, "elapsed")) / 1000 * 1000)
			var entries []Entry
			for id := range rapid.IntRange(1, MaxEntries).Draw(t, "buckets") {
				amount := rapid.Int64Range(0, 60).Draw(t, "amount")
				entries = append(entries, entry(fmt.Sprint(id), Points, Rate{50, float64(id + 1)}, amount))
			}
			want := Outcome{Allowed: true, At: now.UnixMicro()}
			after := map[Key]level{}
			for i, e := range entries {
				before := model[e.Key].until(want.At, e.Meter)
				debited, ok := before.debit(e.Amount, e.Meter)
				after[e.Key], want.Allowed = debited, want.Allowed && ok
				want.Missing[i] = before.missing
			}
			if want.Allowed {
				for i, e := range entries {
					model[e.Key], want.Missing[i] = after[e.Key], after[e.Key].missing
				}
			}
			if got, _ := m.Debit(t.Context(), entries, Writer{}); !reflect.DeepEqual(got, want) {
				t.Fatalf("%v, want %v", got, want)
			}
		}
	})
}

// TestMemoryUnderContention debits and credits overlapping sets of buckets in different orders, which must not deadlock.
func TestMemoryUnderContention(t *testing.T) {
	m := NewMemory(64*minShard, time.Now)
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 2000 {
				var entries []Entry
				for k := range MaxEntries {
					entries = append(entries, entry(fmt.Sprint((i*(g+1)+k*7)%50), Points, Rate{100, 1}, 1))
				}
				o, _ := m.Debit(t.Context(), entries[:4], Writer{})
				if o.Allowed {
					_ = m.Credit(t.Context(), entries[:4])
				}
				_, _ = m.Look(t.Context(), entries, Writer{})
			}
		})
	}
	group.Wait()
}

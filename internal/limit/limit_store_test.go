package limit

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tributary/internal/redisclient/redistest"
)

// eachStore runs a test over all implementations of Store.
func eachStore(t *testing.T, test func(*testing.T, Store)) {
	t.Run("memory", func(t *testing.T) { test(t, NewMemory(10_000, time.Now)) })
	t.Run("redis", func(t *testing.T) { test(t, NewRedis(redistest.Start(t).Client())) })
	t.Run("cluster", func(t *testing.T) { test(t, NewRedis(redistest.Client(t, redistest.StartCluster(t)))) })
}

// never restores nothing that a test could notice.
const never = 1e-12

func entry(id string, unit Unit, r Rate, amount int64) Entry {
	return Entry{Key: Key{Identity: newDigester(true).digest(id), Kind: User, Unit: unit}, Meter: newMeter(r), Amount: amount}
}

// left is how many whole units each bucket has.
func left(o Outcome, entries []Entry) []int64 {
	var left []int64
	for i, e := range entries {
		left = append(left, e.Meter.available(o.Missing[i]))
	}
	return left
}

func TestStore(t *testing.T) {
	eachStore(t, func(t *testing.T, store Store) {
		t.Run("all or nothing", func(t *testing.T) { allOrNothing(t, store) })
		t.Run("credit", func(t *testing.T) { credit(t, store) })
		t.Run("restore", func(t *testing.T) { restore(t, store) })
		t.Run("reconfigured", func(t *testing.T) { reconfigured(t, store) })
		t.Run("concurrent", func(t *testing.T) { concurrent(t, store) })
		t.Run("nothing", func(t *testing.T) {
			if err := store.Credit(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
	})
}

func allOrNothing(t *testing.T, store Store) {
	ask := func(question func(Store) (Outcome, error), allowed bool, want string, entries ...Entry) {
		t.Helper()
		o, err := question(store)
		if err != nil || o.Allowed != allowed || fmt.Sprint(left(o, entries)) != want {
			t.Errorf("%v %v, %v; want %v %s", o.Allowed, left(o, entries), err, allowed, want)
		}
	}
	two := func(a, b int64) []Entry {
		return []Entry{entry("all", Points, Rate{100, never}, a), entry("all", Requests, Rate{3, never}, b)}
	}
	debit := func(a, b int64) func(Store) (Outcome, error) {
		return func(s Store) (Outcome, error) { return s.Debit(t.Context(), two(a, b), Writer{}) }
	}
	look := func(a, b int64) func(Store) (Outcome, error) {
		return func(s Store) (Outcome, error) { return s.Look(t.Context(), two(a, b), Writer{}) }
	}
	both := two(0, 0)
	ask(look(100, 3), true, "[100 3]", both...)
	ask(look(100, 4), false, "[100 3]", both...)
	ask(debit(60, 1), true, "[40 2]", both...)
	ask(debit(41, 1), false, "[40 2]", both...)
	ask(look(40, 2), true, "[40 2]", both...)
	ask(debit(0, 1), true, "[40 1]", both...)
	ask(debit(0, 0), true, "[40 1]", both...)
	ask(debit(40, 1), true, "[0 0]", both...)
	ask(debit(0, 1), false, "[0 0]", both...)
	ask(debit(0, 0), true, "[0 0]", both...)
}

func credit(t *testing.T, store Store) {
	asked := []Entry{entry("credit", Points, Rate{100, never}, 100)}
	if o, err := store.Debit(t.Context(), asked, Writer{}); err != nil || !o.Allowed {
		t.Fatal(o, err)
	}
	give := func(amounts ...int64) []Entry {
		var entries []Entry
		for _, a := range amounts {
			entries = append(entries, entry("credit", Points, Rate{100, never}, a))
		}
		return append(entries, entry("credit never seen", Points, Rate{100, never}, 5))
	}
	for _, c := range []struct {
		amounts []int64
		want    int64
	}{{[]int64{0}, 0}, {[]int64{1, 2, 3}, 6}, {[]int64{94}, 100}, {[]int64{1 << 62, 1 << 62}, 100}} {
		if err := store.Credit(t.Context(), give(c.amounts...)); err != nil {
			t.Fatal(err)
		}
		o, err := store.Look(t.Context(), asked, Writer{})
		if err != nil || left(o, asked)[0] != c.want {
			t.Errorf("after %v there are %v, %v", c.amounts, left(o, asked), err)
		}
	}
	many := make([]Entry, 3*maxCredits+1)
	for i := range many {
		many[i] = entry(fmt.Sprint("credit", i), Points, Rate{100, never}, 1)
	}
	if _, err := store.Debit(t.Context(), many[len(many)-1:], Writer{}); err != nil {
		t.Fatal(err)
	}
	if err := store.Credit(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	if o, _ := store.Look(t.Context(), many[len(many)-1:], Writer{}); o.Missing[0] != 0 {
		t.Errorf("the last of many lacks %d", o.Missing[0])
	}
}

func restore(t *testing.T, store Store) {
	e := []Entry{entry("restore", Points, Rate{1000, 1e6}, 1000)} // full within 1 ms
	for range 3 {
		first, err := store.Debit(t.Context(), e, Writer{})
		if err != nil || !first.Allowed {
			t.Fatal(first, err)
		}
		for {
			o, err := store.Look(t.Context(), e, Writer{})
			if err != nil {
				t.Fatal(err)
			}
			if gained := first.Missing[0] - o.Missing[0]; gained != min(first.Missing[0], (o.At-first.At)*1000) {
				t.Fatalf("within %d µs it restored %d ns", o.At-first.At, gained)
			}
			if o.Allowed {
				break
			}
		}
	}
}

// reconfigured asks for a bucket that has shrunk since it was debited.
func reconfigured(t *testing.T, store Store) {
	large, small := []Entry{entry("conf", Points, Rate{1000, 1}, 1000)}, []Entry{entry("conf", Points, Rate{10, 1}, 1)}
	if _, err := store.Debit(t.Context(), large, Writer{}); err != nil {
		t.Fatal(err)
	}
	o, err := store.Look(t.Context(), small, Writer{})
	if err != nil || o.Missing[0] < 0 || o.Missing[0] > small[0].Meter.Span || o.Allowed {
		t.Error(o, err)
	}
}

func concurrent(t *testing.T, store Store) {
	var admitted atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				o, err := store.Debit(t.Context(), []Entry{
					entry("conc", Points, Rate{1000, never}, 3), entry("conc", Requests, Rate{10_000, never}, 1),
				}, Writer{})
				if err != nil {
					t.Error(err)
					return
				}
				if o.Allowed {
					admitted.Add(1)
				}
			}
		})
	}
	group.Wait()
	if admitted.Load() != 333 {
		t.Errorf("%d times 3 out of 1,000", admitted.Load())
	}
}

// TestStoresAgree replays in memory, at the times that Redis tells, what Redis was asked.
func TestStoresAgree(t *testing.T) {
	shared := NewRedis(redistest.Start(t).Client())
	now := time.Now().Truncate(time.Microsecond)
	memory := NewMemory(1000, func() time.Time { return now })
	random := rand.New(rand.NewPCG(1, 2))
	rates := []Rate{{1000, 50_000}, {1_000_000, 3e8 / 7}, {77, 12_345.678}, {5000, 5000.0 / 3600}, {1 << 50, 1e6}}
	refused := 0
	for step := range 3000 {
		var entries []Entry
		for _, i := range random.Perm(len(rates))[:1+random.IntN(len(rates))] {
			amount := random.Int64N(rates[i].Size + 1)
			if random.IntN(2) == 0 {
				amount /= 50
			}
			entries = append(entries, entry(fmt.Sprint(i), Points, rates[i], amount))
		}
		change, sign := "1", int64(1)
		switch random.IntN(8) {
		case 0:
			change = "0"
		case 1, 2:
			sign = -1
		}
		want, err := shared.run(t.Context(), change, entries, sign, Writer{})
		if err != nil {
			t.Fatal(err)
		}
		now = time.UnixMicro(want.At)
		var got Outcome
		if sign > 0 {
			got = memory.ask(entries, change == "1")
		} else {
			_ = memory.Credit(t.Context(), entries)
			got, _ = memory.Look(t.Context(), make([]Entry, 0), Writer{})
			for i, e := range entries {
				e.Amount = 0
				o, _ := memory.Look(t.Context(), []Entry{e}, Writer{})
				got.Missing[i] = o.Missing[0]
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("step %d, %v: %v in memory, %v in Redis", step, entries, got, want)
		}
		if !want.Allowed {
			refused++
		}
	}
	if refused < 200 || refused > 2800 {
		t.Errorf("%d of 3,000 were refused", refused)
	}
}

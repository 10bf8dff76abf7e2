package limit

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNewMeter(t *testing.T) {
	for _, c := range []struct {
		rate Rate
		want Meter
	}{
		{Rate{1000, 50}, Meter{1000, 20_000_000, 20_000_000_000}},
		{Rate{1000, 1000.0 / 3600}, Meter{1000, 3_600_000_000, 3_600_000_000_000}},
		{Rate{5000, 5000.0 / 3600}, Meter{5000, 720_000_000, 3_600_000_000_000}},
		{Rate{10, 3e9}, Meter{10, 1, 10}},
		{Rate{10, math.Inf(1)}, Meter{10, 1, 10}},
		{Rate{4, 0}, Meter{4, maxSpan / 4, maxSpan}},
		{Rate{4, -1}, Meter{4, maxSpan / 4, maxSpan}},
		{Rate{4, math.NaN()}, Meter{4, maxSpan / 4, maxSpan}},
		{Rate{4, 1e-30}, Meter{4, maxSpan / 4, maxSpan}},
		{Rate{math.MaxInt64, 1}, Meter{maxSpan, 1, maxSpan}},
		{Rate{0, 5}, Meter{}},
		{Rate{-3, 5}, Meter{}},
	} {
		if got := newMeter(c.rate); got != c.want {
			t.Errorf("%v: %v, want %v", c.rate, got, c.want)
		}
	}
}

func drawMeter(t *rapid.T) Meter {
	return newMeter(Rate{
		Size:    rapid.OneOf(rapid.Int64Range(1, 100_000), rapid.Int64Range(1, math.MaxInt64)).Draw(t, "size"),
		Restore: rapid.Float64Range(1e-6, 1e7).Draw(t, "restore"),
	})
}

func drawAmount(t *rapid.T, m Meter) int64 {
	return rapid.OneOf(rapid.Int64Range(0, m.Size), rapid.Int64Range(0, min(m.Size, 10)), rapid.Int64Range(0, math.MaxInt64)).Draw(t, "amount")
}

// TestLevelStaysInBounds debits, credits and lets time pass either way.
func TestLevelStaysInBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, l, now := drawMeter(t), level{}, int64(1.8e15)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now += rapid.OneOf(rapid.Int64Range(-3*maxSkew, 3*maxSkew), rapid.Int64Range(0, 1e13)).Draw(t, "elapsed")
			l = l.until(now, m)
			before := l
			amount := drawAmount(t, m)
			if rapid.Bool().Draw(t, "debit") {
				var ok bool
				l, ok = l.debit(amount, m)
				if want := amount <= m.available(before.missing); ok != want {
					t.Fatalf("debit of %d from %v: %v", amount, before, ok)
				}
				if !ok && l != before {
					t.Fatalf("a refused debit changes %v into %v", before, l)
				}
			} else {
				l = l.credit(amount, m)
			}
			if l.missing < 0 || l.missing > m.Span {
				t.Fatalf("%v lacks %d", m, l.missing)
			}
			if a := m.available(l.missing); a < 0 || a > m.Size {
				t.Fatalf("%v has %d", m, a)
			}
		}
	})
}

func TestRefundRestoresExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMeter(t)
		l := level{missing: rapid.Int64Range(0, m.Span).Draw(t, "missing"), at: 7}
		requested := rapid.Int64Range(0, m.Size).Draw(t, "requested")
		actual := rapid.Int64Range(0, requested).Draw(t, "actual")
		debited, ok := l.debit(requested, m)
		if !ok {
			return
		}
		want, _ := l.debit(actual, m)
		if got := debited.credit(requested-actual, m); got != want {
			t.Fatalf("%v, and debited at once %v", got, want)
		}
	})
}

func TestTimeOnlyRestores(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMeter(t)
		start := int64(1.8e15)
		l := level{missing: rapid.Int64Range(0, m.Span).Draw(t, "missing"), at: start}
		early := rapid.Int64Range(-1e10, 1e10).Draw(t, "early")
		late := early + rapid.Int64Range(0, 1e10).Draw(t, "more")
		a, b := l.until(start+early, m), l.until(start+late, m)
		if b.missing > a.missing || a.missing > l.missing {
			t.Fatalf("%v is %v and later %v", l, a, b)
		}
		if early <= 0 && a.missing != l.missing {
			t.Fatalf("%v, before its time, is %v", l, a)
		}
		// In two steps it comes to the same: nothing is rounded on the way.
		if early >= 0 && a.until(start+late, m) != b {
			t.Fatalf("%v in two steps is %v, in one %v", l, a.until(start+late, m), b)
		}
	})
}

func TestWaitIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMeter(t)
		l := level{missing: rapid.Int64Range(0, m.Span).Draw(t, "missing"), at: 1e15}
		amount := rapid.Int64Range(0, m.Size).Draw(t, "amount")
		wait := m.wait(l.missing, amount)
		then := l.until(l.at+wait.Microseconds(), m)
		if _, ok := then.debit(amount, m); !ok || wait%time.Microsecond != 0 {
			t.Fatalf("%v cannot pay %d after %v", l, amount, wait)
		}
		if wait > 0 {
			if _, ok := l.until(l.at+wait.Microseconds()-1, m).debit(amount, m); ok {
				t.Fatalf("%v can pay %d before %v", l, amount, wait)
			}
		}
	})
}

// TestClockSetBack waits for a clock that lags a little, and goes by one that was set back.
func TestClockSetBack(t *testing.T) {
	m := newMeter(Rate{10, 1})
	l := level{missing: m.Span, at: 1e15}
	if got := l.until(1e15-maxSkew, m); got != l {
		t.Errorf("lagging: %v", got)
	}
	back := l.until(1e14, m)
	if want := (level{missing: m.Span, at: 1e14}); back != want {
		t.Errorf("set back: %v", back)
	}
	if got := m.available(back.until(1e14+3e6, m).missing); got != 3 {
		t.Errorf("3 s after it was set back there are %d", got)
	}
}

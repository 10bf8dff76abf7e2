package load

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestQuantilesAreNear compares with the sorted values themselves.
func TestQuantilesAreNear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, math.MaxInt64), 1, 200).Draw(t, "values")
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		var h, parts Histogram
		for i, v := range values {
			h.Record(time.Duration(v))
			var one Histogram
			one.Record(time.Duration(values[len(values)-1-i]))
			parts.Add(&one)
		}
		if h != parts {
			t.Fatal("the sum of histograms is not the histogram of all values")
		}
		slices.Sort(values)
		want := values[max(1, int(math.Ceil(q*float64(len(values)))))-1]
		got := int64(h.Quantile(q))
		if off := math.Abs(float64(got) - float64(want)); off > float64(want)/(1<<subBits) {
			t.Fatalf("quantile %v is %d, want %d", q, got, want)
		}
	})
}

func TestBucketsAreInOrder(t *testing.T) {
	last := -1
	for _, v := range []uint64{0, 1, 63, 64, 65, 127, 128, 129, 130, 255, 256, 1 << 20, 1<<20 + 1<<14, math.MaxInt64} {
		b := bucket(v)
		if b < last || b >= len(Histogram{}.counts) {
			t.Errorf("value %d falls into bucket %d behind %d of %d", v, b, last, len(Histogram{}.counts))
		}
		if again := bucket(middle(b)); again != b {
			t.Errorf("the middle of bucket %d falls into bucket %d", b, again)
		}
		last = b
	}
}

func TestNothingRecorded(t *testing.T) {
	var h Histogram
	if got := h.Quantile(.5); got != 0 || h.Count() != 0 {
		t.Errorf("an empty histogram has the median %v of %d values", got, h.Count())
	}
	h.Record(-time.Second)
	if got := h.Quantile(1); got != 0 || h.Count() != 1 {
		t.Errorf("a negative duration counts as %v", got)
	}
}

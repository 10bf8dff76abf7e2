package limit

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// milli is a cost in thousandths of a point, so that sums of decimal weights are exact. It saturates: maxMilli stands for
// that much or any more.
type milli int64

const (
	point    milli = 1000
	maxMilli milli = math.MaxInt64
	// maxWeight bounds a weight either way, so that sums over one field stay far from saturation.
	maxWeight = 1_000_000_000
)

// plus adds. Below, it saturates at the least int64.
func (a milli) plus(b milli) milli {
	switch sum := a + b; {
	case a > 0 && b > 0 && sum < 0:
		return maxMilli
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	default:
		return sum
	}
}

// times multiplies, of which neither side may be negative.
func (a milli) times(n int64) milli {
	if a == 0 || n == 0 {
		return 0
	}
	if a > maxMilli/milli(n) {
		return maxMilli
	}
	return a * milli(n)
}

// points rounds up to whole points. What is saturated is math.MaxInt64.
func (a milli) points() int64 {
	switch {
	case a == maxMilli:
		return math.MaxInt64
	case a%point > 0:
		return int64(a/point) + 1
	default:
		return int64(a / point)
	}
}

var errWeight = errors.New("want a decimal number of at most three decimals, at most a billion either way")

// parseWeight reads a weight such as "2", "-0.5" or "1.250".
func parseWeight(text string) (milli, error) {
	digits, negative := strings.CutPrefix(text, "-")
	whole, decimals, dotted := strings.Cut(digits, ".")
	decimals = strings.TrimRight(decimals, "0")
	if !allDigits(whole) || whole == "" || !allDigits(decimals) || len(decimals) > 3 || dotted && strings.HasSuffix(digits, ".") {
		return 0, fmt.Errorf("weight %q: %w", text, errWeight)
	}
	n, err := strconv.ParseInt(whole+decimals+"000"[len(decimals):], 10, 64)
	if err != nil || n > maxWeight*int64(point) {
		return 0, fmt.Errorf("weight %q: %w", text, errWeight)
	}
	if negative {
		n = -n
	}
	return milli(n), nil
}

func allDigits(text string) bool {
	return strings.Trim(text, "0123456789") == ""
}

// roundWeight takes a configured weight to the next thousandth.
func roundWeight(weight float64) (milli, error) {
	if !(math.Abs(weight) <= maxWeight) { // NaN too
		return 0, fmt.Errorf("weight %v: %w", weight, errWeight)
	}
	return milli(math.Round(weight * float64(point))), nil
}

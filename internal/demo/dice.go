package demo

import (
	"math/bits"
	"slices"
	"sort"
)

// dice is a random sequence that is the same on every machine and with every version of Go: SplitMix64 (Steele, Lea,
// Flood: Fast splittable pseudorandom number generators, 2014). All arithmetic on it stays with integers.
type dice uint64

// throw starts the sequence that belongs to the n-th thing of a kind.
func throw(kind string, n int) *dice {
	d := dice(n)
	for i := range len(kind) {
		d = d*131 + dice(kind[i])
	}
	d.next()
	return &d
}

func (d *dice) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number from 0 to n-1.
func (d *dice) below(n int64) int64 {
	high, _ := bits.Mul64(d.next(), uint64(n))
	return int64(high)
}

// chance is true in percent of all cases.
func (d *dice) chance(percent int64) bool { return d.below(100) < percent }

// pick returns one of the values.
func pick[T any](d *dice, values []T) T { return values[d.below(int64(len(values)))] }

// law is a power law over n ranks: rank i weighs 1/(i+flat), in millionths. A larger flat makes the top less steep.
type law []int64

func powerLaw(n, flat int) law {
	l := make(law, n)
	sum := int64(0)
	for i := range l {
		sum += 1_000_000 / int64(i+flat)
		l[i] = sum
	}
	return l
}

// rank draws a rank.
func (l law) rank(d *dice) int {
	at := d.below(l[len(l)-1])
	return sort.Search(len(l), func(i int) bool { return l[i] > at })
}

// shuffle puts values into a random order.
func shuffle[T any](d *dice, values []T) []T {
	values = slices.Clone(values)
	for i := len(values) - 1; i > 0; i-- {
		j := d.below(int64(i + 1))
		values[i], values[j] = values[j], values[i]
	}
	return values
}

package limit

import (
	"context"
	"encoding/binary"
	"math/bits"
	"sync"
	"time"
)

const (
	maxShards = 64 // as many as a mask has bits
	// minShard is how many buckets are worth a shard of their own.
	minShard = 64
	// sweep is how many slots a new bucket looks at for one to reuse. As that is more than one, full buckets leave faster than
	// new ones come.
	sweep = 8
)

// Memory is a Store within this process. It keeps at most a number of buckets, in shards with a lock each. A bucket that has
// filled up by itself is as good as none, and its slot is reused: a new bucket looks at a few slots, in turn, and takes the first
// full one. If there is none and the shard is at its bound, it takes the fullest of these, whose caller gains the least.
type Memory struct {
	shards  []shard
	present func() int64
}

// shard keeps its levels in a slice and their places in a map, both free of pointers, so that the garbage collector does not
// walk them.
type shard struct {
	mu    sync.Mutex
	index map[Key]int32
	slots []slot
	hand  int
	most  int
	_     [48]byte // a cache line of its own
}

type slot struct {
	key   Key
	level level
	meter Meter
}

// NewMemory makes a store of at most maxBuckets buckets, at least MaxEntries. Elapsed time is taken from the monotonic clock
// where now has one.
func NewMemory(maxBuckets int, now func() time.Time) *Memory {
	maxBuckets = max(MaxEntries, maxBuckets)
	n := 1
	for n < maxShards && maxBuckets/(2*n) >= minShard {
		n *= 2
	}
	start := now()
	m := &Memory{shards: make([]shard, n), present: func() int64 { return start.UnixMicro() + now().Sub(start).Microseconds() }}
	for i := range m.shards {
		m.shards[i].index, m.shards[i].most = map[Key]int32{}, maxBuckets/n
	}
	return m
}

// Debit implements Store. It does not fail, and knows of no writes: what this process wrote it need not be told.
func (m *Memory) Debit(_ context.Context, entries []Entry, _ Writer) (Outcome, error) {
	return m.ask(entries, true), nil
}

// Look implements Store. It does not fail.
func (m *Memory) Look(_ context.Context, entries []Entry, _ Writer) (Outcome, error) {
	return m.ask(entries, false), nil
}

// Credit implements Store. It does not fail.
func (m *Memory) Credit(_ context.Context, entries []Entry) error {
	now := m.present()
	for i := range entries {
		e := &entries[i]
		s := &m.shards[m.shardOf(e.Key)]
		s.mu.Lock()
		if at, ok := s.index[e.Key]; ok {
			s.slots[at].level = s.slots[at].level.until(now, e.Meter).credit(e.Amount, e.Meter)
		}
		s.mu.Unlock()
	}
	return nil
}

// ask finds out whether the amounts are there, and takes them if it shall.
func (m *Memory) ask(entries []Entry, take bool) Outcome {
	var mask uint64
	for i := range entries {
		mask |= 1 << m.shardOf(entries[i].Key)
	}
	for rest := mask; rest != 0; rest &= rest - 1 { // in one order for all, so that nobody waits in a circle
		m.shards[bits.TrailingZeros64(rest)].mu.Lock()
	}
	outcome := m.askLocked(entries, take)
	for rest := mask; rest != 0; rest &= rest - 1 {
		m.shards[bits.TrailingZeros64(rest)].mu.Unlock()
	}
	return outcome
}

func (m *Memory) askLocked(entries []Entry, take bool) Outcome {
	now := m.present()
	outcome := Outcome{Allowed: true, At: now}
	var before, after [MaxEntries]level
	var places [MaxEntries]int32
	for i := range entries {
		e := &entries[i]
		s := &m.shards[m.shardOf(e.Key)]
		before[i], places[i] = level{at: now}, -1
		if at, ok := s.index[e.Key]; ok {
			before[i], places[i] = s.slots[at].level.until(now, e.Meter), at
		}
		var enough bool
		if after[i], enough = before[i].debit(e.Amount, e.Meter); !enough {
			outcome.Allowed = false
		}
	}
	levels := &before
	if outcome.Allowed && take {
		levels = &after
		for i := range entries {
			if entries[i].Amount > 0 {
				m.shards[m.shardOf(entries[i].Key)].put(slot{entries[i].Key, after[i], entries[i].Meter}, places[i], now)
			}
		}
	}
	for i := range entries {
		outcome.Missing[i] = levels[i].missing
	}
	return outcome
}

// shardOf is the same for all buckets of one identity. A digest is as good as a hash.
func (m *Memory) shardOf(k Key) uint64 {
	return binary.LittleEndian.Uint64(k.Identity[:]) & uint64(len(m.shards)-1)
}

// put stores a bucket that was found at a place, -1 if it was not; the shard is locked. Between the two another bucket of the same
// caller may have taken the place.
func (s *shard) put(b slot, found int32, now int64) {
	if found >= 0 && s.slots[found].key == b.key {
		s.slots[found] = b
		return
	}
	at, reuse := s.place(now)
	if reuse {
		delete(s.index, s.slots[at].key)
		s.slots[at] = b
	} else {
		s.slots = append(s.slots, b)
	}
	s.index[b.key] = int32(at)
}

// place finds the slot for a new bucket, which is the next one or that of a bucket which is not worth keeping.
func (s *shard) place(now int64) (at int, reuse bool) {
	fullest, least := -1, int64(0)
	for range min(sweep, len(s.slots)) {
		s.hand = (s.hand + 1) % len(s.slots)
		candidate := &s.slots[s.hand]
		missing := candidate.level.until(now, candidate.meter).missing
		if missing == 0 {
			return s.hand, true
		}
		if fullest < 0 || missing < least {
			fullest, least = s.hand, missing
		}
	}
	if len(s.slots) < s.most {
		return len(s.slots), false
	}
	return fullest, true
}

package clients

import (
	"sync"
	"sync/atomic"
)

// generations tells which cached values have been overtaken by a change. Every invalidation gets the next number and leaves
// it in the slots its tags hash to; a value read at generation g counts as long as none of its tags' slots holds more than
// g. Memory is fixed: tags that share a slot merely overtake each other's values. Safe for concurrent use.
type generations struct {
	mu        sync.Mutex    // one invalidation at a time, so that slots only grow
	now       atomic.Uint64 // moves when the slots are set: who sees it finds nothing fresh from before
	changed   marks         // what is older has to be read again
	withdrawn marks         // what is older must not even stand in for an answer that fails
}

// marks are the last invalidations of one kind.
type marks struct {
	all   atomic.Uint64 // of every value
	slots [slotCount]atomic.Uint64
}

const slotCount = 1 << 12

// tag is the slot of something a cached value depends on, such as one user or one author's posts.
type tag uint16

// tags are the slots a value depends on, as many of slot as n says and all of more.
type tags struct {
	slot [3]tag
	n    uint8
	more []tag // of the rare value that depends on many
}

func (t tags) and(more tag) tags {
	t.slot[t.n] = more
	t.n++
	return t
}

func tagged(first tag) tags { return tags{slot: [3]tag{first}, n: 1} }

// tagOf hashes a kind of dependency and an id to its slot, by FNV-1a.
func tagOf[K ~string](kind string, id K) tag {
	const prime = 1099511628211
	sum := uint64(14695981039346656037)
	for i := range len(kind) {
		sum = (sum ^ uint64(kind[i])) * prime
	}
	sum = (sum ^ ':') * prime
	for i := range len(id) {
		sum = (sum ^ uint64(id[i])) * prime
	}
	return tag((sum ^ sum>>32) % slotCount)
}

// current is the generation of a read that starts now. It must be taken before the read is sent.
func (g *generations) current() uint64 { return g.now.Load() }

// last is the generation that invalidated any of the tags last.
func (g *generations) last(t tags) uint64 { return g.changed.last(t) }

// lastWithdrawn is the generation that withdrew any of the tags last.
func (g *generations) lastWithdrawn(t tags) uint64 { return g.withdrawn.last(t) }

func (m *marks) last(t tags) uint64 {
	newest := m.all.Load()
	for _, slot := range t.slot[:t.n] {
		newest = max(newest, m.slots[slot].Load())
	}
	for _, slot := range t.more {
		newest = max(newest, m.slots[slot].Load())
	}
	return newest
}

// invalidate overtakes every value with one of the tags that was read before it returns, and every read under way. It
// returns the generation from which on values count again, and whether the first tag was left alone since the given
// generation: if not, what a write that started then has to say about it may be out of date already.
func (g *generations) invalidate(since uint64, first tag, more ...tag) (next uint64, alone bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	alone = g.last(tagged(first)) <= since
	next = g.now.Load() + 1
	g.changed.slots[first].Store(next)
	for _, slot := range more {
		g.changed.slots[slot].Store(next)
	}
	g.now.Store(next)
	return next, alone
}

// withdraw is an invalidation after which earlier values of the tags are not even to stand in for answers that fail.
func (g *generations) withdraw(tags ...tag) {
	g.mu.Lock()
	defer g.mu.Unlock()
	next := g.now.Load() + 1
	for _, slot := range tags {
		g.withdrawn.slots[slot].Store(next)
		g.changed.slots[slot].Store(next)
	}
	g.now.Store(next)
}

// invalidateAll overtakes every value of the service.
func (g *generations) invalidateAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	next := g.now.Load() + 1
	g.changed.all.Store(next)
	g.now.Store(next)
}

// withdrawAll withdraws every value of the service.
func (g *generations) withdrawAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	next := g.now.Load() + 1
	g.withdrawn.all.Store(next)
	g.changed.all.Store(next)
	g.now.Store(next)
}

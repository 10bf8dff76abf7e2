package clients

import (
	"fmt"
	"math"
	"time"

	"github.com/maypok86/otter/v2"
)

// cache is the entity cache all services share, bounded in bytes. Whole entities are stored once, by id; lists hold ids. A
// nil *cache is one that is switched off. What it holds is shared by concurrent readers and never changed.
type cache struct {
	store     *otter.Cache[cacheKey, *entry]
	fresh     time.Duration
	freshLive time.Duration // of a source whose events arrive; not below fresh
	keep      time.Duration
	now       func() time.Time
}

// cacheKey names a value: the space tells the endpoint with its arguments or the entity kind, the id the key within it.
type cacheKey struct{ space, id string }

// entry is one value, or the fact that there is none.
type entry struct {
	svc      *service
	value    any       // nil: does not exist, or nothing is known but the version
	version  int       // least version of an entity that may be shown; 0 for anything else
	barred   int       // an entity was gone in this version: no earlier one may stand in for an answer that fails
	epoch    uint64    // generation at which the read of it started
	at       time.Time // when it was read
	told     time.Time // when an event raised version above what was read; else zero
	tags     tags
	withheld bool   // was deleted or may have been: not to be shown before it has been read again
	awaited  bool   // exists in a version that has not been read yet; value, if any, is an older one
	weight   uint32 // bytes
}

// entryOverhead is about what an entry costs beside its key and value: the entry, otter's node and its hash table slot.
const entryOverhead = 296

// lagLimit is how long after an event has told of an entity the service may answer that there is none without being believed.
const lagLimit = 10 * time.Second

// newCache makes the cache, or nil if it is off. It starts no goroutine: entries that are too old are passed over when they
// are met and leave by eviction, and otter's upkeep runs on the goroutines that use the cache.
func newCache(cfg CacheConfig, now func() time.Time) (*cache, error) {
	if cfg.Off {
		return nil, nil
	}
	store, err := otter.New(&otter.Options[cacheKey, *entry]{
		MaximumWeight: uint64(cfg.Bytes),
		Weigher:       func(_ cacheKey, e *entry) uint32 { return e.weight },
		Executor:      func(upkeep func()) { upkeep() },
		OnDeletion: func(e otter.DeletionEvent[cacheKey, *entry]) {
			if e.WasEvicted() {
				e.Value.svc.observe.evicted(e.Value.svc.name)
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("entity cache: %w", err)
	}
	return &cache{store: store, fresh: cfg.Fresh, freshLive: min(max(cfg.Fresh, cfg.FreshLive), cfg.Keep), keep: cfg.Keep, now: now}, nil
}

// get finds an entry, whatever its age; nil without one.
func (c *cache) get(k cacheKey) *entry {
	if c == nil {
		return nil
	}
	e, _ := c.store.GetIfPresent(k)
	return e
}

// isFresh tells whether an entry may be used at the given time without asking the service.
func (c *cache) isFresh(e *entry, at time.Time) bool {
	if e == nil || e.withheld || e.awaited {
		return false
	}
	limit := c.fresh
	if e.svc.liveAt(e.at) {
		limit = c.freshLive
	}
	return at.Sub(e.at) < limit && e.svc.gens.last(e.tags) <= e.epoch
}

// isKept tells whether an entry may stand in for an answer that failed.
func (c *cache) isKept(e *entry, at time.Time) bool {
	return e != nil && e.value != nil && at.Sub(e.at) < c.keep && e.svc.gens.lastWithdrawn(e.tags) <= e.epoch
}

// remembers tells whether an entry still has a say in what may stand in its place.
func (c *cache) remembers(e *entry, at time.Time) bool {
	return at.Sub(e.at) < c.keep || at.Sub(e.told) < c.keep
}

// put stores an entry unless a later read or a higher version stands there, or one that is awaited where the service says
// there is none, and returns the one that stands. An entry that has been overtaken while it was read is not stored either.
func (c *cache) put(k cacheKey, e *entry, valueBytes int) *entry {
	if c == nil {
		return e
	}
	e.at = c.now()
	e.weight = weightOf(k, e, valueBytes)
	stands := e
	c.store.Compute(k, func(old *entry, found bool) (*entry, otter.ComputeOp) {
		stands = e
		if e.withheld {
			e.barred = e.version
		}
		if found && c.remembers(old, e.at) {
			switch {
			case e.value == nil && !e.withheld && old.awaited && e.at.Sub(old.told) < lagLimit:
				stands = old
				return nil, otter.CancelOp
			case e.value == nil && !e.withheld && old.epoch <= e.epoch:
				e.version = old.version // gone, but still no way back to an older version
			case e.withheld:
				e.version = max(e.version, old.version)
			case old.epoch > e.epoch || old.version > e.version:
				stands = old
				return nil, otter.CancelOp
			}
		}
		if found {
			e.barred = max(e.barred, old.barred)
		}
		if !e.withheld && e.svc.gens.last(e.tags) > e.epoch {
			return nil, otter.CancelOp
		}
		return e, otter.WriteOp
	})
	return stands
}

func weightOf(k cacheKey, e *entry, valueBytes int) uint32 {
	return uint32(min(entryOverhead+len(k.space)+len(k.id)+2*len(e.tags.more)+valueBytes, math.MaxUint32))
}

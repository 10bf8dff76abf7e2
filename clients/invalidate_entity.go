package clients

import "github.com/maypok86/otter/v2"

// announcement is what an event says about one entity.
type announcement struct {
	version int
	gone    bool   // what is known of it is not to be shown any more
	quiet   bool   // nothing has happened: an entity that the cache does not know is none of its business
	epoch   uint64 // of the invalidation that the event led to
	since   uint64 // an entry from this generation or later
	alone   bool   // was not overtaken by anything but the event
}

// announce tells the cache of an entity's version. A known entity in that version or a later one goes on as it was; an older
// one is kept to stand in for an answer that fails, unless it is gone; nothing below the version is shown as fresh again.
func (e *entities[K, V]) announce(id K, a announcement) {
	svc := e.batch.svc
	if svc.cache == nil || a.version == 0 && !a.gone {
		return
	}
	now := svc.now()
	k := cacheKey{e.kind, string(id)}
	told := &entry{svc: svc, version: a.version, epoch: a.epoch, at: now, told: now, tags: e.tags(id), withheld: a.gone, awaited: !a.gone}
	told.weight = weightOf(k, told, 0)
	if a.gone {
		told.barred = a.version
	}
	svc.cache.store.Compute(k, func(old *entry, found bool) (*entry, otter.ComputeOp) {
		switch {
		case !found && a.quiet:
			return nil, otter.CancelOp
		case !found || !svc.cache.remembers(old, now):
			return told, otter.WriteOp
		}
		next := *old
		switch known, _ := old.value.(V); {
		case old.value != nil && a.version > 0 && known.revision() >= max(a.version, old.version):
			if !a.alone || old.epoch < a.since {
				return nil, otter.CancelOp // overtaken by something else
			}
			next.epoch = max(old.epoch, a.epoch)
		case a.version > 0 && a.version < old.version: // the event is older than what is known
			if !a.gone || old.value == nil {
				return nil, otter.CancelOp
			}
			next.value, next.weight, next.barred = nil, told.weight, max(old.barred, a.version)
		case a.gone:
			told.version, told.barred = max(a.version, old.version), max(a.version, old.barred)
			return told, otter.WriteOp
		default:
			next.version, next.withheld, next.awaited, next.told = a.version, false, true, now
		}
		return &next, otter.WriteOp
	})
}

// awaits tells whether an entity is exactly what an event has told of, or newer.
func (e *entities[K, V]) awaits(v V) bool {
	known := e.batch.svc.cache.get(cacheKey{e.kind, string(v.key())})
	return known != nil && known.awaited && v.revision() >= known.version
}

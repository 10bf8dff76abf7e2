package clients

import "context"

// entities reads whole entities of one kind by id and keeps the cache's only copy of them.
type entities[K ~string, V record[K]] struct {
	batch batch[K, V]
	kind  string // cache space and tag
	value reader[V]

	// touched tells which lists and counts a change of one entity can alter; false if the change does not say.
	touched func(Change) (lists []tag, known bool)
}

// newEntities makes the reader of one kind; target is path and query for ids joined with commas.
func newEntities[K ~string, V record[K]](svc *service, kind, endpoint string, target func(joined string) string,
	value reader[V]) *entities[K, V] {
	e := &entities[K, V]{kind: kind, value: value}
	e.batch = batch[K, V]{
		svc: svc, endpoint: endpoint, space: kind, target: target, mayMiss: true,
		text:   idText[K],
		tags:   e.tags,
		keep:   func(_ K, v V, epoch uint64) (V, standing) { return e.keep(v, epoch) },
		outrun: e.outrun,
		decode: func(body []byte, asked []K) (found[K, V], error) {
			items, err := decodeItems(body, value)
			return byKey(items), err
		},
	}
	return e
}

// idText is an id as it stands in a URL, or "" if the contract allows no such id.
func idText[K ~string](id K) string {
	if !validID(string(id)) {
		return ""
	}
	return string(id)
}

func byKey[K ~string, V record[K]](items []V) found[K, V] {
	got := found[K, V]{values: make(map[K]V, len(items))}
	for _, item := range items {
		if item.usable() {
			got.values[item.key()] = item
		} else {
			got.unusable = append(got.unusable, item.key())
		}
	}
	return got
}

func (e *entities[K, V]) tags(id K) tags { return tagged(tagOf(e.kind, id)) }

// byIDs reads entities; those that do not exist are left out.
func (e *entities[K, V]) byIDs(ctx context.Context, ids []K) map[K]Answer[V] {
	return e.batch.read(ctx, ids)
}

// keep stores an entity read at the given generation, and returns the one to show: a newer one if the cache has it. An
// older one than an event or a write has told of comes back as it is, with the standing that it lags.
func (e *entities[K, V]) keep(v V, epoch uint64) (V, standing) {
	if e.batch.svc.cache == nil {
		return v, shown
	}
	stands := e.batch.svc.cache.put(cacheKey{e.kind, string(v.key())}, &entry{
		svc: e.batch.svc, value: v, version: v.revision(), epoch: epoch, tags: e.tags(v.key()),
	}, v.bytes())
	known, _ := stands.value.(V)
	switch {
	case stands.withheld:
		return v, lags
	case stands.awaited && v.revision() < stands.version:
		return v, lags
	case stands.awaited:
		return v, shown
	case stands.value == nil:
		return v, gone
	case e.batch.svc.gens.lastWithdrawn(stands.tags) > stands.epoch && stands.version > v.revision():
		return v, lags
	}
	return known, shown
}

// withhold lets an entity not be shown before it has been read again, and never in a version below the given one.
func (e *entities[K, V]) withhold(id K, version int, epoch uint64) {
	e.batch.svc.cache.put(cacheKey{e.kind, string(id)}, &entry{
		svc: e.batch.svc, version: version, epoch: epoch, tags: e.tags(id), withheld: true,
	}, 0)
}

// cached is the entity as it was read last, however long ago; the zero value if it is not known.
func (e *entities[K, V]) cached(id K) (v V) {
	if known := e.batch.svc.cache.get(cacheKey{e.kind, string(id)}); known != nil && known.value != nil {
		return known.value.(V)
	}
	return v
}

// fresh is an entity as the cache has it, if it need not be read again; else the zero value.
func (e *entities[K, V]) fresh(id K) (v V) {
	svc := e.batch.svc
	if known := svc.cache.get(cacheKey{e.kind, string(id)}); svc.cache.isFresh(known, svc.now()) && known.value != nil {
		return known.value.(V)
	}
	return v
}

// outdated tells whether an entity has been written since a generation.
func (e *entities[K, V]) outdated(id K, epoch uint64) bool {
	return e.batch.svc.gens.last(e.tags(id)) > epoch
}

// lastKnown is what the cache knows about ids without asking: answers for those it has, and gone for those that were
// missing or withheld when they were met last.
func (e *entities[K, V]) lastKnown(ids []K, because *Outage) (answers map[K]Answer[V], gone map[K]bool) {
	svc := e.batch.svc
	now := svc.now()
	answers, gone = make(map[K]Answer[V], len(ids)), make(map[K]bool)
	for _, id := range ids {
		known := svc.cache.get(cacheKey{e.kind, string(id)})
		switch {
		case svc.cache.isKept(known, now):
			outage := *because
			outage.Age = now.Sub(known.at)
			answers[id] = Answer[V]{Value: known.value.(V), Stale: &outage}
		case known != nil && known.value == nil && !known.awaited:
			gone[id] = true
		}
	}
	return answers, gone
}

// commas is the target of batch reads whose keys stand last in the query.
func commas(prefix string) func(string) string {
	return func(joined string) string { return prefix + joined }
}

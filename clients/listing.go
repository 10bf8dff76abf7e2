package clients

import (
	"context"
	"slices"
)

// listing is one page of a list of entities. As it comes from the service it has the entities, as it stands in the cache
// only their ids.
type listing[K ~string, V record[K]] struct {
	ids        []K
	items      []V // nil in the cache; the zero value for an entity that has to be read by its id
	next, prev bool
	total      int
	epoch      uint64 // at which items were read
	lags       bool   // some of items have to be read by their ids
}

// listings reads pages of lists of entities, one for each parent.
type listings[P ~string, K ~string, V record[K]] struct {
	batch    batch[P, *listing[K, V]]
	entities *entities[K, V]
	show     func(V) bool // what still belongs into the list; nil: everything
}

// newListings makes the reader of one kind of list with given arguments. decode answers with the pages by parent; limit is
// how many items a page may have.
func newListings[P ~string, K ~string, V record[K]](of *entities[K, V], endpoint string, target func(string) string,
	tags func(P) tags, page Page, decode func(body []byte, asked []P) (map[P]*pageDoc[V], error)) *listings[P, K, V] {
	l := &listings[P, K, V]{entities: of}
	l.batch = batch[P, *listing[K, V]]{
		svc: of.batch.svc, endpoint: endpoint, space: target(""), target: target, text: idText[P], tags: tags, keep: l.keep,
		decode: func(body []byte, asked []P) (found[P, *listing[K, V]], error) {
			pages, err := decode(body, asked)
			got := found[P, *listing[K, V]]{values: make(map[P]*listing[K, V], len(pages))}
			for parent, doc := range pages {
				list, odd := newListing[K](doc, page)
				got.values[parent] = list
				got.odd += odd
			}
			return got, err
		},
	}
	return l
}

// newListing takes what is usable from a page, and no more of it than was asked for.
func newListing[K ~string, V record[K]](doc *pageDoc[V], page Page) (list *listing[K, V], odd int) {
	items, next, prev, odd := trim(doc, page)
	list = &listing[K, V]{next: next, prev: prev, total: max(doc.total, 0)}
	list.ids, list.items = make([]K, 0, len(items)), make([]V, 0, len(items))
	for _, item := range items {
		if !item.usable() {
			odd++
			continue
		}
		list.ids, list.items = append(list.ids, item.key()), append(list.items, item)
	}
	return list, odd
}

// trim cuts a page to the limit it was asked for with; odd is how many items that costs.
func trim[V comparable](doc *pageDoc[V], page Page) (items []V, next, prev bool, odd int) {
	items, next, prev = doc.items, doc.next, doc.prev
	odd = max(len(items)-page.Limit, 0)
	switch {
	case odd == 0:
	case page.FromEnd:
		items, prev = items[odd:], true
	default:
		items, next = items[:page.Limit], true
	}
	return items, next, prev, odd
}

// keep stores the entities of a list and the list without them.
func (l *listings[P, K, V]) keep(parent P, list *listing[K, V], epoch uint64) (*listing[K, V], standing) {
	list.epoch = epoch
	if l.batch.svc.cache == nil {
		return list, shown
	}
	slim := *list
	slim.items = nil
	size := 96
	for _, id := range list.ids {
		size += 16 + 4*len(id) // it shares its memory with up to three other ids of its entity
	}
	l.batch.store(parent, &slim, epoch, size)
	out := *list
	out.ids, out.items = make([]K, 0, len(list.ids)), make([]V, 0, len(list.ids))
	for _, item := range list.items {
		id := item.key()
		item, is := l.entities.keep(item, epoch)
		switch is {
		case gone:
			continue
		case lags:
			var unread V
			item, out.lags = unread, true
		}
		out.ids, out.items = append(out.ids, id), append(out.items, item)
	}
	return &out, shown
}

// read answers with a window for each parent. Entities of a cached page are read by their ids; one that has vanished drops
// out, one that cannot be read fails its window.
func (l *listings[P, K, V]) read(ctx context.Context, parents []P) map[P]Answer[Window[V]] {
	lists := l.batch.read(ctx, parents)
	lacking := l.lacking(lists)
	looked := l.entities.byIDs(ctx, lacking)
	absent := make(map[K]bool)
	for _, id := range lacking {
		if _, ok := looked[id]; !ok {
			absent[id] = true
		}
	}
	out := make(map[P]Answer[Window[V]], len(lists))
	for parent, list := range lists {
		switch {
		case list.Err != nil:
			out[parent] = Answer[Window[V]]{Err: list.Err}
		case list.Stale != nil:
			known, gone := l.entities.lastKnown(list.Value.ids, list.Stale)
			out[parent] = l.window(list, known, gone)
		default:
			out[parent] = l.window(list, looked, absent)
		}
	}
	return out
}

// lacking are the ids whose entities a page that is not stale does not have, or not in their latest version.
func (l *listings[P, K, V]) lacking(lists map[P]Answer[*listing[K, V]]) []K {
	var ids []K
	current := l.batch.svc.gens.current()
	for _, list := range lists {
		if list.Err != nil || list.Stale != nil {
			continue
		}
		if list.Value.items == nil {
			ids = append(ids, list.Value.ids...)
			continue
		}
		if list.Value.epoch == current && !list.Value.lags {
			continue // nothing has been written since
		}
		var unread V
		for i, id := range list.Value.ids {
			if list.Value.items[i] == unread || l.entities.outdated(id, list.Value.epoch) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// window puts a list together from the entities looked up for it and those it came with. The gone ones drop out; any other
// entity that neither has is unknown, which happens to a stale list only.
func (l *listings[P, K, V]) window(a Answer[*listing[K, V]], looked map[K]Answer[V], gone map[K]bool) Answer[Window[V]] {
	list, stale := a.Value, a.Stale
	whole := Window[V]{Next: list.next, Prev: list.prev, Total: list.total}
	if l.show == nil && list.items != nil && len(looked)+len(gone) == 0 {
		whole.Items = slices.Clip(list.items)
		return Answer[Window[V]]{Value: whole, Stale: stale}
	}
	whole.Items = make([]V, 0, len(list.ids))
	for i, id := range list.ids {
		entity, ok := looked[id]
		switch {
		case ok && entity.Err != nil:
			return Answer[Window[V]]{Err: entity.Err}
		case ok:
			stale = older(stale, entity.Stale)
		case gone[id]:
			continue
		case list.items != nil:
			entity.Value = list.items[i]
		default:
			outage := *a.Stale
			outage.Age = 0
			return Answer[Window[V]]{Err: &Error{Kind: KindUnavailable, Service: outage.Service, Outage: &outage}}
		}
		if l.show == nil || l.show(entity.Value) {
			whole.Items = append(whole.Items, entity.Value)
		}
	}
	return Answer[Window[V]]{Value: whole, Stale: stale}
}

// older is the outage whose value is older; either may be nil.
func older(a, b *Outage) *Outage {
	if a == nil || (b != nil && b.Age > a.Age) {
		return b
	}
	return a
}

// groups makes the decoder of the pages of a windowed read.
func groups[P ~string, V comparable](read reader[V]) func([]byte, []P) (map[P]*pageDoc[V], error) {
	return func(body []byte, _ []P) (map[P]*pageDoc[V], error) { return decodeGroups[P](body, read) }
}

// everything is the one key of a list that has no parent.
const everything = "*"

// whole is the target of a list without a parent.
func whole(target string) func(string) string { return func(string) string { return target } }

func wholeText(key string) string { return key }

// wholePage makes the decoder of the page of a list without a parent, or of one that is asked for alone.
func wholePage[V comparable](read reader[V]) func([]byte, []string) (map[string]*pageDoc[V], error) {
	return func(body []byte, asked []string) (map[string]*pageDoc[V], error) {
		doc, err := decodePage(body, read)
		if err != nil {
			return nil, err
		}
		return map[string]*pageDoc[V]{asked[0]: doc}, nil
	}
}

package clients

import (
	"errors"

	"github.com/go-faster/jx"
)

// pageDoc is one page as the contract has it.
type pageDoc[V comparable] struct {
	items      []V // nil: there are none in the document; a list that is empty is not nil
	next, prev bool
	total      int
}

// readPage makes the reader of pages; null is nil.
func readPage[V comparable](read reader[V]) reader[*pageDoc[V]] {
	return func(d *decoder) (*pageDoc[V], error) {
		return readObject(d, func(page *pageDoc[V], d *decoder, key []byte) (err error) {
			switch string(key) {
			case "items":
				page.items, err = readItems(d, read)
			case "next":
				page.next, err = d.presence()
			case "prev":
				page.prev, err = d.presence()
			case "total":
				err = d.int(&page.total)
			default:
				err = d.Skip()
			}
			return err
		})
	}
}

// readItems reads a list without its nulls; null is nil.
func readItems[V comparable](d *decoder, read reader[V]) ([]V, error) {
	if d.Next() == jx.Null {
		return nil, d.Null()
	}
	var none V
	items := make([]V, 0, 8)
	err := d.Arr(func(*jx.Decoder) error {
		item, err := read(d)
		if err == nil && item != none {
			items = append(items, item)
		}
		return err
	})
	return items, err
}

// decodeMap reads {name: {key: …}} by giving the decoder, at the start of each value, to put.
func decodeMap[K ~string, V any](body []byte, name string, put func(*decoder, map[K]V, K) error) (map[K]V, error) {
	var entries map[K]V
	_, err := decodeDocument(body, func(d *decoder) (struct{}, error) {
		return struct{}{}, d.ObjBytes(func(_ *jx.Decoder, key []byte) error {
			switch {
			case string(key) != name:
				return d.Skip()
			case d.Next() == jx.Null:
				entries = nil
				return d.Null()
			case entries == nil:
				entries = make(map[K]V)
			}
			return d.ObjBytes(func(_ *jx.Decoder, key []byte) error { return put(d, entries, K(key)) })
		})
	})
	if err != nil {
		return nil, err
	}
	if entries == nil {
		return nil, errors.New("no " + name)
	}
	return entries, nil
}

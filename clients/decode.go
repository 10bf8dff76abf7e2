package clients

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/go-faster/jx"
)

// Answers are read in one pass. Members are known by their exact names, and unknown ones are skipped. null is like a member
// that is missing, or takes an optional value away; of a member that is there twice the last one counts. What is decoded
// holds no part of the body.

// record is what the machinery must know of an entity. The methods of the zero value are not called.
type record[K ~string] interface {
	comparable
	key() K
	revision() int
	usable() bool // whether the service kept the contract, as far as the graph depends on it
	bytes() int   // about how much memory it holds
}

// reader reads one value of an answer.
type reader[V any] func(*decoder) (V, error)

// decodeEntity reads the answer to a write of one entity.
func decodeEntity[K ~string, V record[K]](body []byte, read reader[V]) (V, error) {
	var none V
	v, err := decodeDocument(body, read)
	if err != nil {
		return none, err
	}
	if v == none || !v.usable() {
		return none, errors.New("not a usable entity")
	}
	return v, nil
}

// decodeItems reads {"items":[…]}; nulls are left out.
func decodeItems[V comparable](body []byte, read reader[V]) ([]V, error) {
	doc, err := decodePage(body, read)
	if err != nil {
		return nil, err
	}
	return doc.items, nil
}

// decodePage reads one page; nulls among its items are left out.
func decodePage[V comparable](body []byte, read reader[V]) (*pageDoc[V], error) {
	doc, err := decodeDocument(body, readPage(read))
	if err != nil {
		return nil, err
	}
	if doc == nil || doc.items == nil {
		return nil, errors.New("no items")
	}
	return doc, nil
}

// decodeGroups reads {"groups":{key: page}}; groups that are null or have no items are left out.
func decodeGroups[K ~string, V comparable](body []byte, read reader[V]) (map[K]*pageDoc[V], error) {
	page := readPage(read)
	return decodeMap(body, "groups", func(d *decoder, groups map[K]*pageDoc[V], key K) error {
		doc, err := page(d)
		if err != nil {
			return err
		}
		if doc == nil || doc.items == nil {
			delete(groups, key)
			return nil
		}
		groups[key] = doc
		return nil
	})
}

// decodeCounts reads {"counts":{key: T}}; nulls are left out.
func decodeCounts[K ~string, T any](body []byte, read reader[T]) (map[K]T, error) {
	return decodeMap(body, "counts", func(d *decoder, counts map[K]T, key K) error {
		if d.Next() == jx.Null {
			delete(counts, key)
			return d.Null()
		}
		n, err := read(d)
		if err != nil {
			return err
		}
		counts[key] = n
		return nil
	})
}

// decodeFollow reads the answer to a write of one edge.
func decodeFollow(body []byte) (Follow, error) {
	follow, err := decodeDocument(body, readFollow)
	if err != nil {
		return Follow{}, err
	}
	if follow == nil || !follow.usable() {
		return Follow{}, errors.New("not a usable edge")
	}
	return *follow, nil
}

// decodeNothing accepts the answer to a write that has none.
func decodeNothing(a answer) (struct{}, error) {
	if a.status != http.StatusNoContent {
		return struct{}{}, fmt.Errorf("status %d instead of 204", a.status)
	}
	return struct{}{}, nil
}

// decodeDocument reads a body that is one value and nothing else.
func decodeDocument[V any](body []byte, read reader[V]) (V, error) {
	d := newDecoder(body)
	v, err := read(d)
	if err == nil {
		if err = d.Skip(); err == io.EOF {
			return v, nil
		}
		err = errors.New("something behind the document")
	}
	var none V
	return none, rootOf(err)
}

// rootOf is the error below everything wrapped around it, which is a layer for each level that the document nests.
func rootOf(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err
}

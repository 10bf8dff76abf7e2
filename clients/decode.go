package clients

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// record is what the machinery must know of an entity. The methods of the zero value are not called.
type record[K ~string] interface {
	comparable
	key() K
	revision() int
	usable() bool // whether the service kept the contract, as far as the graph depends on it
	bytes() int   // about how much memory it holds
}

// decodeEntity reads the answer to a write of one entity.
func decodeEntity[K ~string, V record[K]](body []byte) (V, error) {
	var v, none V
	if err := json.Unmarshal(body, &v); err != nil {
		return none, err
	}
	if v == none || !v.usable() {
		return none, errors.New("not a usable entity")
	}
	return v, nil
}

// decodeItems reads {"items":[…]}; nulls are left out.
func decodeItems[V comparable](body []byte) ([]V, error) {
	doc, err := decodePage[V](body)
	if err != nil {
		return nil, err
	}
	return *doc.Items, nil
}

// pageDoc is one page as the contract has it.
type pageDoc[V comparable] struct {
	Items *[]V    `json:"items"`
	Next  *string `json:"next"`
	Prev  *string `json:"prev"`
	Total int     `json:"total"`
}

// decodePage reads one page; nulls among its items are left out.
func decodePage[V comparable](body []byte) (*pageDoc[V], error) {
	var doc pageDoc[V]
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, err
	}
	if doc.Items == nil {
		return nil, errors.New("no items")
	}
	*doc.Items = withoutNil(*doc.Items)
	return &doc, nil
}

// decodeGroups reads {"groups":{key: page}}; groups that are null or have no items are left out.
func decodeGroups[K ~string, V comparable](body []byte) (map[K]*pageDoc[V], error) {
	var doc struct {
		Groups map[K]*pageDoc[V] `json:"groups"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, err
	}
	if doc.Groups == nil {
		return nil, errors.New("no groups")
	}
	for key, page := range doc.Groups {
		if page == nil || page.Items == nil {
			delete(doc.Groups, key)
			continue
		}
		*page.Items = withoutNil(*page.Items)
	}
	return doc.Groups, nil
}

// decodeCounts reads {"counts":{key: T}}; nulls are left out.
func decodeCounts[K ~string, T any](body []byte) (map[K]T, error) {
	var doc struct {
		Counts map[K]*T `json:"counts"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, err
	}
	if doc.Counts == nil {
		return nil, errors.New("no counts")
	}
	counts := make(map[K]T, len(doc.Counts))
	for key, n := range doc.Counts {
		if n != nil {
			counts[key] = *n
		}
	}
	return counts, nil
}

// decodeFollow reads the answer to a write of one edge.
func decodeFollow(body []byte) (Follow, error) {
	var follow Follow
	if err := json.Unmarshal(body, &follow); err != nil {
		return Follow{}, err
	}
	if !follow.usable() {
		return Follow{}, errors.New("not a usable edge")
	}
	return follow, nil
}

// decodeNothing accepts the answer to a write that has none.
func decodeNothing(a answer) (struct{}, error) {
	if a.status != http.StatusNoContent {
		return struct{}{}, fmt.Errorf("status %d instead of 204", a.status)
	}
	return struct{}{}, nil
}

// withoutNil takes nils out in place.
func withoutNil[V comparable](items []V) []V {
	var none V
	return slices.DeleteFunc(items, func(v V) bool { return v == none })
}

package clients

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// The oracle decodes answers by encoding/json into the same structs, whose tags are the contract's names.

// wholeList is a list of which a second one takes the whole place: encoding/json would decode it into the first one's items.
type wholeList[V comparable] struct{ items []V }

func (l *wholeList[V]) UnmarshalJSON(raw []byte) error {
	l.items = nil
	var none V
	err := json.Unmarshal(raw, &l.items)
	l.items = slices.DeleteFunc(l.items, func(v V) bool { return v == none })
	return err
}

type oraclePage[V comparable] struct {
	Items wholeList[V] `json:"items"`
	Next  *string      `json:"next"`
	Prev  *string      `json:"prev"`
	Total int          `json:"total"`
}

func (p *oraclePage[V]) page() *pageDoc[V] {
	return &pageDoc[V]{items: p.Items.items, next: p.Next != nil, prev: p.Prev != nil, total: p.Total}
}

func oracleValue[V any](body []byte) (v V, err error) {
	err = json.Unmarshal(body, &v)
	return v, err
}

func oracleItems[V comparable](body []byte) (*pageDoc[V], error) {
	doc, err := oracleValue[oraclePage[V]](body)
	if err == nil && doc.Items.items == nil {
		err = errors.New("no items")
	}
	return doc.page(), err
}

func oracleGroups[K ~string, V comparable](body []byte) (map[K]*pageDoc[V], error) {
	doc, err := oracleValue[struct {
		Groups map[K]*oraclePage[V] `json:"groups"`
	}](body)
	if err == nil && doc.Groups == nil {
		err = errors.New("no groups")
	}
	groups := map[K]*pageDoc[V]{}
	for key, page := range doc.Groups {
		if page != nil && page.Items.items != nil {
			groups[key] = page.page()
		}
	}
	return groups, err
}

func oracleCounts[K ~string, T any](body []byte) (map[K]T, error) {
	doc, err := oracleValue[struct {
		Counts map[K]*T `json:"counts"`
	}](body)
	if err == nil && doc.Counts == nil {
		err = errors.New("no counts")
	}
	counts := map[K]T{}
	for key, n := range doc.Counts {
		if n != nil {
			counts[key] = *n
		}
	}
	return counts, err
}

// contractNames are the members that the decoders know.
var contractNames = []string{"items", "next", "prev", "total", "groups", "counts", "id", "handle", "name", "email", "bio", "avatarUrl",
	"status", "createdAt", "updatedAt", "version", "authorId", "title", "body", "publishedAt", "postId", "parentId", "followerId",
	"followeeId", "followedAt", "followers", "following"}

// misspelt tells whether a string of the body is a known name but for its case, which only encoding/json takes for it.
func misspelt(body []byte) bool {
	tokens := json.NewDecoder(bytes.NewReader(body))
	for {
		token, err := tokens.Token()
		if err != nil {
			return false
		}
		text, is := token.(string)
		if is && !slices.Contains(contractNames, text) &&
			slices.ContainsFunc(contractNames, func(name string) bool { return strings.EqualFold(name, text) }) {
			return true
		}
	}
}

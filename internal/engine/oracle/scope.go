package oracle

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// scope is what is selected at one place of the response, however many fragments it comes from: fields of one response key
// have to merge (https://spec.graphql.org/September2025/#sec-Field-Selection-Merging).
type scope struct {
	slots map[string]*slot
	keys  []string // in the order they came, so that drawing from them can be repeated
}

// slot is one response key.
type slot struct {
	uses []use
	sub  *scope
}

// use is a field under a response key.
type use struct {
	parent *ast.Definition
	field  *ast.Field
	call   string // name and arguments
	typ    string
}

func newScope() *scope { return &scope{slots: map[string]*slot{}} }

// fits says whether two uses may stand under one response key: they are the same, or no object can have both and both look
// alike. Sub-selections of the latter are still held to each other, which is stricter than need be.
func (u use) fits(v use) bool {
	apart := u.parent.Kind == ast.Object && v.parent.Kind == ast.Object && u.parent.Name != v.parent.Name
	return u.typ == v.typ && (apart || u.call == v.call)
}

// admits says whether a field may be added.
func (s *scope) admits(key string, u use) bool {
	at := s.slots[key]
	return at == nil || !slices.ContainsFunc(at.uses, func(v use) bool { return !u.fits(v) })
}

// shared is a response key under which other types have another field, so that the type of the object decides; name where there
// is none.
func (s *scope) shared(u use, name string) string {
	for _, key := range s.keys {
		if s.slots[key].uses[0].call != u.call && s.admits(key, u) {
			return key
		}
	}
	return name
}

// add puts a field under a key that admits it and gives the scope of its selections.
func (s *scope) add(key string, u use) *scope {
	at := s.slots[key]
	if at == nil {
		at = &slot{sub: newScope()}
		s.slots[key], s.keys = at, append(s.keys, key)
	}
	at.uses = append(at.uses, u)
	return at.sub
}

// admitsAll says whether everything in another scope may be added.
func (s *scope) admitsAll(other *scope) bool {
	for key, theirs := range other.slots {
		ours := s.slots[key]
		if ours == nil {
			continue
		}
		if slices.ContainsFunc(theirs.uses, func(u use) bool { return !s.admits(key, u) }) || !ours.sub.admitsAll(theirs.sub) {
			return false
		}
	}
	return true
}

// addAll puts everything in another scope, which stays as it is, into this one, which admits it.
func (s *scope) addAll(other *scope) {
	for _, key := range other.keys {
		theirs := other.slots[key]
		for _, u := range theirs.uses {
			s.add(key, u)
		}
		s.slots[key].sub.addAll(theirs.sub)
	}
}

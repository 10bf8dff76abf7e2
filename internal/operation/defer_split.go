package operation

import (
	"errors"
	"slices"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/engine"
)

// split is an operation with @defer as operations without: one for what is answered at once, and one for each place where a fragment is
// deferred. It does not change.
type split struct {
	first *Prepared
	below []*deferral
	parts []*Prepared // all of them, the first included
	ways  engine.Ways // to the objects of the deferrals
}

// deferral is a deferred fragment at one place of an operation. Its operation leads there and selects nothing else.
type deferral struct {
	label string
	keys  []string // response keys from the root to the objects that the fragment is of
	op    *Prepared
	below []*deferral // those inside of it
}

// splits keep the split of one operation that was asked for last, with which of its @defer are active in it.
type splits struct {
	mu      sync.Mutex
	outcome string
	made    *split
}

type splitsKey struct{}

// split takes an operation apart. Of what variables say only that of @defer matters.
func (p *Prepared) split() *split {
	kept := p.Memo(splitsKey{}, func() any { return &splits{} }).(*splits)
	outcome := deferOutcome(p.Document, p.Variables)
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if kept.made == nil || kept.outcome != outcome {
		kept.made, kept.outcome = newSplit(p), outcome
	}
	return kept.made
}

// deferOutcome writes down which @defer of a document are active.
func deferOutcome(doc *ast.QueryDocument, vars map[string]any) string {
	var outcome []byte
	note := func(directives ast.DirectiveList) {
		if directives.ForName(directiveDefer) == nil {
			return
		}
		if activeDefer(directives, vars) {
			outcome = append(outcome, '1')
		} else {
			outcome = append(outcome, '0')
		}
	}
	var walk func(set ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, selection := range set {
			switch s := selection.(type) {
			case *ast.Field:
				walk(s.SelectionSet)
			case *ast.InlineFragment:
				note(s.Directives)
				walk(s.SelectionSet)
			case *ast.FragmentSpread:
				note(s.Directives)
			}
		}
	}
	for _, op := range doc.Operations {
		walk(op.SelectionSet)
	}
	for _, fragment := range doc.Fragments {
		walk(fragment.SelectionSet)
	}
	return string(outcome)
}

// newSplit takes an operation apart. One with too many deferrals, or too much in its parts, stays whole, which the proposal allows.
func newSplit(p *Prepared) *split {
	s := newSplitter(p)
	if found := s.find(p.Operation.SelectionSet, nil, nil); s.count <= maxDeferred {
		if made := s.split(found); s.fields <= maxPartFields && s.err == nil {
			return made
		}
	}
	s = newSplitter(p)
	s.keep = true
	return s.split(nil)
}

func newSplitter(p *Prepared) *splitter {
	return &splitter{whole: p, pruned: map[string]*ast.FragmentDefinition{}, spread: map[string]int{}, made: split{ways: engine.Ways{}}}
}

// split makes operations of what is not deferred and of what is.
func (s *splitter) split(all []*found) *split {
	p := s.whole
	for _, fragment := range p.Document.Fragments {
		copied := *fragment
		s.pruned[fragment.Name] = &copied
	}
	for _, copied := range s.pruned {
		copied.SelectionSet = s.prune(copied.SelectionSet)
	}
	s.made.first = s.operation(s.prune(p.Operation.SelectionSet))
	s.made.below = s.finish(all)
	return &s.made
}

// splitter takes one operation apart.
type splitter struct {
	whole  *Prepared
	keep   bool // all fragments stay where they are
	pruned map[string]*ast.FragmentDefinition
	spread map[string]int // fields in a pruned fragment
	count  int            // of deferrals
	fields int            // of all parts
	err    error          // of their prices
	made   split
}

// found is a deferral under way.
type found struct {
	deferral
	spine []ast.Selection // from the root to the fragment, which is the last
	below []*found
}

// find finds the deferrals in a selection set that a spine leads to, the outer before those in them. Fragments are looked at wherever they
// stand: how much that is at most, Bounds.Fields says.
func (s *splitter) find(set ast.SelectionSet, spine []ast.Selection, keys []string) []*found {
	var all []*found
	for _, selection := range set {
		switch sel := selection.(type) {
		case *ast.Field:
			if len(sel.SelectionSet) > 0 {
				all = append(all, s.find(sel.SelectionSet, with[ast.Selection](spine, sel), with(keys, sel.Alias))...)
			}
		case *ast.InlineFragment:
			all = append(all, s.inside(sel, spine, keys)...)
		case *ast.FragmentSpread:
			def := s.whole.Document.Fragments.ForName(sel.Name)
			all = append(all, s.inside(&ast.InlineFragment{
				TypeCondition: def.TypeCondition, Directives: sel.Directives, SelectionSet: def.SelectionSet,
				ObjectDefinition: def.Definition, Position: sel.Position,
			}, spine, keys)...)
		}
	}
	return all
}

// inside finds the deferrals in a fragment, which may be one.
func (s *splitter) inside(fragment *ast.InlineFragment, spine []ast.Selection, keys []string) []*found {
	below := s.find(fragment.SelectionSet, with[ast.Selection](spine, fragment), keys)
	if !activeDefer(fragment.Directives, s.whole.Variables) {
		return below
	}
	s.count++
	f := &found{spine: with[ast.Selection](spine, fragment), below: below}
	f.keys = keys
	if label := fragment.Directives.ForName(directiveDefer).Arguments.ForName("label"); label != nil && label.Value.Kind != ast.NullValue {
		f.label = label.Value.Raw
	}
	return []*found{f}
}

// finish makes operations of deferrals.
func (s *splitter) finish(all []*found) []*deferral {
	var done []*deferral
	for _, f := range all {
		last := len(f.spine) - 1
		var inner ast.Selection
		for i := last; i >= 0; i-- {
			inner = s.link(f.spine[i], inner)
		}
		s.made.ways.Add(f.keys)
		f.op = s.operation(ast.SelectionSet{inner})
		f.deferral.below = s.finish(f.below)
		done = append(done, &f.deferral)
	}
	return done
}

// link is a copy of one selection of a spine that has nothing in it but the next; the last has what it had, pruned.
func (s *splitter) link(selection, inner ast.Selection) ast.Selection {
	switch sel := selection.(type) {
	case *ast.Field:
		copied := *sel
		copied.SelectionSet = ast.SelectionSet{inner}
		return &copied
	case *ast.InlineFragment:
		copied := *sel
		copied.Directives = undeferred(sel.Directives)
		if inner != nil {
			copied.SelectionSet = ast.SelectionSet{inner}
		} else {
			copied.SelectionSet = s.prune(sel.SelectionSet)
		}
		return &copied
	}
	return nil // a spine has no spreads
}

// prune copies a selection set without what is deferred.
func (s *splitter) prune(set ast.SelectionSet) ast.SelectionSet {
	pruned := make(ast.SelectionSet, 0, len(set))
	for _, selection := range set {
		switch sel := selection.(type) {
		case *ast.Field:
			copied := *sel
			if len(sel.SelectionSet) > 0 {
				copied.SelectionSet = s.prune(sel.SelectionSet)
			}
			pruned = append(pruned, &copied)
		case *ast.InlineFragment:
			if s.keep || !activeDefer(sel.Directives, s.whole.Variables) {
				copied := *sel
				copied.Directives, copied.SelectionSet = undeferred(sel.Directives), s.prune(sel.SelectionSet)
				pruned = append(pruned, &copied)
			}
		case *ast.FragmentSpread:
			if s.keep || !activeDefer(sel.Directives, s.whole.Variables) {
				copied := *sel
				copied.Directives, copied.Definition = undeferred(sel.Directives), s.pruned[sel.Name]
				pruned = append(pruned, &copied)
			}
		}
	}
	return pruned
}

// operation is the whole operation with another selection set.
func (s *splitter) operation(set ast.SelectionSet) *Prepared {
	op := *s.whole.Operation
	op.SelectionSet = set
	doc := *s.whole.Document
	doc.Operations, doc.Fragments = ast.OperationList{&op}, nil
	for _, fragment := range s.whole.Document.Fragments {
		doc.Fragments = append(doc.Fragments, s.pruned[fragment.Name])
	}
	prepared := *s.whole
	prepared.Document, prepared.Operation, prepared.Variables = &doc, &op, nil
	prepared.memo, prepared.defers = new(sync.Map), false
	s.fields += s.size(set)
	if !s.keep {
		var err error
		prepared.Cost, err = s.whole.View.costs.Plan(&doc, &op)
		s.err = errors.Join(s.err, err)
	}
	s.made.parts = append(s.made.parts, &prepared)
	return &prepared
}

// size is how many fields a pruned selection set has with its fragments put in.
func (s *splitter) size(set ast.SelectionSet) (fields int) {
	for _, selection := range set {
		switch sel := selection.(type) {
		case *ast.Field:
			fields += 1 + s.size(sel.SelectionSet)
		case *ast.InlineFragment:
			fields += s.size(sel.SelectionSet)
		case *ast.FragmentSpread:
			n, known := s.spread[sel.Name]
			if !known {
				n = s.size(s.pruned[sel.Name].SelectionSet)
				s.spread[sel.Name] = n
			}
			fields += n
		}
	}
	return fields
}

// given is a part of an operation with the variables of a request.
func (p *Prepared) given(vars map[string]any) *Prepared {
	own := *p
	own.Variables = vars
	return &own
}

func undeferred(directives ast.DirectiveList) ast.DirectiveList {
	if directives.ForName(directiveDefer) == nil {
		return directives
	}
	return slices.DeleteFunc(slices.Clone(directives), func(d *ast.Directive) bool { return d.Name == directiveDefer })
}

// with is a list with one more, which shares nothing with other lists made of it.
func with[T any](list []T, one T) []T { return append(list[:len(list):len(list)], one) }

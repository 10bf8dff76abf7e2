package oracle

import (
	"bytes"
	"math/rand/v2"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"tributary/internal/operation"
)

// draw is an operation in the making.
type draw struct {
	*Generator
	r         *rand.Rand
	left      int // fields that it may still get
	variables ast.VariableDefinitionList
	values    map[string]any // of those variables that are sent
	fragments []*fragment
	names     int // given to fragments and fields
	narrow    bool
}

// fragment is a whole named fragment, which further places may spread.
type fragment struct {
	def    *ast.FragmentDefinition
	scope  *scope
	height int // fields one inside the other
}

// chance is true with a probability.
func (d *draw) chance(p float64) bool { return d.r.Float64() < p }

// pick draws one of several.
func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func (d *draw) operation() operation.Request {
	op := &ast.OperationDefinition{Operation: ast.Query, Name: "Drawn"}
	root := d.Schema.Query
	if d.Schema.Mutation != nil && d.chance(d.MutationShare) {
		op.Operation, root = ast.Mutation, d.Schema.Mutation
	} else {
		d.narrow = len(d.Narrow) > 0 && d.chance(d.NarrowShare)
	}
	op.SelectionSet, _ = d.set(root, newScope(), d.Depth, fragmentNesting)
	op.VariableDefinitions = d.variables
	doc := &ast.QueryDocument{Operations: ast.OperationList{op}}
	for _, f := range d.fragments {
		doc.Fragments = append(doc.Fragments, f.def)
	}
	return request(doc, d.values)
}

// request is a document as it is sent, without the fragments and variables that it does not use.
func request(doc *ast.QueryDocument, values map[string]any) operation.Request {
	prune(doc)
	var text bytes.Buffer
	formatter.NewFormatter(&text).FormatQueryDocument(doc)
	sent := map[string]any{}
	for _, variable := range doc.Operations[0].VariableDefinitions {
		if value, ok := values[variable.Variable]; ok {
			sent[variable.Variable] = value
		}
	}
	return operation.Request{Query: text.String(), Variables: sent}
}

// fragmentNesting is how many fragments may stand one inside the other without a field between them.
const fragmentNesting = 3

// set draws the selections of a type and says how high they are. depth is how many fields may stand one inside the other.
func (d *draw) set(parent *ast.Definition, in *scope, depth, nesting int) (set ast.SelectionSet, height int) {
	for range 1 + d.r.IntN(4) {
		selection, h := d.selection(parent, in, depth, nesting)
		set, height = append(set, selection), max(height, h)
		if d.left <= 0 {
			break
		}
	}
	return set, height
}

// selection draws one selection. Of an abstract type most are fragments.
func (d *draw) selection(parent *ast.Definition, in *scope, depth, nesting int) (ast.Selection, int) {
	fragments := 0.2
	if parent.IsAbstractType() {
		fragments = 0.75
	}
	if nesting == 0 || !d.chance(fragments) {
		return d.field(parent, in, depth, nesting)
	}
	switch p := d.r.Float64(); {
	case p < 0.2:
		return d.inline(parent, "", in, depth, nesting)
	case p < 0.6:
		condition := pick(d.r, d.types.of(parent))
		return d.inline(condition, condition.Name, in, depth, nesting)
	default:
		return d.named(parent, in, depth, nesting)
	}
}

func (d *draw) inline(def *ast.Definition, condition string, in *scope, depth, nesting int) (ast.Selection, int) {
	set, height := d.set(def, in, depth, nesting-1)
	return &ast.InlineFragment{TypeCondition: condition, Directives: d.directives(), SelectionSet: set}, height
}

// named spreads a fragment: one that is there and fits, or a new one.
func (d *draw) named(parent *ast.Definition, in *scope, depth, nesting int) (ast.Selection, int) {
	condition := pick(d.r, d.types.of(parent))
	var f *fragment
	for _, known := range d.fragments {
		if known.def.TypeCondition == condition.Name && known.height <= depth && in.admitsAll(known.scope) && d.chance(0.6) {
			f = known
		}
	}
	if f == nil {
		f = d.fragment(condition, depth, nesting)
		if !in.admitsAll(f.scope) {
			return d.field(parent, in, depth, nesting)
		}
	}
	in.addAll(f.scope)
	return &ast.FragmentSpread{Name: f.def.Name, Directives: d.directives()}, f.height
}

// fragment draws a new one. It is not among those that can be spread before it is whole, so that none spreads itself.
func (d *draw) fragment(condition *ast.Definition, depth, nesting int) *fragment {
	f := &fragment{def: &ast.FragmentDefinition{Name: d.name("F"), TypeCondition: condition.Name}, scope: newScope()}
	f.def.SelectionSet, f.height = d.set(condition, f.scope, depth, nesting-1)
	d.fragments = append(d.fragments, f)
	return f
}

func (d *draw) name(prefix string) string {
	d.names++
	return prefix + strconv.Itoa(d.names)
}

// directives are none most of the time, else @skip or @include or both.
func (d *draw) directives() (list ast.DirectiveList) {
	for _, name := range []string{"skip", "include"} {
		if !d.chance(0.04) {
			continue
		}
		position := ast.NonNullNamedType("Boolean", nil)
		value := d.given(place{typ: position}, d.chance(0.5) != (name == "include"), 0)
		list = append(list, &ast.Directive{Name: name, Arguments: ast.ArgumentList{{Name: "if", Value: value}}})
	}
	return list
}

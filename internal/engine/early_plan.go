package engine

import (
	"context"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

// Early declares that the arguments of a root field, or the context, tell which object it will give, if any. tell makes a provisional
// object that has nothing but its key; false where it cannot be told, such as for arguments that the field refuses. It is called before
// the field, in the operation's context, must not wait and must not change args. It panics when there is no such field, or none of one object. The declarations
// are made before the tables are used.
func (t *Tables) Early(object, field string, tell func(ctx context.Context, args map[string]any) (obj any, ok bool)) {
	f := t.field(object, field)
	if f.Type == nil || f.List || f.Resolve == nil {
		panic(fmt.Sprintf("engine: %s.%s is no resolver of one object", object, field))
	}
	f.Early = tell
}

// ByKey declares that the resolvers of these fields of an object need nothing of it but its key, and that neither they nor what is below
// them tell a provisional object from the real one. Their loaders are not those of the object's other fields: see Plan.early. It panics
// when there is no such field, or none with a resolver.
func (t *Tables) ByKey(object string, fields ...string) {
	for _, name := range fields {
		f := t.field(object, name)
		if f.Resolve == nil && f.Batch == nil {
			panic(fmt.Sprintf("engine: %s.%s has no resolver", object, name))
		}
		f.ByKey = true
	}
}

func (t *Tables) field(object, name string) *Field {
	typ := t.types[object]
	if typ == nil || typ.Fields[name] == nil {
		panic(fmt.Sprintf("engine: there is no %s.%s", object, name))
	}
	return typ.Fields[name]
}

// markEarly notes which root fields may have fields below begin beside them. Beginning early must never cost a further call: what begins
// one level earlier no longer shares its batches, nor do those below it, with what would have come at the same level but begins as ever.
// So either all that leads further begins early, or nothing does: here as far as the query tells, for the arguments in run.ahead.
func (p *Plan) markEarly() {
	for _, st := range p.root.steps {
		if st.field == nil || st.below == nil || !p.waits(st.field.Type, st.context.Field.Selections, map[string]bool{}) {
			continue // nothing comes after it
		}
		if st.field.Early == nil {
			p.early = nil
			return
		}
		p.early = append(p.early, st)
	}
}

// begun divides a selection below a field of p.early: the steps that may begin early, and whether any other leads further.
func (p *Plan) begun(s *selection) (early []*step, late bool) {
	for _, st := range s.steps {
		switch {
		case st.field == nil || st.slot < 0:
		case st.field.ByKey:
			early = append(early, st)
		case st.below != nil && p.waits(st.field.Type, st.context.Field.Selections, map[string]bool{}):
			return nil, true
		}
	}
	return early, false
}

// waits says whether any field of a selection on this type, or below, has to be waited for. Fragments that were looked at are in seen.
func (p *Plan) waits(typ *Type, set ast.SelectionSet, seen map[string]bool) bool {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if p.included(s.Directives) && p.fieldWaits(typ, s, seen) {
				return true
			}
		case *ast.InlineFragment:
			on := typ
			if s.TypeCondition != "" {
				on = p.tables.Type(s.TypeCondition)
			}
			if p.included(s.Directives) && p.waits(on, s.SelectionSet, seen) {
				return true
			}
		case *ast.FragmentSpread:
			if seen[s.Name] || !p.included(s.Directives) {
				continue
			}
			seen[s.Name] = true
			if p.waits(p.tables.Type(s.Definition.TypeCondition), s.Definition.SelectionSet, seen) {
				return true
			}
		}
	}
	return false
}

func (p *Plan) fieldWaits(typ *Type, s *ast.Field, seen map[string]bool) bool {
	for _, object := range p.tables.possible(typ) {
		if f := object.Fields[s.Name]; f != nil && (f.Resolve != nil || f.Batch != nil) {
			return true
		}
	}
	return len(s.SelectionSet) > 0 && p.waits(p.tables.Type(s.Definition.Type.Name()), s.SelectionSet, seen)
}

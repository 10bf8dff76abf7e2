package operation

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/vektah/gqlparser/v2/ast"
)

// ByView runs each operation on the executor of its view, by the view's name, and leaves no value of an enum in the answer that the view
// lacks.
type ByView map[string]Executor

// Execute runs one operation to its end.
func (b ByView) Execute(ctx context.Context, op *Prepared, denied Denied) *Result {
	result := b[op.View.Name].Execute(ctx, op, denied)
	if op.fit != nil && result.Outcome == Ran {
		if !result.Finished {
			var compact bytes.Buffer
			_ = json.Compact(&compact, result.Data) // an executor wrote it
			result.Data = compact.Bytes()
		}
		result.Data, _ = op.fit.apply(make([]byte, 0, len(result.Data)), result.Data)
	}
	return result
}

// fitting is a place in an answer at or below which values of enums stand that the view has others for. Fields that share a place have the
// same type there, whatever object they are of, so that the place alone tells.
type fitting struct {
	values  map[string]string   // of an enum
	members map[string]*fitting // of an object, or of all objects in a list
}

// fit finds such places in the answer to a selection of a valid document; nil for none.
func (v *View) fit(doc *ast.QueryDocument, set ast.SelectionSet) *fitting {
	if len(v.Version.Fallbacks) == 0 {
		return nil
	}
	f := &fitting{}
	v.gather(doc, set, f)
	if f.members == nil {
		return nil
	}
	return f
}

func (v *View) gather(doc *ast.QueryDocument, set ast.SelectionSet, f *fitting) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			v.gatherField(doc, s, f)
		case *ast.InlineFragment:
			v.gather(doc, s.SelectionSet, f)
		case *ast.FragmentSpread:
			v.gather(doc, doc.Fragments.ForName(s.Name).SelectionSet, f)
		}
	}
}

func (v *View) gatherField(doc *ast.QueryDocument, s *ast.Field, f *fitting) {
	below := f.members[s.Alias]
	if below == nil {
		below = &fitting{values: v.Version.Fallbacks[s.Definition.Type.Name()]}
	}
	v.gather(doc, s.SelectionSet, below)
	if below.values == nil && below.members == nil {
		return
	}
	if f.members == nil {
		f.members = map[string]*fitting{}
	}
	f.members[s.Alias] = below
}

// apply appends the JSON value that in begins with, fitted, and gives what stands behind it. in is an answer of an executor: valid JSON without
// spaces, with the names of a query for members.
func (f *fitting) apply(out, in []byte) (fitted, rest []byte) {
	if f == nil {
		n := length(in)
		return append(out, in[:n]...), in[n:]
	}
	switch in[0] {
	case '{', '[':
		return f.applyInside(out, in)
	case '"':
		n := length(in)
		if value, ok := f.values[string(in[1:n-1])]; ok {
			out = append(append(append(out, '"'), value...), '"')
			return out, in[n:]
		}
		return append(out, in[:n]...), in[n:]
	}
	n := length(in)
	return append(out, in[:n]...), in[n:]
}

// applyInside is apply for an object or a list.
func (f *fitting) applyInside(out, in []byte) (fitted, rest []byte) {
	object, below := in[0] == '{', f
	out, in = append(out, in[0]), in[1:]
	for in[0] != '}' && in[0] != ']' {
		if in[0] == ',' {
			out, in = append(out, ','), in[1:]
		}
		if object {
			n := length(in)
			below = f.members[string(in[1:n-1])]
			out, in = append(out, in[:n+1]...), in[n+1:] // with the colon
		}
		out, in = below.apply(out, in)
	}
	return append(out, in[0]), in[1:]
}

// length is how long the JSON value is that b begins with.
func length(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i += quoted(b[i:]) - 1
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}

// quoted is how long the JSON string is that b begins with.
func quoted(b []byte) int {
	for i := 1; ; i++ {
		i += bytes.IndexAny(b[i:], `"\`)
		if b[i] == '"' {
			return i + 1
		}
		i++ // what is escaped
	}
}

// widen has fields take all arguments that the whole schema has for them, so that those which the view lacks get their defaults.
func (v *View) widen(doc *ast.QueryDocument) {
	var walk func(set ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, selection := range set {
			switch s := selection.(type) {
			case *ast.Field:
				if s.ObjectDefinition != nil && v.whole.Types[s.ObjectDefinition.Name] != nil {
					if whole := v.whole.Types[s.ObjectDefinition.Name].Fields.ForName(s.Name); whole != nil && len(whole.Arguments) > len(s.Definition.Arguments) {
						s.Definition = whole
					}
				}
				walk(s.SelectionSet)
			case *ast.InlineFragment:
				walk(s.SelectionSet)
			}
		}
	}
	for _, op := range doc.Operations {
		walk(op.SelectionSet)
	}
	for _, fragment := range doc.Fragments {
		walk(fragment.SelectionSet)
	}
}

package operation

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/version"
)

// notice is extensions.deprecations: one deprecated element that an operation uses.
type notice struct {
	Coordinate string `json:"coordinate"`
	Reason     string `json:"reason"`
	Sunset     string `json:"sunset,omitempty"` // the day on which it ends
}

// announcement is what the caller of an operation is told of what it uses. The zero value tells nothing.
type announcement struct {
	notices []notice
	json    json.RawMessage // of notices
	header  []Field
}

// announce makes the announcement of elements, by coordinate, in a view. The header has the earliest of each date.
func (v *View) announce(used map[string]bool) announcement {
	a := announcement{header: v.Header()}
	var since, ends time.Time
	for _, coordinate := range slices.Sorted(maps.Keys(used)) {
		d := v.Version.Deprecations[coordinate]
		n, end := notice{Coordinate: coordinate, Reason: d.Reason}, v.Version.Ends(d)
		if !end.IsZero() {
			n.Sunset = end.Format(time.DateOnly)
		}
		a.notices = append(a.notices, n)
		since, ends = earlier(since, d.Since), earlier(ends, end)
	}
	if len(a.notices) > 0 {
		a.json, _ = json.Marshal(a.notices) // nothing but strings
		a.header = notices(earlier(since, v.Version.Deprecated), ends)
	}
	return a
}

// earlier is the earlier of two times that are known.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// statement is what an operation's text uses of what is deprecated, whatever its variables.
type statement struct {
	used map[string]bool
	announcement
}

// state makes the statement of an operation of a valid document.
func (v *View) state(doc *ast.QueryDocument, op *ast.OperationDefinition) *statement {
	u := uses{view: v, doc: doc, found: map[string]bool{}, fragments: map[string]bool{}}
	if len(v.Version.Deprecations) > 0 {
		u.selections(op.SelectionSet)
	}
	return &statement{u.found, v.announce(u.found)}
}

// Deprecations are the coordinates of the deprecated elements that the operation uses, in order; nil for none.
func (p *Prepared) Deprecations() []string {
	var used []string
	for _, n := range p.announcement().notices {
		used = append(used, n.Coordinate)
	}
	return used
}

// Header are the fields that an answer to the operation carries, whatever becomes of it: what is deprecated of it, or ends. Nobody changes them.
func (p *Prepared) Header() []Field { return p.announcement().header }

// announcement is that of the operation with its variables.
func (p *Prepared) announcement() announcement {
	if len(p.View.reachable) == 0 || len(p.Variables) == 0 {
		return p.said.announcement
	}
	u := uses{view: p.View, found: maps.Clone(p.said.used)}
	for _, def := range p.Operation.VariableDefinitions {
		u.variable(def.Type, p.Variables[def.Variable])
	}
	if len(u.found) == len(p.said.used) {
		return p.said.announcement
	}
	return p.View.announce(u.found)
}

// tell puts the announcement into an answer.
func (p *Prepared) tell(result *Result) {
	a := p.announcement()
	if len(a.header) > 0 {
		result.Header = append(result.Header[:len(result.Header):len(result.Header)], a.header...)
	}
	if len(a.notices) > 0 {
		extensions := maps.Clone(result.Extensions)
		if extensions == nil {
			extensions = map[string]any{}
		}
		extensions["deprecations"] = a.json
		result.Extensions = extensions
	}
}

// uses finds the deprecated elements that an operation uses.
type uses struct {
	view      *View
	doc       *ast.QueryDocument
	found     map[string]bool
	fragments map[string]bool
}

func (u *uses) note(coordinate string) {
	if _, deprecated := u.view.Version.Deprecations[coordinate]; deprecated {
		u.found[coordinate] = true
	}
}

func (u *uses) selections(set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			u.field(s)
			u.selections(s.SelectionSet)
		case *ast.InlineFragment:
			u.selections(s.SelectionSet)
		case *ast.FragmentSpread:
			if !u.fragments[s.Name] {
				u.fragments[s.Name] = true
				u.selections(u.doc.Fragments.ForName(s.Name).SelectionSet)
			}
		}
	}
}

func (u *uses) field(s *ast.Field) {
	if s.ObjectDefinition == nil {
		return
	}
	at := s.ObjectDefinition.Name + "." + s.Name
	u.note(at)
	for _, argument := range s.Arguments {
		u.note(at + "(" + argument.Name + ":)")
		u.literal(argument.Value)
	}
}

// literal looks at a value of the text. Variables in it are looked at by themselves.
func (u *uses) literal(value *ast.Value) {
	if value.Kind == ast.EnumValue && value.Definition != nil {
		u.note(value.Definition.Name + "." + value.Raw)
	}
	for _, child := range value.Children {
		if value.Kind == ast.ObjectValue && value.Definition != nil {
			u.note(value.Definition.Name + "." + child.Name)
		}
		u.literal(child.Value)
	}
}

// variable looks at a coerced value of a variable.
func (u *uses) variable(typ *ast.Type, value any) {
	if !u.view.reachable[typ.Name()] || value == nil {
		return
	}
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			u.variable(typ, element) // whatever the depth of the list: only the name of the type counts here
		}
	case string:
		u.note(typ.Name() + "." + value)
	case map[string]any:
		def := u.view.Schema.Types[typ.Name()]
		for name, member := range value {
			if field := def.Fields.ForName(name); field != nil {
				u.note(def.Name + "." + name)
				u.variable(field.Type, member)
			}
		}
	}
}

// deprecatedInputs are the input types and enums in which something is deprecated, or in a type of their fields.
func deprecatedInputs(schema *ast.Schema, deprecations map[string]version.Deprecation) map[string]bool {
	found := map[string]bool{}
	for grown := len(deprecations) > 0; grown; {
		grown = false
		for name, def := range schema.Types {
			if !found[name] && def.IsInputType() && touchesDeprecated(def, deprecations, found) {
				found[name], grown = true, true
			}
		}
	}
	return found
}

func touchesDeprecated(def *ast.Definition, deprecations map[string]version.Deprecation, found map[string]bool) bool {
	for _, value := range def.EnumValues {
		if _, ok := deprecations[def.Name+"."+value.Name]; ok {
			return true
		}
	}
	for _, field := range def.Fields {
		if _, ok := deprecations[def.Name+"."+field.Name]; ok || found[field.Type.Name()] {
			return true
		}
	}
	return false
}

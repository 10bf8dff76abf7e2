package operation

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/auth"
)

// The directives that protect a field, named and shaped as Apollo's
// (https://www.apollographql.com/docs/graphos/routing/security/authorization).
const (
	directiveAuthenticated  = "authenticated"
	directiveRequiresScopes = "requiresScopes"
)

// coordinate names a field of an object type.
type coordinate struct{ object, field string }

// requirement is what a caller must bring for a field: to be known and, if there are any, all scopes of one of the sets.
type requirement struct{ scopes [][]string }

// check returns nil, auth.ErrUnauthenticated or auth.ErrForbidden.
func (r requirement) check(v auth.Viewer) error {
	if v.Anonymous() {
		return auth.ErrUnauthenticated
	}
	for _, all := range r.scopes {
		if v.HasScopes(all...) {
			return nil
		}
	}
	if len(r.scopes) > 0 {
		return auth.ErrForbidden
	}
	return nil
}

// Denied are the protected fields of an operation that its caller may not have, with the reason. Most callers have none.
type Denied map[coordinate]error

// Reason says why a field of an object must be null for the caller; nil when it need not.
func (d Denied) Reason(object, field string) error { return d[coordinate{object, field}] }

// protections are the protected fields of a schema.
type protections map[coordinate]requirement

// findProtections reads the directives of a schema. A protected field has to be nullable, so that its neighbours stand.
func findProtections(schema *ast.Schema) (protections, error) {
	found := protections{}
	for _, object := range schema.Types {
		if object.Kind != ast.Object {
			continue
		}
		for _, field := range object.Fields {
			required, ok := requirementOf(field)
			if !ok {
				continue
			}
			if field.Type.NonNull {
				return nil, fmt.Errorf("%s.%s is protected and must be nullable", object.Name, field.Name)
			}
			found[coordinate{object.Name, field.Name}] = required
		}
	}
	return found, nil
}

func requirementOf(field *ast.FieldDefinition) (r requirement, protected bool) {
	if d := field.Directives.ForName(directiveRequiresScopes); d != nil {
		for _, set := range d.Arguments.ForName("scopes").Value.Children {
			var all []string
			for _, scope := range set.Value.Children {
				all = append(all, scope.Value.Raw)
			}
			r.scopes = append(r.scopes, all)
		}
		return r, true
	}
	return r, field.Directives.ForName(directiveAuthenticated) != nil
}

// in lists the protected fields that a valid document may touch, and says whether it reads the schema.
func (p protections) in(schema *ast.Schema, doc *ast.QueryDocument) (touched protections, introspects bool) {
	touched = protections{}
	var walk func(set ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, selection := range set {
			switch s := selection.(type) {
			case *ast.Field:
				introspects = introspects || s.Name == "__schema" || s.Name == "__type" || s.Name == "_service"
				p.touch(schema, s, touched)
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
	return touched, introspects
}

// touch notes the protected fields that a selection may mean: on an interface those of every member.
func (p protections) touch(schema *ast.Schema, s *ast.Field, touched protections) {
	if s.ObjectDefinition == nil {
		return
	}
	for _, object := range schema.GetPossibleTypes(s.ObjectDefinition) {
		at := coordinate{object.Name, s.Name}
		if required, ok := p[at]; ok {
			touched[at] = required
		}
	}
}

// denied says which of the protected fields a caller may not have; nil for none.
func (p protections) denied(v auth.Viewer) Denied {
	var denied Denied
	for at, required := range p {
		if err := required.check(v); err != nil {
			if denied == nil {
				denied = Denied{}
			}
			denied[at] = err
		}
	}
	return denied
}

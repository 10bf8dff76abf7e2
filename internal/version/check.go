package version

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// reader reads a whole schema and gathers what is wrong with it.
type reader struct {
	whole    *ast.Schema
	versions []*Version
	errs     []error
}

func (r *reader) fail(coordinate string, err error) {
	r.errs = append(r.errs, fmt.Errorf("%s: %w", coordinate, err))
}

// span reads when an element is there.
func (r *reader) span(coordinate string, directives ast.DirectiveList) span {
	s, err := spanOf(directives)
	if err != nil {
		r.fail(coordinate, err)
	}
	return s
}

// last is the newest version.
func (r *reader) last() *Version { return r.versions[len(r.versions)-1] }

// check looks at the elements of the whole schema: each version has to be a schema by itself.
func (r *reader) check() {
	for _, name := range slices.Sorted(maps.Keys(r.whole.Types)) {
		def := r.whole.Types[name]
		if def.BuiltIn || strings.HasPrefix(name, "__") {
			continue
		}
		outer := r.element(name, def.Directives, always)
		for _, field := range def.Fields {
			if !strings.HasPrefix(field.Name, "__") {
				r.checkField(def, field, outer)
			}
		}
		for _, value := range def.EnumValues {
			r.checkValue(def, value, outer)
		}
	}
}

// element checks what any element says of versions, and tells when it is there.
func (r *reader) element(coordinate string, directives ast.DirectiveList, outer span) span {
	own := r.span(coordinate, directives)
	s := own.within(outer)
	if !slices.ContainsFunc(r.versions, func(v *Version) bool { return s.has(v.Number) }) {
		r.fail(coordinate, errors.New("no version has it"))
	}
	deprecated := directives.ForName("deprecated") != nil
	if sunset := directives.ForName(directiveSunset); sunset != nil {
		at, err := day(sunset, "at")
		announced, err2 := day(sunset, "announced")
		switch err = errors.Join(err, err2); {
		case err != nil:
			r.fail(coordinate, fmt.Errorf("@sunset: %w", err))
		case !deprecated:
			r.fail(coordinate, errors.New("@sunset without @deprecated"))
		case at.Before(announced):
			r.fail(coordinate, errors.New("@sunset before it was announced"))
		}
	}
	return s
}

func (r *reader) checkField(def *ast.Definition, field *ast.FieldDefinition, outer span) {
	at := def.Name + "." + field.Name
	there := r.element(at, field.Directives, outer)
	required := func(t *ast.Type, byDefault *ast.Value) bool { return t.NonNull && byDefault == nil }
	if def.Kind != ast.InputObject || !required(field.Type, field.DefaultValue) { // what is required cannot be deprecated
		r.told(at, field.Directives, outer)
	}
	r.needs(at, there, field.Type)
	if def.Kind == ast.InputObject && required(field.Type, field.DefaultValue) && !there.holds(outer) {
		r.fail(at, errors.New("not all versions have it, and it is required: give it a default"))
	}
	for _, argument := range field.Arguments {
		name := at + "(" + argument.Name + ":)"
		given := r.element(name, argument.Directives, there)
		if !required(argument.Type, argument.DefaultValue) {
			r.told(name, argument.Directives, there)
		}
		r.needs(name, given, argument.Type)
		if required(argument.Type, argument.DefaultValue) && !given.holds(there) {
			r.fail(name, errors.New("not all versions have it, and it is required: give it a default"))
		}
	}
}

// told holds that those who use an element hear of it before it goes.
func (r *reader) told(coordinate string, directives ast.DirectiveList, outer span) {
	if own, err := spanOf(directives); err == nil && own.until < min(outer.until, r.last().Number) && directives.ForName("deprecated") == nil {
		r.fail(coordinate, errors.New("@until without @deprecated: nobody would be told"))
	}
}

// needs holds that a type is there whenever something of that type is.
func (r *reader) needs(coordinate string, there span, typ *ast.Type) {
	def := r.whole.Types[typ.Name()]
	if def == nil || def.BuiltIn {
		return
	}
	if s, err := spanOf(def.Directives); err == nil && !slices.ContainsFunc(r.versions, func(v *Version) bool { return there.has(v.Number) && !s.has(v.Number) }) {
		return
	}
	r.fail(coordinate, fmt.Errorf("it is in a version that has no %s", def.Name))
}

// checkValue holds that a value which a version lacks has one to stand for it.
func (r *reader) checkValue(def *ast.Definition, value *ast.EnumValueDefinition, outer span) {
	at := def.Name + "." + value.Name
	there := r.element(at, value.Directives, outer)
	r.told(at, value.Directives, outer)
	for _, v := range r.versions {
		if !outer.has(v.Number) || there.has(v.Number) {
			continue
		}
		if _, ok := fallback(def, value, v.Number); !ok {
			r.fail(at, fmt.Errorf("version %d lacks it: @fallback must name a value that the version has", v.Number))
		}
	}
}

// fallback finds what stands for a value in a version that lacks it.
func fallback(def *ast.Definition, value *ast.EnumValueDefinition, version int) (string, bool) {
	for range def.EnumValues { // a chain is at most as long as there are values
		directive := value.Directives.ForName(directiveFallback)
		if directive == nil {
			return "", false
		}
		if value = def.EnumValues.ForName(argument(directive, "value")); value == nil {
			return "", false
		}
		if s, err := spanOf(value.Directives); err == nil && s.has(version) {
			return value.Name, true
		}
	}
	return "", false
}

package version

import (
	"maps"
	"slices"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// ours are the directives that only say what belongs to which version.
var ours = map[string]bool{directiveVersion: true, directiveSince: true, directiveUntil: true, directiveFallback: true}

// show makes the schema of a version.
func (r *reader) show(v *Version) {
	s := shown{reader: r, v: v}
	v.Deprecations, v.Fallbacks = map[string]Deprecation{}, map[string]map[string]string{}
	schema := *r.whole
	v.Schema = &schema
	schema.SchemaDirectives = s.directives(r.whole.SchemaDirectives)
	schema.Directives = maps.Clone(r.whole.Directives)
	maps.DeleteFunc(schema.Directives, func(name string, _ *ast.DirectiveDefinition) bool { return ours[name] })
	schema.Types = make(map[string]*ast.Definition, len(r.whole.Types))
	for name, def := range r.whole.Types {
		if s.has(def.Directives) {
			schema.Types[name] = s.definition(def)
		} else if def.Kind == ast.Object {
			v.Lacks = append(v.Lacks, name)
		}
	}
	slices.Sort(v.Lacks)
	schema.Query, schema.Mutation, schema.Subscription = s.same(r.whole.Query), s.same(r.whole.Mutation), s.same(r.whole.Subscription)
	schema.PossibleTypes, schema.Implements = s.lists(r.whole.PossibleTypes), s.lists(r.whole.Implements)
}

type shown struct {
	*reader
	v *Version
}

func (s shown) has(directives ast.DirectiveList) bool {
	there, _ := spanOf(directives) // what is wrong with it was found before
	return there.has(s.v.Number)
}

func (s shown) directives(all ast.DirectiveList) ast.DirectiveList {
	return slices.DeleteFunc(slices.Clone(all), func(d *ast.Directive) bool { return ours[d.Name] })
}

func (s shown) definition(whole *ast.Definition) *ast.Definition {
	def := *whole
	def.Directives = s.directives(whole.Directives)
	def.Interfaces, def.Types, def.TypePositions = s.names(whole.Interfaces), s.names(whole.Types), nil
	def.Fields, def.EnumValues = nil, nil
	for _, field := range whole.Fields {
		if s.has(field.Directives) {
			def.Fields = append(def.Fields, s.field(whole.Name, field))
		}
	}
	for _, value := range whole.EnumValues {
		if s.has(value.Directives) {
			copied := *value
			s.deprecation(whole.Name+"."+value.Name, value.Directives)
			copied.Directives = s.directives(value.Directives)
			def.EnumValues = append(def.EnumValues, &copied)
			continue
		}
		if s.v.Fallbacks[whole.Name] == nil {
			s.v.Fallbacks[whole.Name] = map[string]string{}
		}
		s.v.Fallbacks[whole.Name][value.Name], _ = fallback(whole, value, s.v.Number)
	}
	return &def
}

func (s shown) field(typeName string, whole *ast.FieldDefinition) *ast.FieldDefinition {
	field, at := *whole, typeName+"."+whole.Name
	s.deprecation(at, whole.Directives)
	field.Directives = s.directives(whole.Directives)
	field.Arguments = nil
	for _, argument := range whole.Arguments {
		if !s.has(argument.Directives) {
			continue
		}
		copied := *argument
		s.deprecation(at+"("+argument.Name+":)", argument.Directives)
		copied.Directives = s.directives(argument.Directives)
		field.Arguments = append(field.Arguments, &copied)
	}
	return &field
}

// names leaves the types that are there, and nil as it is.
func (s shown) names(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return s.v.Schema.Types[name] == nil && !s.has(s.whole.Types[name].Directives) })
}

// same finds the version's own copy of a type.
func (s shown) same(whole *ast.Definition) *ast.Definition {
	if whole == nil {
		return nil
	}
	return s.v.Schema.Types[whole.Name]
}

func (s shown) lists(all map[string][]*ast.Definition) map[string][]*ast.Definition {
	lists := make(map[string][]*ast.Definition, len(all))
	for name, list := range all {
		if s.v.Schema.Types[name] == nil {
			continue
		}
		for _, def := range list {
			if same := s.same(def); same != nil {
				lists[name] = append(lists[name], same)
			}
		}
	}
	return lists
}

// deprecation notes what has been announced of an element. An element that goes with the version is announced with the one after it, and ends
// with the version at the latest.
func (s shown) deprecation(coordinate string, directives ast.DirectiveList) {
	deprecated := directives.ForName("deprecated")
	if deprecated == nil {
		return
	}
	d := Deprecation{Coordinate: coordinate, Reason: argument(deprecated, "reason"), Since: s.v.Released}
	if d.Reason == "" {
		d.Reason = "No longer supported"
	}
	there, _ := spanOf(directives)
	for _, next := range s.versions {
		if next.Number > there.until {
			d.Since = next.Released
			break
		}
	}
	if sunset := directives.ForName(directiveSunset); sunset != nil {
		d.Sunset, _ = day(sunset, "at")
		if announced, _ := day(sunset, "announced"); !announced.IsZero() {
			d.Since = announced
		}
	}
	s.v.Deprecations[coordinate] = d
}

// Ends is when a deprecated element of the version ends: at its own sunset, or with the version if that is earlier. Zero: not known.
func (v *Version) Ends(d Deprecation) time.Time {
	if d.Sunset.IsZero() || !v.Sunset.IsZero() && v.Sunset.Before(d.Sunset) {
		return v.Sunset
	}
	return d.Sunset
}

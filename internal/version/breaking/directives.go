package breaking

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// executable are the places in operations where a directive can stand.
var executable = []ast.DirectiveLocation{
	ast.LocationQuery, ast.LocationMutation, ast.LocationSubscription, ast.LocationField, ast.LocationFragmentDefinition,
	ast.LocationFragmentSpread, ast.LocationInlineFragment, ast.LocationVariableDefinition,
}

func (f *finder) directives() {
	for name, was := range f.before.Directives {
		if is := f.after.Directives[name]; is == nil {
			f.breaking.add("@"+name, DirectiveRemoved, "@%s was removed.", name)
		} else {
			f.directive(was, is)
		}
	}
}

func (f *finder) directive(was, is *ast.DirectiveDefinition) {
	at := "@" + was.Name
	for _, before := range was.Arguments {
		after := is.Arguments.ForName(before.Name)
		if after == nil {
			f.breaking.add(argumentOf(at, before.Name), DirectiveArgRemoved, "The argument %s of %s was removed.", before.Name, at)
		} else {
			f.directiveArgument(argumentOf(at, before.Name), was, before, after)
		}
	}
	for _, after := range is.Arguments {
		if was.Arguments.ForName(after.Name) == nil && required(after.Type, after.DefaultValue) {
			f.breaking.add(argumentOf(at, after.Name), RequiredDirectiveArgAdded, "The required argument %s was added to %s.", after.Name, at)
		}
	}
	if was.IsRepeatable && !is.IsRepeatable {
		f.breaking.add(at, DirectiveRepeatableRemoved, "%s may no longer be repeated.", at)
	}
	for _, location := range was.Locations {
		if !slices.Contains(is.Locations, location) {
			f.breaking.add(at, DirectiveLocationRemoved, "%s may no longer stand at %s.", at, location)
		}
	}
}

// directiveArgument looks at what operations may write: those of the schema itself change together with it.
func (f *finder) directiveArgument(at string, of *ast.DirectiveDefinition, was, is *ast.ArgumentDefinition) {
	if !slices.ContainsFunc(of.Locations, func(l ast.DirectiveLocation) bool { return slices.Contains(executable, l) }) {
		return
	}
	if !safeInput(was.Type, is.Type) || !required(was.Type, was.DefaultValue) && required(is.Type, is.DefaultValue) {
		f.breaking.add(at, DirectiveArgChangedKind, "%s changed from %s to %s.", at, written(was), written(is))
	}
}

func written(argument *ast.ArgumentDefinition) string {
	if argument.DefaultValue == nil {
		return argument.Type.String()
	}
	return argument.Type.String() + " = " + argument.DefaultValue.String()
}

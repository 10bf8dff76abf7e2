package breaking

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// fields compares those of an object or an interface.
func (f *finder) fields(was, is *ast.Definition) {
	for _, before := range was.Fields {
		at := was.Name + "." + before.Name
		after := is.Fields.ForName(before.Name)
		if strings.HasPrefix(before.Name, "__") { // introspection, which is where queries start
			continue
		}
		if after == nil {
			f.breaking.add(at, FieldRemoved, "%s was removed.", at)
			continue
		}
		f.arguments(at, before, after)
		if !safeOutput(before.Type, after.Type) {
			f.breaking.add(at, FieldChangedKind, "%s changed its type from %s to %s.", at, before.Type, after.Type)
		}
		if was, is := access(before.Directives), access(after.Directives); was != is {
			f.dangerous.add(at, AccessChanged, "%s was for %s and is now for %s.", at, was, is)
		}
	}
}

func (f *finder) arguments(field string, was, is *ast.FieldDefinition) {
	for _, before := range was.Arguments {
		at := argumentOf(field, before.Name)
		after := is.Arguments.ForName(before.Name)
		if after == nil {
			f.breaking.add(at, ArgRemoved, "The argument %s of %s was removed.", before.Name, field)
			continue
		}
		f.input(input{at, before.Type, after.Type, before.DefaultValue, after.DefaultValue}, argumentKinds)
	}
	for _, after := range is.Arguments {
		at := argumentOf(field, after.Name)
		switch {
		case was.Arguments.ForName(after.Name) != nil:
		case required(after.Type, after.DefaultValue):
			f.breaking.add(at, RequiredArgAdded, "The required argument %s was added to %s.", after.Name, field)
		default:
			f.dangerous.add(at, OptionalArgAdded, "The optional argument %s was added to %s.", after.Name, field)
		}
	}
}

func (f *finder) inputFields(was, is *ast.Definition) {
	for _, before := range was.Fields {
		at := was.Name + "." + before.Name
		after := is.Fields.ForName(before.Name)
		if after == nil {
			f.breaking.add(at, FieldRemoved, "%s was removed.", at)
			continue
		}
		f.input(input{at, before.Type, after.Type, before.DefaultValue, after.DefaultValue}, inputFieldKinds)
	}
	for _, after := range is.Fields {
		at := was.Name + "." + after.Name
		switch {
		case was.Fields.ForName(after.Name) != nil:
		case required(after.Type, after.DefaultValue):
			f.breaking.add(at, RequiredInputFieldAdded, "The required field %s was added to the input %s.", after.Name, was.Name)
		default:
			f.dangerous.add(at, OptionalInputFieldAdded, "The optional field %s was added to the input %s.", after.Name, was.Name)
		}
	}
	if was.Directives.ForName("oneOf") == nil && is.Directives.ForName("oneOf") != nil {
		f.breaking.add(was.Name, InputBecameOneOf, "The input %s takes exactly one field now.", was.Name)
	}
}

// input is an argument or an input field before and after.
type input struct {
	at               string
	typed, typedNow  *ast.Type
	byDefault, isNow *ast.Value
}

// inputKinds are the names that a change has at an argument, or at an input field.
type inputKinds struct{ changed, becameRequired, otherDefault Kind }

var (
	argumentKinds   = inputKinds{ArgChangedKind, ArgBecameRequired, ArgDefaultValueChange}
	inputFieldKinds = inputKinds{FieldChangedKind, InputFieldBecameRequired, InputFieldDefaultValueChange}
)

func (f *finder) input(in input, kinds inputKinds) {
	if !safeInput(in.typed, in.typedNow) {
		f.breaking.add(in.at, kinds.changed, "%s changed its type from %s to %s.", in.at, in.typed, in.typedNow)
		return
	}
	if in.byDefault == nil { // what was left out was left out: a default value stands for that
		return
	}
	was := canonical(f.before, in.typed, in.byDefault)
	if in.isNow == nil {
		if in.typedNow.NonNull {
			f.breaking.add(in.at, kinds.becameRequired, "%s is required now: its default value %s was removed.", in.at, was)
		} else {
			f.dangerous.add(in.at, kinds.otherDefault, "The default value %s of %s was removed.", was, in.at)
		}
		return
	}
	if is := canonical(f.after, in.typedNow, in.isNow); was != is {
		f.dangerous.add(in.at, kinds.otherDefault, "The default value of %s changed from %s to %s.", in.at, was, is)
	}
}

func argumentOf(of, argument string) string { return of + "(" + argument + ":)" }

// access says who may have a field, by the directives @authenticated and @requiresScopes.
func access(directives ast.DirectiveList) string {
	if scoped := directives.ForName("requiresScopes"); scoped != nil {
		if scopes := scoped.Arguments.ForName("scopes"); scopes != nil {
			return "callers with the scopes " + scopes.Value.String()
		}
	}
	if directives.ForName("authenticated") != nil {
		return "known callers"
	}
	return "everybody"
}

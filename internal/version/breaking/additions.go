package breaking

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Additions gives the coordinates of what the second schema has and the first has not, sorted. Of a type that is new as a whole
// only the type is named. Nil when nothing is new.
func Additions(before, after *ast.Schema) []string {
	var added []string
	for name, is := range after.Types {
		if was := before.Types[name]; was == nil {
			added = append(added, name)
		} else {
			added = append(added, additionsTo(was, is)...)
		}
	}
	for name, is := range after.Directives {
		was := before.Directives[name]
		if was == nil {
			added = append(added, "@"+name)
			continue
		}
		added = append(added, newArguments("@"+name, was.Arguments, is.Arguments)...)
	}
	slices.Sort(added)
	return added
}

func additionsTo(was, is *ast.Definition) (added []string) {
	for _, field := range is.Fields {
		at := is.Name + "." + field.Name
		if strings.HasPrefix(field.Name, "__") {
			continue
		}
		if before := was.Fields.ForName(field.Name); before == nil {
			added = append(added, at)
		} else {
			added = append(added, newArguments(at, before.Arguments, field.Arguments)...)
		}
	}
	for _, value := range is.EnumValues {
		if was.EnumValues.ForName(value.Name) == nil {
			added = append(added, is.Name+"."+value.Name)
		}
	}
	return added
}

func newArguments(of string, was, is ast.ArgumentDefinitionList) (added []string) {
	for _, argument := range is {
		if was.ForName(argument.Name) == nil {
			added = append(added, argumentOf(of, argument.Name))
		}
	}
	return added
}

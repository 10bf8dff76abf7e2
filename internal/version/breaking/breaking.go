// Package breaking finds what a change of a schema means to those who use it: what breaks operations that were valid, what
// may surprise them, and what is new. Prices (@cost, @listSize), descriptions and deprecations may change freely.
package breaking

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Change is one difference between two schemas. Coordinate is the schema coordinate of the element that changed
// (https://spec.graphql.org/draft/#sec-Schema-Coordinates): Type, Type.field, Type.field(argument:), Enum.VALUE, @directive or
// @directive(argument:). What a union or an interface's list of types lost or got is said at the type that has the list.
type Change struct {
	Coordinate string `json:"coordinate"`
	Kind       Kind   `json:"kind"`
	Message    string `json:"message"`
}

// Between gives the changes from one schema to the next that break operations which were valid, or programs generated from the
// schema, by coordinate. What the language itself defines is taken to be the same in both: a standard scalar that nothing uses
// any more is not missed. Nil when nothing breaks. Neither schema is changed.
func Between(before, after *ast.Schema) []Change {
	return find(before, after).breaking.sorted()
}

// Dangerous gives the changes that break no operation, but may surprise: a default value that is another, an enum value that a
// client's switch does not know, a field that needs other rights. Order, nil and the rest as for Between; no change is in both.
func Dangerous(before, after *ast.Schema) []Change {
	return find(before, after).dangerous.sorted()
}

type changes []Change

func (c *changes) add(coordinate string, kind Kind, format string, args ...any) {
	*c = append(*c, Change{Coordinate: coordinate, Kind: kind, Message: fmt.Sprintf(format, args...)})
}

func (c changes) sorted() []Change {
	slices.SortFunc(c, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Coordinate, b.Coordinate), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Message, b.Message))
	})
	return c
}

// finder gathers what differs between two schemas.
type finder struct {
	before, after       *ast.Schema
	breaking, dangerous changes
}

func find(before, after *ast.Schema) *finder {
	f := &finder{before: before, after: after}
	for name, was := range before.Types {
		if was.BuiltIn {
			continue
		}
		if is := after.Types[name]; is == nil {
			f.breaking.add(name, TypeRemoved, "%s was removed.", name)
		} else {
			f.types(was, is)
		}
	}
	f.root("queries", before.Query, after.Query)
	f.root("mutations", before.Mutation, after.Mutation)
	f.root("subscriptions", before.Subscription, after.Subscription)
	f.directives()
	return f
}

// root tells of operations that start elsewhere, unless the type they started at is gone, which says it all.
func (f *finder) root(operations string, was, is *ast.Definition) {
	if was == nil || f.after.Types[was.Name] == nil || is != nil && is.Name == was.Name {
		return
	}
	start := "no longer possible"
	if is != nil {
		start = "on " + is.Name
	}
	f.breaking.add(was.Name, RootTypeChanged, "Operations on %s: %s are now %s.", was.Name, operations, start)
}

func (f *finder) types(was, is *ast.Definition) {
	if was.Kind != is.Kind {
		f.breaking.add(was.Name, TypeChangedKind, "%s changed from %s to %s.", was.Name, was.Kind, is.Kind)
		return
	}
	switch was.Kind {
	case ast.Enum:
		f.values(was, is)
	case ast.Union:
		f.listed(was, was.Types, is.Types, TypeRemovedFromUnion, TypeAddedToUnion, "the types of the union")
	case ast.InputObject:
		f.inputFields(was, is)
	case ast.Object, ast.Interface:
		f.fields(was, is)
		f.listed(was, was.Interfaces, is.Interfaces, ImplementedInterfaceRemoved, ImplementedInterfaceAdded, "the interfaces of")
	}
}

func (f *finder) values(was, is *ast.Definition) {
	for _, value := range was.EnumValues {
		if is.EnumValues.ForName(value.Name) == nil {
			f.breaking.add(was.Name+"."+value.Name, ValueRemovedFromEnum, "%s was removed from the enum %s.", value.Name, was.Name)
		}
	}
	for _, value := range is.EnumValues {
		if was.EnumValues.ForName(value.Name) == nil {
			f.dangerous.add(was.Name+"."+value.Name, ValueAddedToEnum, "%s was added to the enum %s.", value.Name, was.Name)
		}
	}
}

// listed compares lists of names: the members of a union, or the interfaces of a type.
func (f *finder) listed(of *ast.Definition, was, is []string, removed, added Kind, what string) {
	for _, name := range was {
		if !slices.Contains(is, name) {
			f.breaking.add(of.Name, removed, "%s was removed from %s %s.", name, what, of.Name)
		}
	}
	for _, name := range is {
		if !slices.Contains(was, name) {
			f.dangerous.add(of.Name, added, "%s was added to %s %s.", name, what, of.Name)
		}
	}
}

// Package version reads what versions a schema has off its directives, and shows the schema as each of them has it. It knows no type of
// any schema.
//
// There is one schema. Its own directives list the versions, and what came or went with one says so where it stands:
//
//	extend schema @version(number: 1, released: "2026-11-01") @version(number: 2, released: "2026-11-23")
//
//	type User {
//	  followedByViewer: Boolean @until(version: 1) @deprecated(reason: "Use viewerIsFollowing.") @sunset(at: "2027-11-23")
//	  viewerIsFollowing: Boolean @since(version: 2)
//	}
package version

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// Directives declares what Read reads, in the schema definition language. Dates are days in UTC, as 2026-11-23.
const Directives = `directive @version(number: Int!, released: String!, deprecated: String, sunset: String) repeatable on SCHEMA
directive @since(version: Int!) on ARGUMENT_DEFINITION | ENUM | ENUM_VALUE | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | INPUT_OBJECT | INTERFACE | OBJECT | SCALAR | UNION
directive @until(version: Int!) on ARGUMENT_DEFINITION | ENUM | ENUM_VALUE | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | INPUT_OBJECT | INTERFACE | OBJECT | SCALAR | UNION
directive @sunset(at: String!, announced: String) on ARGUMENT_DEFINITION | ENUM_VALUE | FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @fallback(value: String!) on ENUM_VALUE
`

// The names of those directives.
const (
	directiveVersion  = "version"
	directiveSince    = "since"
	directiveUntil    = "until"
	directiveSunset   = "sunset"
	directiveFallback = "fallback"
)

// Version is one version of a schema. It does not change.
type Version struct {
	Number     int
	Released   time.Time
	Deprecated time.Time // from when on nothing new should use it; zero: not known
	Sunset     time.Time // when it ends; zero: not known

	// Schema is what the version shows, a copy as far as it differs. Its directives are those of the whole schema without what only
	// concerns versions; @deprecated and @sunset stay.
	Schema *ast.Schema
	// Deprecations are the elements of Schema that are deprecated, by coordinate.
	Deprecations map[string]Deprecation
	// Fallbacks are the values of enums that the version lacks, by enum, with the value it has for each.
	Fallbacks map[string]map[string]string
	// Lacks are the names of the object types that other versions have.
	Lacks []string

	declared   time.Time // Deprecated, as the schema has it
	superseded time.Time // when the next version was released; zero: there is none
}

// Deprecation is what has been announced of an element.
type Deprecation struct {
	Coordinate string // as https://spec.graphql.org/September2025/#sec-Schema-Coordinates has it, such as User.posts(first:)
	Reason     string
	Since      time.Time // when it was announced
	Sunset     time.Time // when it ends; zero: not known
}

// Read finds the versions of a schema, the oldest first. A schema that lists none has one, number 1, of no date, which shows all. The
// error names each element that is at fault.
func Read(whole *ast.Schema) ([]*Version, error) {
	versions, err := list(whole.SchemaDirectives)
	if err != nil {
		return nil, err
	}
	r := reader{whole: whole, versions: versions}
	r.check()
	for _, v := range versions {
		r.show(v)
		r.checkVersion(v)
	}
	if len(r.errs) > 0 {
		return nil, errors.Join(r.errs...)
	}
	return versions, nil
}

// list reads the directives of the schema itself.
func list(directives ast.DirectiveList) ([]*Version, error) {
	var versions []*Version
	for _, directive := range directives.ForNames(directiveVersion) {
		v := &Version{}
		var err error
		if v.Number, err = number(directive, "number"); err == nil && v.Number < 1 {
			err = errors.New("want a number from 1")
		}
		if err == nil {
			err = v.readDates(directive)
		}
		if err != nil {
			return nil, fmt.Errorf("@version: %w", err)
		}
		versions = append(versions, v)
	}
	if len(versions) == 0 {
		return []*Version{{Number: 1}}, nil
	}
	slices.SortFunc(versions, func(a, b *Version) int { return a.Number - b.Number })
	for i, v := range versions[1:] {
		if before := versions[i]; before.Number == v.Number || v.Released.Before(before.Released) {
			return nil, fmt.Errorf("@version: %d and %d are the same, or were not released in their order", before.Number, v.Number)
		}
		versions[i].superseded = v.Released
	}
	for _, v := range versions {
		if err := v.End(v.Sunset); err != nil {
			return nil, fmt.Errorf("@version: %w", err)
		}
	}
	return versions, nil
}

func (v *Version) readDates(directive *ast.Directive) (err error) {
	if v.Released, err = day(directive, "released"); err != nil {
		return err
	}
	if v.declared, err = day(directive, "deprecated"); err != nil {
		return err
	}
	v.Sunset, err = day(directive, "sunset")
	return err
}

// End sets when the version ends, zero for never. A sunset is never earlier than the deprecation (RFC 9745, section 4): unless the schema
// says from when on, a version that ends is deprecated since the next one was released, and without a next one since it was itself.
func (v *Version) End(at time.Time) error {
	if !at.IsZero() && (at.Before(v.declared) || at.Before(v.Released)) {
		return fmt.Errorf("version %d ends before it is deprecated, or released", v.Number)
	}
	v.Sunset, v.Deprecated = at, v.declared
	if v.Deprecated.IsZero() && !at.IsZero() {
		v.Deprecated = v.Released
		if !v.superseded.IsZero() {
			v.Deprecated = v.superseded
		}
		if at.Before(v.Deprecated) {
			v.Deprecated = at
		}
	}
	return nil
}

// Name is the number as clients write it.
func (v *Version) Name() string { return strconv.Itoa(v.Number) }

// Ended says whether the version is over at a time.
func (v *Version) Ended(now time.Time) bool { return !v.Sunset.IsZero() && !now.Before(v.Sunset) }

// argument reads an argument of a directive as it was written; empty where there is none.
func argument(directive *ast.Directive, name string) string {
	if given := directive.Arguments.ForName(name); given != nil && given.Value.Kind != ast.NullValue {
		return given.Value.Raw
	}
	return ""
}

func number(directive *ast.Directive, name string) (int, error) {
	n, err := strconv.Atoi(argument(directive, name))
	if err != nil {
		return 0, fmt.Errorf("%s: want a whole number", name)
	}
	return n, nil
}

func day(directive *ast.Directive, name string) (time.Time, error) {
	text := argument(directive, name)
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: want a day, such as 2026-11-23", name)
	}
	return at, nil
}

package version_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"tributary/internal/version"
)

const zoo = `
extend schema @version(number: 1, released: "2026-01-01") @version(number: 3, released: "2026-03-01") @version(number: 2, released: "2026-02-01", sunset: "2026-12-31")
directive @shown on FIELD_DEFINITION
interface Node { id: ID! }
interface Fresh @since(version: 3) { id: ID! }
union Any = Cat | Dog
enum Colour { RED  GREEN @deprecated(reason: "It fades.")  LIME @since(version: 2) @fallback(value: "GREEN")  OLIVE @since(version: 3) @fallback(value: "LIME") }
input Wish { x: Int!  y: Int! = 3 @since(version: 2)  old: Int @until(version: 1) @deprecated(reason: "Say x.") }
type Cat implements Node & Fresh { id: ID!  name: String @shown @until(version: 1) @deprecated(reason: "Use title.") @sunset(at: "2026-11-01")  title: String @since(version: 2)  colour: Colour! }
type Dog implements Node @since(version: 2) { id: ID!  bark(loud: Boolean! = true @since(version: 3), at: Int @deprecated): String }
type Query { node(id: ID!): Node  any: [Any]  wish(w: Wish): String  cat(first: Int @until(version: 2) @deprecated(reason: "All come.")): Cat }
`

func load(t testing.TB, sdl string) *ast.Schema {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: version.Directives + sdl})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func read(t testing.TB, sdl string) []*version.Version {
	t.Helper()
	versions, err := version.Read(load(t, sdl))
	if err != nil {
		t.Fatal(err)
	}
	return versions
}

func text(schema *ast.Schema) string {
	var out strings.Builder
	formatter.NewFormatter(&out).FormatSchema(schema)
	return out.String()
}

func TestVersionsShowWhatTheyHave(t *testing.T) {
	whole := load(t, zoo)
	before := text(whole)
	versions, err := version.Read(whole)
	if err != nil {
		t.Fatal(err)
	}
	if text(whole) != before {
		t.Error("the schema was changed")
	}
	for i, want := range []struct {
		number        int
		has, hasNot   []string
		lacks, ending []string
	}{
		{1, []string{"name: String @shown @deprecated", "union Any = Cat\n", "old: Int @deprecated", "cat(first: Int"}, []string{"Dog", "title:", "LIME", "OLIVE", "y: Int", "Fresh"}, []string{"Dog"}, []string{"Cat.name", "Colour.GREEN", "Query.cat(first:)", "Wish.old"}},
		{2, []string{"title: String", "union Any = Cat | Dog", "LIME", "y: Int! = 3", "bark(at: Int @deprecated"}, []string{"name:", "OLIVE", "old", "loud", "Fresh"}, nil, []string{"Colour.GREEN", "Dog.bark(at:)", "Query.cat(first:)"}},
		{3, []string{"OLIVE", "loud: Boolean! = true", "implements Fresh & Node", "cat: Cat"}, []string{"name:", "first:"}, nil, []string{"Colour.GREEN", "Dog.bark(at:)"}},
	} {
		v := versions[i]
		if v.Number != want.number || v.Schema.Query != v.Schema.Types["Query"] || !slices.Equal(v.Lacks, want.lacks) {
			t.Errorf("version %d lacks %v, and its roots are its own: %v", v.Number, v.Lacks, v.Schema.Query == v.Schema.Types["Query"])
		}
		shown := text(v.Schema)
		for _, want := range want.has {
			if !strings.Contains(shown, want) && !strings.Contains(shown, strings.Replace(want, "Fresh & Node", "Node & Fresh", 1)) {
				t.Errorf("version %d has no %q:\n%s", v.Number, want, shown)
			}
		}
		for _, not := range append(want.hasNot, "@since", "@until", "@fallback", "@version", "directive @since") {
			if strings.Contains(shown, not) {
				t.Errorf("version %d has %q:\n%s", v.Number, not, shown)
			}
		}
		var deprecated []string
		for coordinate := range v.Deprecations {
			deprecated = append(deprecated, coordinate)
		}
		if slices.Sort(deprecated); !slices.Equal(deprecated, want.ending) {
			t.Errorf("of version %d is deprecated %v, want %v", v.Number, deprecated, want.ending)
		}
		if _, err := gqlparser.LoadSchema(&ast.Source{Input: shown}); err != nil {
			t.Errorf("version %d is no schema: %v", v.Number, err)
		}
	}
	if list := versions[0].Schema.PossibleTypes["Any"]; len(list) != 1 || list[0] != versions[0].Schema.Types["Cat"] {
		t.Errorf("version 1 has %v for Any", list)
	}
}

func TestFallbacksLeadToWhatTheVersionHas(t *testing.T) {
	versions := read(t, zoo)
	for i, want := range []map[string]string{{"LIME": "GREEN", "OLIVE": "GREEN"}, {"OLIVE": "LIME"}, nil} {
		got := versions[i].Fallbacks["Colour"]
		if len(got) != len(want) || len(versions[i].Fallbacks) > 1 {
			t.Errorf("version %d: %v", i+1, versions[i].Fallbacks)
		}
		for value, fallback := range want {
			if got[value] != fallback {
				t.Errorf("version %d has %q for %s, want %s", i+1, got[value], value, fallback)
			}
		}
	}
}

func day(text string) time.Time {
	at, _ := time.Parse(time.DateOnly, text)
	return at
}

func TestDatesOfWhatIsDeprecated(t *testing.T) {
	versions := read(t, zoo)
	name := versions[0].Deprecations["Cat.name"]
	if name.Since != day("2026-02-01") || versions[0].Ends(name) != day("2026-11-01") || name.Reason != "Use title." {
		t.Errorf("what the next version lacks was announced with it, and ends on its own day: %+v", name)
	}
	if err := versions[0].End(day("2026-06-01")); err != nil || versions[0].Ends(name) != day("2026-06-01") || versions[0].Deprecated != day("2026-02-01") {
		t.Errorf("it ends with its version: %v, %v", versions[0].Ends(name), err)
	}
	green := versions[1].Deprecations["Colour.GREEN"]
	if green.Since != day("2026-02-01") || versions[1].Ends(green) != day("2026-12-31") {
		t.Errorf("what no version lacks is deprecated from the version's release on: %+v", green)
	}
	if versions[1].Ended(day("2026-12-30")) || !versions[1].Ended(day("2026-12-31")) || versions[2].Ended(day("2999-01-01")) {
		t.Error("a version ends on its day, and one without never")
	}
	if err := versions[0].End(day("2026-01-15")); err != nil || versions[0].Deprecated != day("2026-01-15") {
		t.Errorf("it is deprecated no later than it ends: %v, %v", versions[0].Deprecated, err)
	}
	if err := versions[0].End(time.Time{}); err != nil || !versions[0].Deprecated.IsZero() {
		t.Errorf("an end that is taken back: %v, %v", versions[0].Deprecated, err)
	}
	if err := versions[2].End(day("2026-02-28")); err == nil {
		t.Error("a version ends before it was released")
	}
	if v := read(t, `type Query { a: Int }`); len(v) != 1 || v[0].Number != 1 || !v[0].Released.IsZero() {
		t.Errorf("a schema without versions has %+v", v)
	}
}

func TestSchemasThatAreNone(t *testing.T) {
	const two = `extend schema @version(number: 1, released: "2026-01-01") @version(number: 2, released: "2026-02-01") `
	for name, tt := range map[string]struct{ sdl, says string }{
		"a type that the version lacks":   {two + `type A @since(version: 2) { x: Int } type Query { a: A }`, "Query.a: it is in a version that has no A"},
		"an argument of such a type":      {two + `input A @since(version: 2) { x: Int } type Query { a(b: A): Int }`, "Query.a(b:): it is in a version that has no A"},
		"a required argument":             {two + `type Query { a(b: Int! @since(version: 2)): Int }`, "Query.a(b:): not all versions have it"},
		"a required member":               {two + `input I { x: Int  y: Int! @since(version: 2) } type Query { a(b: I): Int }`, "I.y: not all versions have it"},
		"a value without fallback":        {two + `enum E { A  B @since(version: 2) } type Query { a: E }`, "E.B: version 1 lacks it"},
		"a fallback that is none":         {two + `enum E { A  B @since(version: 2) @fallback(value: "C") } type Query { a: E }`, "E.B: version 1 lacks it"},
		"fallbacks in a circle":           {two + `enum E { A  B @since(version: 2) @fallback(value: "C")  C @since(version: 2) @fallback(value: "B") } type Query { a: E }`, "E.B: version 1 lacks it"},
		"gone without a word":             {two + `type Query { a: Int  b: Int @until(version: 1) }`, "Query.b: @until without @deprecated"},
		"an argument gone without a word": {two + `type Query { a(b: Int @until(version: 1)): Int }`, "Query.a(b:): @until without @deprecated"},
		"a value gone without a word":     {two + `enum E { A  B @until(version: 1) @fallback(value: "A") } type Query { a: E }`, "E.B: @until without @deprecated"},
		"an interface not implemented":    {two + `interface N { a: Int } type A implements N { a: Int @since(version: 2) } type Query { a: A }`, "version 1:"},
		"a type of no field":              {two + `type A { x: Int @since(version: 2) } type Query { a: A }`, "version 1:"},
		"an input of no member":           {two + `input A { x: Int @since(version: 2) } type Query { a(b: A): Int }`, "version 1:"},
		"a union of no member":            {two + `type A @since(version: 2) { x: Int } union U = A type Query { a: U }`, "U: version 1 has no member"},
		"a default that is lacked":        {two + `enum E { A  B @since(version: 2) @fallback(value: "A") } type Query { a(e: [E] = [A, B]): Int }`, "Query.a(e:): version 1: its default names a value"},
		"a member of a default":           {two + `input I { a: Int  b: Int @since(version: 2) } input J { i: I = {b: 1} } type Query { a(j: J): Int }`, "J.i: version 1: its default names a member"},
		"in no version":                   {two + `type Query { a: Int  b: Int @since(version: 3) }`, "Query.b: no version has it"},
		"the wrong way around":            {two + `type Query { a: Int  b: Int @since(version: 2) @until(version: 1) @deprecated }`, "Query.b: @until names a version before"},
		"a sunset of what stays":          {two + `type Query { a: Int @sunset(at: "2026-01-01") }`, "Query.a: @sunset without @deprecated"},
		"a sunset before it was said":     {two + `type Query { a: Int @deprecated @sunset(at: "2026-01-01", announced: "2026-02-01") }`, "Query.a: @sunset before"},
		"a day that is none":              {two + `type Query { a: Int @deprecated @sunset(at: "2026-02-30") }`, "Query.a: @sunset: at: want a day"},
		"two of one number":               {`extend schema @version(number: 1, released: "2026-01-01") @version(number: 1, released: "2026-02-01") type Query { a: Int }`, "1 and 1"},
		"released in no order":            {`extend schema @version(number: 1, released: "2026-02-01") @version(number: 2, released: "2026-01-01") type Query { a: Int }`, "1 and 2"},
		"number 0":                        {`extend schema @version(number: 0, released: "2026-02-01") type Query { a: Int }`, "from 1"},
		"a version that ends too soon":    {`extend schema @version(number: 1, released: "2026-02-01", sunset: "2026-01-01") type Query { a: Int }`, "ends before"},
		"a version of no day":             {`extend schema @version(number: 1, released: "soon") type Query { a: Int }`, "want a day"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := version.Read(load(t, tt.sdl)); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
		})
	}
}

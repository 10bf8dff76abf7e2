package breaking

import (
	"os"
	"slices"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"pgregory.net/rapid"
)

func load(t testing.TB, name, sdl string) *ast.Schema {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: name, Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func released(t testing.TB) *ast.Schema {
	t.Helper()
	sdl, err := os.ReadFile("../../../schema/released/1.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	return load(t, "1.graphqls", string(sdl))
}

// removal takes one element out of a schema and says what should be found.
type removal struct {
	want   Change // without its message
	remove func(*ast.Schema)
}

// removals are all that a schema allows: each type, field, argument, value, member, interface and directive.
func removals(schema *ast.Schema) (all []removal) {
	add := func(coordinate string, kind Kind, remove func(*ast.Schema)) {
		all = append(all, removal{Change{Coordinate: coordinate, Kind: kind}, remove})
	}
	for name, def := range schema.Types {
		if def.BuiltIn {
			continue
		}
		add(name, TypeRemoved, func(s *ast.Schema) { delete(s.Types, name) })
		change := func(change func(*ast.Definition)) func(*ast.Schema) {
			return func(s *ast.Schema) {
				copied := *s.Types[name]
				change(&copied)
				s.Types[name] = &copied
			}
		}
		for i, value := range def.EnumValues {
			add(name+"."+value.Name, ValueRemovedFromEnum, change(func(d *ast.Definition) { d.EnumValues = without(d.EnumValues, i) }))
		}
		for i := range def.Types {
			add(name, TypeRemovedFromUnion, change(func(d *ast.Definition) { d.Types = without(d.Types, i) }))
		}
		for i := range def.Interfaces {
			add(name, ImplementedInterfaceRemoved, change(func(d *ast.Definition) { d.Interfaces = without(d.Interfaces, i) }))
		}
		for i, field := range def.Fields {
			if field.Name[0] == '_' {
				continue
			}
			at := name + "." + field.Name
			add(at, FieldRemoved, change(func(d *ast.Definition) { d.Fields = without(d.Fields, i) }))
			for j, argument := range field.Arguments {
				add(argumentOf(at, argument.Name), ArgRemoved, change(func(d *ast.Definition) {
					d.Fields = slices.Clone(d.Fields)
					copied := *d.Fields[i]
					copied.Arguments = without(copied.Arguments, j)
					d.Fields[i] = &copied
				}))
			}
		}
	}
	for name, directive := range schema.Directives {
		add("@"+name, DirectiveRemoved, func(s *ast.Schema) { delete(s.Directives, name) })
		for i, argument := range directive.Arguments {
			add(argumentOf("@"+name, argument.Name), DirectiveArgRemoved, func(s *ast.Schema) {
				copied := *directive
				copied.Arguments = without(copied.Arguments, i)
				s.Directives[name] = &copied
			})
		}
	}
	return all
}

func without[S ~[]E, E any](s S, i int) S { return slices.Delete(slices.Clone(s), i, i+1) }

func (r removal) from(schema *ast.Schema) *ast.Schema {
	changed := *schema
	changed.Types, changed.Directives = cloned(schema.Types), cloned(schema.Directives)
	r.remove(&changed)
	return &changed
}

func cloned[V any](m map[string]V) map[string]V {
	copied := make(map[string]V, len(m))
	for k, v := range m {
		copied[k] = v
	}
	return copied
}

// Whatever is taken out of the schema that is served is found, by its name, and nothing else is; put back, it breaks nobody unless
// it has to be given.
func TestEachRemovalIsNamed(t *testing.T) {
	schema := released(t)
	all := removals(schema)
	if len(all) < 600 {
		t.Fatalf("only %d elements: is that the schema?", len(all))
	}
	for _, r := range all {
		changed := r.from(schema)
		got := Between(schema, changed)
		if len(got) != 1 || got[0].Coordinate != r.want.Coordinate || got[0].Kind != r.want.Kind || got[0].Message == "" {
			t.Errorf("%s at %s: got %+v", r.want.Kind, r.want.Coordinate, got)
		}
		for _, back := range Between(changed, schema) {
			switch back.Kind {
			case RequiredArgAdded, RequiredInputFieldAdded, RequiredDirectiveArgAdded:
			default:
				t.Errorf("%s put back: %+v", r.want.Coordinate, back)
			}
		}
	}
	t.Logf("%d removals", len(all))
}

// What several removals break is what each of them breaks, but for what was in an element that is gone as a whole.
func TestRemovalsAddUp(t *testing.T) {
	schema := released(t)
	all := removals(schema)
	slices.SortFunc(all, func(a, b removal) int { return compare(a.want, b.want) })
	rapid.Check(t, func(t *rapid.T) {
		two := rapid.SliceOfNDistinct(rapid.IntRange(0, len(all)-1), 2, 2, func(i int) string { return typeOf(all[i].want.Coordinate) }).Draw(t, "elements")
		first, second := all[two[0]], all[two[1]]
		got := Between(schema, second.from(first.from(schema)))
		for i := range got {
			got[i].Message = ""
		}
		want := []Change{first.want, second.want}
		slices.SortFunc(want, compare)
		if !slices.Equal(got, want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func TestNothingChangesByItself(t *testing.T) {
	schema := released(t)
	if got := slices.Concat(Between(schema, schema), Dangerous(schema, released(t))); got != nil {
		t.Error(got)
	}
	if got := Additions(schema, schema); got != nil {
		t.Error(got)
	}
}

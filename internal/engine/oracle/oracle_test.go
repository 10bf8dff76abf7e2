package oracle

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

func zooGenerator(t testing.TB) *Generator {
	schema, prepare := prepared(t, zoo)
	return NewGenerator(Config{
		Schema: schema, Prepare: prepare, MutationShare: 0.1,
		Value: func(r *rand.Rand, coordinate string) (any, bool) {
			return []any{"one", "two"}[r.IntN(2)], strings.HasSuffix(coordinate, ".id") || strings.HasSuffix(coordinate, "(id:)")
		},
		Arguments: func(_ *rand.Rand, coordinate string) ([]string, bool) {
			return []string{"first"}, coordinate == "Dog.friends"
		},
		Leave: func(coordinate string) bool { return coordinate == "Query.time" },
	})
}

func TestASeedDrawsOneOperation(t *testing.T) {
	g := zooGenerator(t)
	seen := map[string]bool{}
	for seed := range uint64(100) {
		first, err := g.Draw(seed)
		if err != nil {
			t.Fatal(err)
		}
		again, err := g.Draw(seed)
		if err != nil || !reflect.DeepEqual(first.Request, again.Request) {
			t.Fatalf("seed %d drew\n%s\nand\n%s, %v", seed, Show(first.Request), Show(again.Request), err)
		}
		seen[first.Request.Query] = true
	}
	if len(seen) < 95 {
		t.Errorf("100 seeds drew %d operations", len(seen))
	}
}

// TestEverythingIsDrawn looks for each form that executors have to agree about.
func TestEverythingIsDrawn(t *testing.T) {
	g := zooGenerator(t)
	reach, forms, refused := Reach{}, forms{}, 0
	const draws = 2000
	for seed := range uint64(draws) {
		drawn, err := g.Draw(seed)
		if err != nil {
			t.Fatal(err)
		}
		refused += len(drawn.Refused)
		reach.Add(g.Schema, drawn.Prepared.Document)
		forms.look(drawn)
	}
	fields := slices.DeleteFunc(Fields(g.Schema, true), func(c string) bool { return c == "Query.time" })
	if missed := reach.Missed(fields); len(missed) > 0 || reach["Query.time"] > 0 {
		t.Errorf("never selected: %v; Query.time %d times", missed, reach["Query.time"])
	}
	for _, form := range []string{
		"alias", "merged", "spread", "spread twice", "inline", "inline on Named", "inline on Thing", "inline on Stone", "one key for two fields",
		"@skip literal", "@include literal", "@skip variable", "@include variable", "introspection",
		"variable", "sent null", "not sent", "default", "default not sent", "null", "enum", "list", "object", "variable in a list", "variable in an object",
	} {
		if forms[form] < draws/400 {
			t.Errorf("%s: %d times in %d operations", form, forms[form], draws)
		}
	}
	if refused > draws/5 {
		t.Errorf("%d operations had to be drawn again in %d", refused, draws)
	}
	t.Logf("drawn again %d, %v", refused, forms)
}

// forms counts what was drawn.
type forms map[string]int

func (f forms) look(d *Drawn) {
	op := d.Prepared.Operation
	for _, v := range op.VariableDefinitions {
		value, sent := d.Request.Variables[v.Variable]
		f.count("variable", true)
		f.count("sent null", sent && value == nil)
		f.count("not sent", !sent && v.DefaultValue == nil)
		f.count("default", v.DefaultValue != nil && sent)
		f.count("default not sent", v.DefaultValue != nil && !sent)
	}
	spread := map[string]bool{}
	f.set(op.SelectionSet, map[string]*ast.Field{}, spread)
}

func (f forms) count(form string, is bool) {
	if is {
		f[form]++
	}
}

func (f forms) set(set ast.SelectionSet, keys map[string]*ast.Field, spread map[string]bool) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			before := keys[s.Alias]
			f.count("alias", s.Alias != s.Name)
			f.count("merged", before != nil && len(s.SelectionSet) > 0)
			f.count("one key for two fields", before != nil && before.Name != s.Name)
			f.count("introspection", s.Name == "__schema" || s.Name == "__type")
			keys[s.Alias] = s
			for _, a := range s.Arguments {
				f.value(a.Value)
			}
			f.directives(s.Directives)
			f.set(s.SelectionSet, map[string]*ast.Field{}, spread)
		case *ast.InlineFragment:
			f.count("inline", s.TypeCondition == "")
			f.count("inline on "+s.TypeCondition, true)
			f.directives(s.Directives)
			f.set(s.SelectionSet, keys, spread)
		case *ast.FragmentSpread:
			f.count("spread", true)
			f.count("spread twice", spread[s.Name])
			spread[s.Name] = true
			f.directives(s.Directives)
			f.set(s.Definition.SelectionSet, keys, spread)
		}
	}
}

func (f forms) directives(list ast.DirectiveList) {
	for _, d := range list {
		form := map[bool]string{true: " variable", false: " literal"}[d.Arguments[0].Value.Kind == ast.Variable]
		f.count("@"+d.Name+form, true)
	}
}

func (f forms) value(v *ast.Value) {
	f.count("null", v.Kind == ast.NullValue)
	f.count("enum", v.Kind == ast.EnumValue)
	f.count("list", v.Kind == ast.ListValue)
	f.count("object", v.Kind == ast.ObjectValue)
	for _, child := range v.Children {
		f.count("variable in a list", v.Kind == ast.ListValue && child.Value.Kind == ast.Variable)
		f.count("variable in an object", v.Kind == ast.ObjectValue && child.Value.Kind == ast.Variable)
		f.value(child.Value)
	}
}

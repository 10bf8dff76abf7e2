package operation

import (
	"reflect"
	"testing"
)

func TestOutline(t *testing.T) {
	p, view := testPreparer(t), testView(t, "v")
	const query = `query Q($i: Int!, $s: String = "x", $d: Int) { echo(i: $i, s: $s) a: echo(i: $d) }`
	o, errs := p.Outline(view, Request{Query: query})
	if errs != nil {
		t.Fatal(errs)
	}
	if len(o.Open) != 2 || o.Open[0].Variable != "i" || o.Open[1].Variable != "d" || !reflect.DeepEqual(o.Variables, map[string]any{"s": "x"}) {
		t.Errorf("open %v, variables %v", o.Open, o.Variables)
	}
	has := map[string]int{}
	for _, extent := range o.Extents {
		has[extent.What] = extent.Has
	}
	if want := map[string]int{"tokens": 41, "fields one inside the other": 1, "fragments one inside the other": 0, "root fields": 2, "fields": 2, "values in arguments": 4, "aliases": 1, "directives": 0}; !reflect.DeepEqual(has, want) {
		t.Errorf("it takes up %v, want %v", has, want)
	}
	if _, errs := p.Outline(view, Request{Query: query, Variables: map[string]any{"i": "no"}}); errs == nil {
		t.Error("a variable of the wrong type is taken")
	}
	if _, errs := p.Prepare(view, Request{Query: query}); errs == nil {
		t.Error("what is missing is missing no more when it runs")
	}
}

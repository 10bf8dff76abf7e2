package operation

import (
	"reflect"
	"strings"
	"testing"
)

// TestBoundsAreExact sets one bound low at a time: as much is allowed, one more is refused with the bound's code and number.
func TestBoundsAreExact(t *testing.T) {
	view := testView(t, "v")
	for _, tt := range []struct {
		bound      string
		most       int
		code       string
		just, over string
	}{
		{"Tokens", 6, CodeTooManyTokens, "{me{id}}", "{me{id}}#"},
		{"Tokens", 6, CodeTooManyTokens, "#\n{echo}#\n#", "#\n{echo}#\n#\n#"},
		{"NameBytes", 6, CodeNameTooLong, "{aaaaaa:echo}", "{aaaaaaa:echo}"},
		{"Operations", 1, CodeTooManyOperations, "query A{echo}", "query A{echo} query SECRET{echo}"},
		{"Depth", 2, CodeTooDeep, "{me{id}}", "{me{friends{id}}}"},
		{"Depth", 3, CodeTooDeep, "{me{...F}} fragment F on User{friends{id}}", "{me{friends{...F}}} fragment F on User{friends{id}}"},
		{"ValueDepth", 2, CodeTooDeep, "{echo(ll:[[1]])}", "{echo(ll:[[[1]]])}"},
		{"ValueDepth", 1, CodeTooDeep, "{echo(p:{x:1})}", "{echo(p:{x:1,next:{x:2}})}"},
		{"ValueDepth", 1, CodeTooDeep, "query($l:[Int!]){echo(l:$l)}", "query($l:[[Int]]){echo(ll:$l)}"},
		{"Aliases", 1, CodeTooManyAliases, "{a:echo}", "{a:echo SECRET:echo}"},
		{"RootFields", 2, CodeTooManyRootFields, "query A{a:echo b:echo}", "query A{a:echo b:echo c:echo}"},
		{"RootFields", 2, CodeTooManyRootFields, "{...F} fragment F on Query{a:echo b:echo}", "{echo ...F} fragment F on Query{a:echo b:echo}"},
		{"Directives", 1, CodeTooManyDirectives, "{echo @skip(if:true)}", "{echo @skip(if:true) @include(if:true)}"},
		{"Fields", 4, CodeTooManyFields, "{me{id name id}}", "{me{id name id name}}"},
		{"Fields", 7, CodeTooManyFields, "{me{...F ...F}} fragment F on User{id name}", "{me{...F ...F id}} fragment F on User{id name}"},
		{"Arguments", 5, CodeTooManyArguments, "{echo(l:[1 2])}", "{echo(l:[1 2] i:1)}"},
		{"Arguments", 6, CodeTooManyArguments, "{...F ...F} fragment F on Query{echo(l:[1])}", "{...F ...F echo(l:[1])} fragment F on Query{echo(l:[1])}"},
		{"Arguments", 1, CodeTooManyArguments, "query($i:Int){echo(i:$i)}", "query($i:Int=1){echo(i:$i)}"},
		{"FragmentNesting", 2, CodeFragmentsTooDeep, "{...F} fragment F on Query{...{echo}}", "{...{...F}} fragment F on Query{...{echo}}"},
		{"ListNesting", 1, CodeIntrospectionTooDeep, `{__type(name:"User"){fields{name}}}`, `{__type(name:"User"){fields{type{interfaces{name}}}}}`},
		{"VariableValues", 3, CodeVariablesTooLarge, "", ""},
	} {
		bounds := DefaultBounds()
		reflect.ValueOf(&bounds).Elem().FieldByName(tt.bound).SetInt(int64(tt.most))
		p, err := NewPreparer(1<<20, bounds)
		if err != nil {
			t.Fatal(err)
		}
		just, over := Request{Query: tt.just}, Request{Query: tt.over}
		if tt.just == "" {
			const query = "query($l:[Int!]){echo(l:$l)}"
			just = Request{Query: query, Variables: map[string]any{"l": []any{int64(1), int64(2)}}}
			over = Request{Query: query, Variables: map[string]any{"l": []any{int64(1), int64(2)}, "SECRET": "SECRET"}}
		}
		if _, errs := p.Prepare(view, just); errs != nil && errs[0].Extensions["code"] != CodeValidationFailed {
			t.Errorf("%s: %s is refused: %v", tt.bound, just.Query, errs)
		}
		_, errs := p.Prepare(view, over)
		if len(errs) != 1 || errs[0].Extensions["code"] != tt.code || errs[0].Extensions["limit"] != tt.most || len(errs[0].Extensions) != 2 {
			t.Errorf("%s: %s gets %v, want one error %s", tt.bound, over.Query, errs, tt.code)
			continue
		}
		if strings.Contains(errs[0].Message, "SECRET") || !strings.Contains(errs[0].Message, ": ") {
			t.Errorf("%s: the message quotes the request or does not say what to do: %s", tt.bound, errs[0].Message)
		}
	}
}

func TestEveryBoundIsNeeded(t *testing.T) {
	for field := range reflect.ValueOf(Bounds{}).Fields() {
		bounds := DefaultBounds()
		reflect.ValueOf(&bounds).Elem().FieldByName(field.Name).SetInt(0)
		if _, err := NewPreparer(1<<20, bounds); err == nil || !strings.Contains(err.Error(), field.Name) {
			t.Errorf("without %s: error %v", field.Name, err)
		}
	}
}

func TestVariablesAreBounded(t *testing.T) {
	p, view := testPreparer(t), testView(t, "v")
	deep := func(n int) (v any) {
		for range n {
			v = []any{map[string]any{"next": v}}
		}
		return v
	}
	many := make([]any, DefaultBounds().VariableValues)
	for name, tt := range map[string]struct {
		value   any
		refused bool
	}{
		"as deep as allowed":    {deep(10), false},
		"one deeper":            {[]any{deep(10)}, true},
		"deep":                  {deep(1 << 14), true},
		"as many as allowed":    {many[1:], false},
		"one more":              {many, true},
		"many in a value's key": {map[string]any{"a": many[:6_000], "b": many[:6_000]}, true},
	} {
		_, errs := p.Prepare(view, Request{Query: "query($a:Any){echo(a:$a)}", Variables: map[string]any{"a": tt.value}})
		if tt.refused != (len(errs) == 1 && errs[0].Extensions["code"] == CodeVariablesTooLarge) || !tt.refused && errs != nil {
			t.Errorf("%s: %v", name, errs)
		}
	}
}

func TestErrorsAreFewAndDifferent(t *testing.T) {
	p, view := testPreparer(t), testView(t, "v")
	_, errs := p.Prepare(view, Request{Query: "{...A} fragment A on Query{...B} fragment B on Query{...C} fragment C on Query{nope}"})
	if len(errs) != 1 {
		t.Errorf("one mistake three fragments deep is told as %v", errs)
	}
	for n := 19; n <= 22; n++ {
		_, errs := p.Prepare(view, Request{Query: "{" + joined(n, "nope%d ") + "}"})
		if want := min(n, 21); len(errs) != want {
			t.Errorf("%d mistakes are told in %d errors, want %d", n, len(errs), want)
		} else if further := strings.Contains(errs[want-1].Message, "further errors"); further != (n > 20) {
			t.Errorf("the last of %d: %v", n, errs[want-1])
		}
	}
	_, errs = p.Prepare(view, Request{Query: "{me{nam}}"})
	if len(errs) != 1 || !strings.Contains(errs[0].Message, `"name"`) {
		t.Errorf("no suggestion: %v", errs)
	}
}

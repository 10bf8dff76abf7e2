package operation

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"
)

// answering is an executor that always gives the same.
type answering string

func (a answering) Execute(context.Context, *Prepared, Denied) *Result {
	return &Result{Data: []byte(a), Finished: true}
}

func TestAnswersHoldTheValuesOfTheView(t *testing.T) {
	views := testViews(t, ViewsConfig{})
	for _, tt := range []struct{ query, whole, version1 string }{
		{"{ colour }", `{"colour":"LIME"}`, `{"colour":"GREEN"}`},
		{"{ colour }", `{"colour":"RED"}`, `{"colour":"RED"}`},
		{"{ colour }", `{"colour":null}`, `{"colour":null}`},
		{"{ colour }", `null`, `null`},
		{"{ c: colour colour: wish }", `{"c":"LIME","colour":"LIME"}`, `{"c":"GREEN","colour":"LIME"}`},
		{"{ colours }", `{"colours":[["LIME","RED"],[],null,["LIME"]]}`, `{"colours":[["GREEN","RED"],[],null,["GREEN"]]}`},
		{
			"{ any { ... on Cat { name colour self { ...F } } ... on Dog { tags colour } } } fragment F on Cat { name k: colour }",
			`{"any":{"name":"LIME","colour":"LIME","self":{"name":"a\"LIME\\","k":"LIME"}}}`,
			`{"any":{"name":"LIME","colour":"GREEN","self":{"name":"a\"LIME\\","k":"GREEN"}}}`,
		},
		{"{ any { ... on Cat { self { self { name } } } ... on Dog { colour } } }", `{"any":{"self":{"self":{"name":"{\"colour\":[\"LIME\"]}"}}}}`, `{"any":{"self":{"self":{"name":"{\"colour\":[\"LIME\"]}"}}}}`},
	} {
		for version, want := range map[string]string{"1": tt.version1, "2": tt.whole} {
			by := ByView{version: answering(tt.whole)}
			if got := by.Execute(t.Context(), prepareIn(t, views, version, tt.query, nil), nil); string(got.Data) != want {
				t.Errorf("%s in version %s: %s, want %s", tt.query, version, got.Data, want)
			}
		}
	}
}

func TestWhatTheViewLacksHasItsDefault(t *testing.T) {
	views := testViews(t, ViewsConfig{})
	arguments := func(version string) map[string]any {
		op := prepareIn(t, views, version, "{ colours }", nil)
		return op.Operation.SelectionSet[0].(interface {
			ArgumentMap(map[string]any) map[string]any
		}).ArgumentMap(nil)
	}
	if one, two := arguments("1"), arguments("2"); !reflect.DeepEqual(one, two) || len(one) != 1 {
		t.Errorf("the resolver gets %v in version 1, and %v in version 2", one, two)
	}
}

// FuzzFit holds that whatever JSON comes by stays as it is where nothing has to be replaced, and stays JSON where something has.
func FuzzFit(f *testing.F) {
	for _, seed := range []string{`{"a":"LIME","b":[{"a":"LIME"}]}`, `[[],{},"\\\"",-1e3,true,null]`, `"LIME"`, `{"a":{"a":["x","LIME"]},"":{}}`} {
		f.Add([]byte(seed))
	}
	colour := &fitting{values: map[string]string{"LIME": "GREEN"}}
	colour.members = map[string]*fitting{"a": colour, "b": {members: map[string]*fitting{"a": colour}}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var value any
		if json.Unmarshal(raw, &value) != nil {
			return
		}
		compact, _ := json.Marshal(value)
		for _, at := range []*fitting{nil, {}, {members: map[string]*fitting{"c": colour}}} {
			if got, rest := at.apply(nil, compact); at == nil && string(got) != string(compact) || len(rest) > 0 {
				t.Fatalf("%s became %s, and %s is left", compact, got, rest)
			}
		}
		got, rest := colour.apply(nil, compact)
		if !json.Valid(got) || len(rest) > 0 {
			t.Fatalf("%s became %s, and %s is left", compact, got, rest)
		}
	})
}

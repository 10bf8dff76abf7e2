package operation

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/limit"
	"tributary/internal/version"
)

const versioned = version.Directives + limit.Directives + `
extend schema @version(number: 1, released: "2026-01-01") @version(number: 2, released: "2026-02-01") @version(number: 3, released: "2026-03-01")
type Query {
  old(first: Int = 2 @deprecated(reason: "All come.") @sunset(at: "2026-07-01")): Int @until(version: 1) @deprecated(reason: "Use new.") @sunset(at: "2026-06-01", announced: "2026-01-15") @cost(weight: "7")
  new: Int @since(version: 2)
  wish(w: Wish, c: Colour, l: [[Wish]]): String
  colour: Colour
  colours(n: Int! = 4 @since(version: 2)): [[Colour]]
  any: Any
}
input Wish { x: Int @deprecated  inner: [Wish!]  c: Colour }
enum Colour { RED  GREEN @deprecated  LIME @since(version: 2) @fallback(value: "GREEN") }
union Any = Cat | Dog
type Cat { colour: Colour  self: Cat  name: String }
type Dog { colour: Colour  tags: String }
`

var spring = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)

func testViews(t testing.TB, c ViewsConfig) *Views {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: versioned})
	if err != nil {
		t.Fatal(err)
	}
	if c.Now == nil {
		c.Now = func() time.Time { return spring }
	}
	views, err := NewViews(schema, c)
	if err != nil {
		t.Fatal(err)
	}
	return views
}

func TestChoose(t *testing.T) {
	ends := map[string]time.Time{"1": spring.Add(-time.Hour)}
	ended, all := testViews(t, ViewsConfig{Sunsets: ends}), testViews(t, ViewsConfig{})
	pinned := testViews(t, ViewsConfig{Default: 2})
	for name, tt := range map[string]struct {
		views  *Views
		asked  Asked
		view   string
		code   string
		status int
	}{
		"nothing":                      {all, Asked{}, "1", "", 0},
		"nothing, the oldest has gone": {ended, Asked{}, "2", "", 0},
		"nothing, by default":          {pinned, Asked{}, "2", "", 0},
		"a path":                       {all, Asked{Path: "v2"}, "2", "", 0},
		"a header":                     {all, Asked{Header: "2"}, "2", "", 0},
		"a header with a v":            {all, Asked{Header: "v2"}, "2", "", 0},
		"Accept":                       {all, Asked{Accept: "3"}, "3", "", 0},
		"the query string":             {all, Asked{Query: "3"}, "3", "", 0},
		"a pin":                        {all, Asked{Pin: "2"}, "2", "", 0},
		"a pin and the default":        {pinned, Asked{Pin: "3"}, "3", "", 0},
		"a pin and a path":             {all, Asked{Path: "v1", Pin: "2"}, "1", "", 0},
		"all of one mind":              {all, Asked{Path: "v2", Header: "2", Accept: "2", Query: "2", Pin: "3"}, "2", "", 0},
		"path and header disagree":     {all, Asked{Path: "v2", Header: "1"}, "", CodeVersionConflict, http.StatusBadRequest},
		"Accept and query disagree":    {all, Asked{Accept: "2", Query: "3"}, "", CodeVersionConflict, http.StatusBadRequest},
		"an unknown path":              {all, Asked{Path: "v9"}, "", CodeVersionUnknown, http.StatusNotFound},
		"an unknown header":            {all, Asked{Header: "9"}, "", CodeVersionUnknown, http.StatusBadRequest},
		"no number":                    {all, Asked{Query: "latest"}, "", CodeVersionUnknown, http.StatusBadRequest},
		"two in one header":            {all, Asked{Header: "1, 2"}, "", CodeVersionConflict, http.StatusBadRequest},
		"one twice":                    {all, Asked{Query: "2,v2"}, "2", "", 0},
		"just a v":                     {all, Asked{Header: "v"}, "", CodeVersionUnknown, http.StatusBadRequest},
		"a padded number":              {all, Asked{Path: "v01"}, "", CodeVersionUnknown, http.StatusNotFound},
		"one that has ended":           {ended, Asked{Path: "v1"}, "", CodeVersionSunset, http.StatusGone},
		"a pin to one that has ended":  {ended, Asked{Pin: "1"}, "", CodeVersionSunset, http.StatusGone},
	} {
		t.Run(name, func(t *testing.T) {
			view, wrong := tt.views.Choose(tt.asked)
			if (view == nil) == (wrong == nil) || view != nil && view.Name != tt.view || wrong != nil && (wrong.Code != tt.code || wrong.Status != tt.status) {
				t.Fatalf("got %v, %+v", view, wrong)
			}
			if wrong != nil && strings.Contains(wrong.Message, "latest") {
				t.Errorf("the message quotes the request: %s", wrong.Message)
			}
			if tt.code == CodeVersionSunset && (len(wrong.Header) != 4 || !strings.Contains(wrong.Message, "2, 3")) {
				t.Errorf("whoever comes too late gets %v, %v", wrong.Header, wrong.Message)
			}
		})
	}
	if ended.Supports(1) == nil || ended.Supports(2) != nil || ended.Supports(4) == nil {
		t.Error("a pin must be to a version that has not ended")
	}
}

func TestViewsThatCannotBe(t *testing.T) {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: versioned})
	for says, c := range map[string]ViewsConfig{
		"no version 4":     {Default: 4},
		"it has ended":     {Default: 1, Sunsets: map[string]time.Time{"1": spring.AddDate(-0, -2, 0)}, Now: func() time.Time { return spring }},
		`no version "9"`:   {Sunsets: map[string]time.Time{"9": spring}},
		"ends before":      {Sunsets: map[string]time.Time{"2": spring.AddDate(-1, 0, 0)}},
		"Query.nonsense":   {Weights: map[string]float64{"Query.nonsense": 2}},
		"Query.old(last:)": {Weights: map[string]float64{"Query.old(last:)": 2}},
	} {
		if _, err := NewViews(schema, c); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
}

func prepareIn(t testing.TB, views *Views, version, query string, variables map[string]any) *Prepared {
	t.Helper()
	prepared, errs := testPreparer(t).Prepare(views.Named(version), Request{Query: query, Variables: variables})
	if errs != nil {
		t.Fatal(errs)
	}
	return prepared
}

func TestWeightsCountWhereTheyAre(t *testing.T) {
	views := testViews(t, ViewsConfig{Weights: map[string]float64{"Query.old": 5, "Query.new": 3, "Query.old(first:)": 2}})
	if cost := prepareIn(t, views, "1", "{ old(first: 1) }", nil).Cost.Estimate(nil); cost != 7 {
		t.Errorf("version 1: %d points", cost)
	}
	if cost := prepareIn(t, views, "2", "{ new }", nil).Cost.Estimate(nil); cost != 3 {
		t.Errorf("version 2: %d points", cost)
	}
}

func TestEachVersionTakesItsOwn(t *testing.T) {
	views, p := testViews(t, ViewsConfig{}), testPreparer(t)
	for query, takes := range map[string]string{
		"{ old }": "1", "{ new }": "23", "{ old(first: 3) }": "1", "{ colours(n: 1) }": "23", "{ wish(c: LIME) }": "23", "{ wish(c: GREEN) }": "123",
		"query($c: Colour = LIME) { wish(c: $c) }": "23", `{ __type(name: "Query") { name } }`: "123", "{ any { ... on Cat { name } } }": "123",
	} {
		for _, view := range views.All() {
			for range 2 { // from the cache too
				_, errs := p.Prepare(view, Request{Query: query})
				if (errs == nil) != strings.Contains(takes, view.Name) {
					t.Errorf("%s in version %s: %v", query, view.Name, errs)
				}
			}
		}
	}
}

func TestDeprecationsAreFound(t *testing.T) {
	views := testViews(t, ViewsConfig{})
	wish := func(w any) map[string]any { return map[string]any{"w": w} }
	for _, tt := range []struct {
		version, query string
		variables      map[string]any
		want           string
	}{
		{"1", "{ colour }", nil, ""},
		{"1", "{ old }", nil, "Query.old"},
		{"1", "{ a: old(first: 1) ...F } fragment F on Query { old }", nil, "Query.old Query.old(first:)"},
		{"1", "{ ... on Query { ...F } } fragment F on Query { old }", nil, "Query.old"},
		{"1", "query A { colour } ", nil, ""},
		{"2", "{ new wish(w: {inner: [{x: 1}]}) }", nil, "Wish.x"},
		{"2", "{ wish(w: {c: GREEN}) }", nil, "Colour.GREEN"},
		{"2", "{ wish(c: GREEN) }", nil, "Colour.GREEN"},
		{"2", "{ wish(c: RED) }", nil, ""},
		{"2", "query($w: Wish) { wish(w: $w) }", wish(map[string]any{"inner": []any{map[string]any{"c": "GREEN", "x": int64(2)}}}), "Colour.GREEN Wish.x"},
		{"2", "query($w: Wish) { wish(w: $w) }", wish(map[string]any{"inner": nil}), ""},
		{"2", "query($w: [[Wish]]) { wish(l: $w) }", wish([]any{[]any{map[string]any{"x": int64(2)}, nil}}), "Wish.x"},
		{"2", "query($w: Colour = GREEN) { wish(c: $w) }", nil, "Colour.GREEN"},
		{"2", "query($w: Colour = GREEN) { wish(c: $w) }", wish("RED"), ""},
	} {
		got := strings.Join(prepareIn(t, views, tt.version, tt.query, tt.variables).Deprecations(), " ")
		if got != tt.want {
			t.Errorf("%s with %v: %q, want %q", tt.query, tt.variables, got, tt.want)
		}
	}
}

func TestWhatIsTold(t *testing.T) {
	views := testViews(t, ViewsConfig{Sunsets: map[string]time.Time{"3": time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}})
	told := func(version, query string) (string, string) {
		result := &Result{Extensions: map[string]any{"cost": 1}, Header: []Field{{"RateLimit", "x"}}}
		before := result.Extensions
		prepareIn(t, views, version, query, nil).tell(result)
		if len(before) != 1 || result.Header[0].Name != "RateLimit" {
			t.Error("others may have the same extensions")
		}
		var fields []string
		for _, f := range result.Header[1:] {
			fields = append(fields, f.Name+": "+f.Value)
		}
		raw, _ := result.Extensions["deprecations"].(interface{ MarshalJSON() ([]byte, error) })
		if raw == nil {
			return strings.Join(fields, "\n"), ""
		}
		text, _ := raw.MarshalJSON()
		return strings.Join(fields, "\n"), string(text)
	}
	header, notes := told("1", "{ old(first: 1) }")
	if header != "Deprecation: @1767225600\nLink: </versions>; rel=\"deprecation\"; type=\"application/json\"\nSunset: Mon, 01 Jun 2026 00:00:00 GMT\nLink: </versions>; rel=\"sunset\"; type=\"application/json\"" ||
		notes != `[{"coordinate":"Query.old","reason":"Use new.","sunset":"2026-06-01"},{"coordinate":"Query.old(first:)","reason":"All come.","sunset":"2026-07-01"}]` {
		t.Errorf("got %s\n%s", header, notes)
	}
	if header, notes = told("2", "{ new }"); header+notes != "" {
		t.Errorf("nothing is deprecated there: %s %s", header, notes)
	}
	if header, notes = told("3", "{ new }"); !strings.Contains(header, "Sunset: Fri, 01 Jan 2027") || notes != "" {
		t.Errorf("a version that ends says so in every answer: %s %s", header, notes)
	}
}

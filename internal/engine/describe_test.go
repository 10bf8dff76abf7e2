package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

func TestDescribe(t *testing.T) {
	z := newZoo(t, nil)
	for name, c := range map[string]struct {
		query string
		vars  map[string]any
		want  string
	}{
		"ways":        {`{a{id slow sound home{weight}}}`, nil, "a/1>Animal{id/0 slow/1 sound/2 home/0>Stone{weight/0}}"},
		"lists":       {`{all{x: young{__typename}}}`, nil, "all/1[]>Animal{x/2[]>Animal{__typename/0}}"},
		"interface":   {`{node{id ...on Animal{name}}}`, nil, "node/1>Animal{id/0 name/0}Stone{id/0}"},
		"one member":  {`{things{...on Stone{weight}}}`, nil, "things/1[]>Stone{weight/0}"},
		"conditions":  {`query($x: Boolean!){a{id @include(if: $x) name @skip(if: $x)}}`, map[string]any{"x": true}, "a/1>Animal{id/0}"},
		"left open":   {`query($x: Boolean!){a{id @include(if: $x) name @skip(if: $x)}}`, nil, "a/1>Animal{id/0 name/0}"},
		"one by one":  {`mutation{set(n: 1){id}}`, nil, "serial set/1>Animal{id/0}"},
		"merged keys": {`{a{mate{id}} a{mate{nick}}}`, nil, "a/1>Animal{mate/2>Animal{id/0 nick/0}}"},
	} {
		doc := gqlparser.MustLoadQueryWithRules(z.schema, c.query, rules.NewDefaultRules())
		d, err := Describe(z.Tables, doc.Operations[0], c.vars)
		if err != nil {
			t.Fatal(err)
		}
		got := described(d.Places)
		if d.Serial {
			got = "serial " + got
		}
		if got != c.want || d.Cut {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestDescriptionsEnd(t *testing.T) {
	z := newZoo(t, nil)
	query := "{node{id" + strings.Repeat("...on Animal{seen{id", 12) + strings.Repeat("}}", 12) + "}}"
	wide := "{"
	for i := range 1200 {
		wide += fmt.Sprintf("n%d: node{id}", i)
	}
	for text, cut := range map[string]bool{query: false, wide + "}": true} {
		d, err := Describe(z.Tables, gqlparser.MustLoadQueryWithRules(z.schema, text, rules.NewDefaultRules()).Operations[0], nil)
		if err != nil || d.Cut != cut {
			t.Errorf("%.60s: cut %v, %v", text, d.Cut, err)
		}
	}
}

func described(places []Place) string {
	var texts []string
	for _, p := range places {
		text := fmt.Sprintf("%s/%d", p.Key, p.Way)
		if p.List {
			text += "[]"
		}
		if p.Type != "" {
			text += ">"
		}
		for _, branch := range p.Below {
			text += branch.Type + "{" + described(branch.Places) + "}"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

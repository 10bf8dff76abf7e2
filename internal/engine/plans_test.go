package engine

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestSelections(t *testing.T) {
	mate := animal("m", fields{"name": "M", "mate": animal("mm")})
	for name, c := range map[string]struct{ query, data string }{
		"aliases":          {`{x: a{y: id z: id id}}`, `{"x":{"y":"1","z":"1","id":"1"}}`},
		"merged fields":    {`{a{id mate{id}} a{name mate{name}} ...Q} fragment Q on Query{a{id mate{mate{id}}}}`, `{"a":{"id":"1","mate":{"id":"m","name":"M","mate":{"id":"mm"}},"name":"A"}}`},
		"fragments":        {`{a{...F ...F ... {nick} ...on Node{...F}}} fragment F on Named{name id}`, `{"a":{"name":"A","id":"1","nick":"n1"}}`},
		"__typename":       {`{__typename t: __typename a{__typename mate{t: __typename}}}`, `{"__typename":"Query","t":"Query","a":{"__typename":"Animal","mate":{"t":"Animal"}}}`},
		"literal @skip":    {`{a{id @skip(if: true) name @include(if: false) nick @skip(if: false) @include(if: true)}}`, `{"a":{"nick":"n1"}}`},
		"@skip in merging": {`{a{id @skip(if: true) name id}}`, `{"a":{"name":"A","id":"1"}}`},
		"nothing left":     {`{a @skip(if: true) {id}}`, `{}`},
		"an empty object":  {`{a{id @skip(if: true)}}`, `{"a":{}}`},
	} {
		t.Run(name, func(t *testing.T) {
			z := newZoo(t, fields{"a": animal("1", fields{"name": "A", "mate": mate})})
			z.expect(t, Run{}, c.query, nil, c.data, "")
		})
	}
}

func TestMergedFieldsAreCalledOnce(t *testing.T) {
	z := newZoo(t, fields{"a": animal("1", fields{"mate": animal("2")})})
	calls := 0
	z.singles["Query.a"] = func(context.Context, any, map[string]any) (any, error) {
		calls++
		return z.root.fields["a"], nil
	}
	z.run(t, Run{}, `{a{mate{id}} a{mate{nick}} ...on Query{a{mate{name}}}}`, nil)
	if calls != 1 || len(z.sizes["Animal.mate"]) != 1 {
		t.Errorf("Query.a was called %d times, Animal.mate for %v", calls, z.sizes["Animal.mate"])
	}
}

func TestOutcomes(t *testing.T) {
	z := newZoo(t, fields{"a": animal("1", fields{"name": "A"})})
	const query = `query($x: Boolean!, $y: Boolean! = true){a{id @include(if: $x) ...F @skip(if: $y) ...on Animal @include(if: $x){nick}}} fragment F on Named{name @skip(if: $x)}`
	for x, byY := range map[bool]map[bool]string{
		true:  {true: `{"a":{"id":"1","nick":"n1"}}`, false: `{"a":{"id":"1","nick":"n1"}}`},
		false: {true: `{"a":{}}`, false: `{"a":{"name":"A"}}`},
	} {
		for y, want := range byY {
			z.expect(t, Run{}, query, fields{"x": x, "y": y}, want, "")
		}
	}
	plans, _ := z.plans(t, query, fields{"x": true})
	seen := map[*Plan]bool{}
	for _, vars := range []fields{{"x": true, "y": true}, {"x": true, "y": false}, {"x": true, "y": true, "other": 1}, {"x": false}, {"x": false, "y": false}} {
		plan, err := plans.For(vars)
		if err != nil {
			t.Fatal(err)
		}
		seen[plan] = true
	}
	if len(seen) != 3 { // a variable that is not given is as false
		t.Errorf("%d plans for 3 outcomes", len(seen))
	}
}

// The plans of an operation are bounded, and those past the bound are right too.
func TestOutcomesAreBounded(t *testing.T) {
	z := newZoo(t, fields{"a": animal("1")})
	var parameters, selected strings.Builder
	for i := range 70 { // more than the key has room for on the stack
		fmt.Fprintf(&parameters, "$v%d: Boolean! = false ", i)
		fmt.Fprintf(&selected, "i%d: id @include(if: $v%d) ", i, i)
	}
	plans, vars := z.plans(t, "query("+parameters.String()+"){a{"+selected.String()+"}}", nil)
	var planning sync.WaitGroup
	for i := range 70 {
		planning.Go(func() {
			own := fields{}
			for name, value := range vars {
				own[name] = value
			}
			own[fmt.Sprintf("v%d", i)] = true
			plan, err := plans.For(own)
			if err != nil {
				t.Error(err)
				return
			}
			own["late"] = true // the plan keeps no hold of the variables
			if got, want := string(plan.Execute(inOperation(t.Context(), own), Run{Vars: own})), fmt.Sprintf(`{"a":{"i%d":"1"}}`, i); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if len(plan.vars) != 70 {
				t.Errorf("the plan keeps %d variables", len(plan.vars))
			}
		})
	}
	planning.Wait()
	if len(plans.plans) != maxOutcomes {
		t.Errorf("%d plans are kept, want %d", len(plans.plans), maxOutcomes)
	}
}

// Arguments without variables are coerced once for all runs of a plan, and others in each.
func TestArguments(t *testing.T) {
	for name, c := range map[string]struct {
		query   string
		vars    fields
		want    string
		coerced int
	}{
		"defaults":           {`{sum}`, nil, "map[a:1]", 1},
		"literals":           {`{sum(a: 2, b: [3, 4], c: {x: 5})}`, nil, "map[a:2 b:[3 4] c:map[x:5]]", 1},
		"a variable":         {`query($n: Int!){sum(a: $n)}`, fields{"n": 7}, "map[a:7]", 3},
		"one deep in others": {`query($n: Int!){sum(b: [1, $n])}`, fields{"n": 7}, "map[a:1 b:[1 7]]", 3},
		"one in an object":   {`query($n: Int){sum(c: {y: $n})}`, fields{"n": 7}, "map[a:1 c:map[y:7]]", 3},
		"one left out":       {`query($n: Int){sum(c: {y: $n})}`, fields{}, "map[a:1 c:map[]]", 3},
	} {
		t.Run(name, func(t *testing.T) {
			z := newZoo(t, nil)
			var got string
			z.singles["Query.sum"] = func(_ context.Context, _ any, args map[string]any) (any, error) {
				got = fmt.Sprint(args)
				return 1, nil
			}
			plans, vars := z.plans(t, c.query, c.vars)
			for range 3 {
				plan, err := plans.For(vars)
				if err != nil {
					t.Fatal(err)
				}
				plan.Execute(inOperation(t.Context(), vars), Run{Vars: vars})
			}
			if got != c.want || z.coerced["Query.sum"] != c.coerced {
				t.Errorf("%s, coerced %d times; want %s, %d times", got, z.coerced["Query.sum"], c.want, c.coerced)
			}
		})
	}
}

// Runs of one plan share nothing but what is read, however many there are at once.
func TestRunsSideBySide(t *testing.T) {
	z := newZoo(t, fields{"nodes": []any{animal("1", fields{"mate": animal("2"), "name": "A"}), stone("3", 4)}})
	plans, _ := z.plans(t, `query($l: Int){nodes{id ...on Animal{sound(loud: $l) mate{nick cry}} ...on Stone{weight}}}`, nil)
	z.batches["Animal.sound"] = func(_ context.Context, objs []any, args map[string]any) ([]any, error) {
		return []any{args["loud"]}[:len(objs)], nil
	}
	z.batches["Animal.cry"] = func(_ context.Context, objs []any, _ map[string]any) ([]any, error) {
		return []any{strings.Repeat("w", 2000)}[:len(objs)], nil
	}
	var running sync.WaitGroup
	for i := range 20 {
		running.Go(func() {
			vars := fields{"l": i}
			plan, err := plans.For(vars)
			if err != nil {
				t.Error(err)
				return
			}
			data := plan.Execute(inOperation(t.Context(), vars), Run{Vars: vars})
			want := fmt.Sprintf(`{"nodes":[{"id":"1","sound":%d,"mate":{"nick":"n2","cry":%q}},{"id":"3","weight":4}]}`, i, strings.Repeat("w", 2000))
			if string(data) != want {
				t.Errorf("%s", data)
			}
		})
	}
	running.Wait()
}

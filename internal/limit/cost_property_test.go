package limit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"pgregory.net/rapid"
)

// TestActualIsAtMostEstimate draws operations and answers to them whose lists are no longer than their sizes. The estimate must
// be that of the reference, which compiles and shares nothing.
func TestActualIsAtMostEstimate(t *testing.T) {
	schema := loadSchema(t, costSchema)
	model, err := NewModel(schema, nil)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		query := `query Q($a: Boolean!, $b: Boolean!, $n: Int, $f: Filter){` + drawSet(t, "Query", 4) + `}`
		for _, fragment := range []string{"User", "Post", "Node"} {
			query += fmt.Sprintf(" fragment On%s on %s{%s}", fragment, fragment, drawSet(t, fragment, 0))
		}
		variables := vars{
			"a": rapid.Bool().Draw(t, "a"), "b": rapid.Bool().Draw(t, "b"), "n": int64(rapid.IntRange(0, 3).Draw(t, "n")),
			"f": vars{"approximate": true, "and": []any{vars{"text": "x"}}},
		}
		doc, err := parser.ParseQuery(&ast.Source{Input: query})
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		plan, err := model.Plan(doc, doc.Operations[0])
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		answer := &answer{T: t, schema: schema, doc: doc, variables: variables}
		data := answer.object(schema.Query, []ast.SelectionSet{doc.Operations[0].SelectionSet}, nil, 0, -1)
		if want, got := answer.reference(schema.Query, []ast.SelectionSet{doc.Operations[0].SelectionSet}, 0).points(), plan.Estimate(variables); got != want {
			t.Fatalf("%s\nestimate %d, want %d", query, got, want)
		}
		estimate, actual := plan.Estimate(variables), plan.Actual(variables, []byte(data), answer.failures)
		if actual < 0 || actual > estimate {
			t.Fatalf("%s\nreturned %s\nfailed %v\nactual %d, estimate %d", query, data, answer.failures, actual, estimate)
		}
		if again := plan.Actual(variables, []byte(data), answer.failures); again != actual || plan.Estimate(variables) != estimate {
			t.Fatalf("%s costs %d, then %d", query, actual, again)
		}
		counted, ok := plan.Counted(variables, len(answer.places), func(i int) Place { return answer.places[i] })
		if ok && len(answer.failures) == 0 && counted != actual {
			t.Fatalf("%s\nreturned %s\n%d by counts of %v, %d by the answer", query, data, counted, answer.places, actual)
		}
		if !json.Valid([]byte(data)) {
			t.Fatalf("the test wrote bad JSON: %s", data)
		}
	})
}

// selectable is what may be selected on a type; … stands for a selection set on the type that follows. A response key always means the
// same.
var selectable = map[string][]string{
	"Query": {`__typename`, `node(id: "x")…Node`, `nodes(ids: ["x", "y"])…Node`, `things…Thing`, `user…User`, `users3: users(max: 3)…User`,
		`usersN: users(max: $n)…User`, `all…User`, `matrix…User`, `search(filter: $f)`, `blobs`, `__schema…__Schema`},
	"Node":           {`__typename`, `id`, `...on User…User`, `...on Post…Post`, `...on Robot…Robot`, `...OnNode`},
	"Thing":          {`__typename`, `...on User…User`, `...on Post…Post`, `...on Robot…Robot`, `...on Node…Node`, `...OnUser`},
	"User":           {`id`, `name`, `age`, `mood`, `best…User`, `friends2: friends(first: 2)…User`, `posts3: posts(first: 3)…PostConnection`, `postsN: posts(last: $n)…PostConnection`, `drafts…Post`, `...OnUser`, `...OnNode`},
	"Post":           {`id`, `title`, `tags`, `author…User`, `similar…Post`, `...OnPost`},
	"Robot":          {`id`, `name`, `serial`, `...OnNode`},
	"PostConnection": {`nodes…Post`, `edges…PostEdge`, `totalCount`, `pageInfo…PageInfo`},
	"PageInfo":       {`more`},
	"__Schema":       {`description`},
	"PostEdge":       {`cursor`, `node…Post`},
}

// drawSet draws a selection set, without fragments and anything below where no level is left.
func drawSet(t *rapid.T, on string, levels int) string {
	var set []string
	for range rapid.IntRange(1, 5).Draw(t, "fields") {
		selection, below, nested := strings.Cut(rapid.SampledFrom(selectable[on]).Draw(t, "field"), "…")
		if levels == 0 && (nested || strings.HasPrefix(selection, "...")) {
			continue
		}
		selection += rapid.SampledFrom([]string{"", "", "", " @include(if: $a)", " @skip(if: $b)", " @skip(if: false)"}).Draw(t, "directive")
		if nested {
			selection += "{" + drawSet(t, below, levels-1) + "}"
		}
		set = append(set, selection)
	}
	return strings.Join(append(set, "__typename @include(if: $b)"), " ")
}

// answer draws what an executor might return.
type answer struct {
	*rapid.T
	schema    *ast.Schema
	doc       *ast.QueryDocument
	variables vars
	failures  []Failure
	places    []Place
}

// object writes an object; size is what the lists of a connection have.
func (a *answer) object(on *ast.Definition, sets []ast.SelectionSet, path ast.Path, size int64, above int) string {
	place := a.count(above, lastName(path), on.Name)
	var keys []string
	fields := map[string][]*ast.Field{}
	for _, set := range sets {
		a.collect(on, set, &keys, fields)
	}
	members := make([]string, len(keys))
	for i, key := range keys {
		members[i] = fmt.Sprintf("%q:%s", key, a.field(on, fields[key], append(path[:len(path):len(path)], ast.PathName(key)), size, place))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (a *answer) collect(on *ast.Definition, set ast.SelectionSet, keys *[]string, fields map[string][]*ast.Field) {
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.Field:
			if a.included(selection.Directives) {
				if fields[selection.Alias] == nil {
					*keys = append(*keys, selection.Alias)
				}
				fields[selection.Alias] = append(fields[selection.Alias], selection)
			}
		case *ast.InlineFragment:
			if a.included(selection.Directives) && a.applies(on, selection.TypeCondition) {
				a.collect(on, selection.SelectionSet, keys, fields)
			}
		case *ast.FragmentSpread:
			if fragment := a.doc.Fragments.ForName(selection.Name); a.included(selection.Directives) && a.applies(on, fragment.TypeCondition) {
				a.collect(on, fragment.SelectionSet, keys, fields)
			}
		}
	}
}

func (a *answer) included(directives ast.DirectiveList) bool {
	for _, directive := range directives {
		value, _ := directive.Arguments[0].Value.Value(a.variables)
		if value.(bool) != (directive.Name == "include") {
			return false
		}
	}
	return true
}

func (a *answer) applies(on *ast.Definition, condition string) bool {
	for _, possible := range a.schema.GetPossibleTypes(a.schema.Types[condition]) {
		if possible.Name == on.Name {
			return true
		}
	}
	return false
}

func (a *answer) field(on *ast.Definition, fields []*ast.Field, path ast.Path, size int64, place int) string {
	field := fields[0]
	switch field.Name {
	case "__typename":
		return fmt.Sprintf("%q", on.Name)
	case "__schema":
		a.count(place, field.Alias, "__Schema")
		return `{"description":"x"}`
	}
	most := a.sliced(field, map[string]int64{"things": 2, "all": 3, "matrix": 2, "similar": 3, "drafts": 3, "tags": 3, "search": 3, "blobs": 8}, size)
	return a.value(on.Fields.ForName(field.Name).Type, below(fields), path, most, place)
}

// lastName is the response key that a path leads to.
func lastName(path ast.Path) string {
	for i := len(path) - 1; i >= 0; i-- {
		if name, ok := path[i].(ast.PathName); ok {
			return string(name)
		}
	}
	return ""
}

// count counts an object at its place, which it finds or makes.
func (a *answer) count(above int, key, typeName string) int {
	i := slices.IndexFunc(a.places, func(p Place) bool { return p.Above == above && p.Key == key && p.Type == typeName })
	if i < 0 {
		i = len(a.places)
		a.places = append(a.places, Place{Above: above, Key: key, Type: typeName})
	}
	a.places[i].Objects++
	return i
}

func (a *answer) value(t *ast.Type, sets []ast.SelectionSet, path ast.Path, most int64, above int) string {
	if rapid.IntRange(0, 7).Draw(a.T, "null") == 0 {
		if rapid.Bool().Draw(a.T, "fails") {
			below := append(path[:len(path):len(path)], at("some", 1, "field")[:rapid.IntRange(0, 3).Draw(a.T, "depth")]...)
			a.failures = append(a.failures, Failure{below, rapid.Bool().Draw(a.T, "free")})
		}
		return "null"
	}
	if t.Elem != nil {
		elements := make([]string, rapid.Int64Range(0, most).Draw(a.T, "elements"))
		for i := range elements {
			elements[i] = a.value(t.Elem, sets, append(path[:len(path):len(path)], ast.PathIndex(i)), most, above)
		}
		return "[" + strings.Join(elements, ",") + "]"
	}
	def := a.schema.Types[t.NamedType]
	if def.IsLeafType() {
		return rapid.SampledFrom([]string{`"x"`, `"\"}"`, `17`, `true`}).Draw(a.T, "leaf")
	}
	return a.object(rapid.SampledFrom(a.schema.GetPossibleTypes(def)).Draw(a.T, "type"), sets, path, most, above)
}

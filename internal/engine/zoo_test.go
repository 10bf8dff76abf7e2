package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

// zooSchema says with each field how it is come by; a field that says nothing stands in its object.
const zooSchema = `
directive @resolve on FIELD_DEFINITION
directive @batch on FIELD_DEFINITION
type Query {
  a: Animal @resolve
  keyed(id: ID): Animal @resolve
  sure: Animal! @resolve
  list: [Animal] @resolve
  full: [Animal!] @resolve
  some: [Animal]! @resolve
  all: [Animal!]! @resolve
  nodes: [Node] @resolve
  things: [Thing!] @resolve
  node: Node @resolve
  must: Node! @resolve
  sum(a: Int! = 1, b: [Int!], c: Pair): Int @resolve
}
type Mutation { set(n: Int!): Animal @resolve force(n: Int!): Animal! @resolve }
interface Node { id: ID! }
interface Named implements Node { id: ID! name: String }
type Animal implements Node & Named {
  id: ID! name: String
  nick: String!
  slow: String @resolve
  sound(loud: Int): String @batch
  cry: String! @batch
  mate: Animal @batch
  parent: Animal! @batch
  young: [Animal!] @batch
  pack: [Animal]! @batch
  home: Stone
  stones: [Stone!]!
  bits: [Stone]
  seen: Node @batch
}
type Stone implements Node { id: ID! weight: Int! of: Animal @batch }
union Thing = Animal | Stone
input Pair { x: Int y: Int }
`

// thing is an object of the zoo. A field that holds an error fails, one that holds a boom panics.
type thing struct {
	typ    string
	fields map[string]any
}

type boom string

func (o *thing) read(name string) (any, error) {
	switch v := o.fields[name].(type) {
	case error:
		return nil, v
	case boom:
		panic(string(v))
	default:
		return v, nil
	}
}

type fields = map[string]any

func animal(id string, more ...fields) *thing {
	f := fields{"id": id, "nick": "n" + id}
	for _, m := range more {
		maps.Copy(f, m)
	}
	return &thing{"Animal", f}
}

func stone(id string, weight any) *thing {
	return &thing{"Stone", fields{"id": id, "weight": weight}}
}

// zoo is a world that plans run in: by default a field's value is what stands in its object under its name.
type zoo struct {
	*Tables
	schema  *ast.Schema
	root    *thing
	batches map[string]func(ctx context.Context, objs []any, args map[string]any) ([]any, error) // by Type.field
	singles map[string]func(ctx context.Context, obj any, args map[string]any) (any, error)
	mu      sync.Mutex
	coerced map[string]int // how often the arguments of a field were
	sizes   map[string][]int
}

func newZoo(t testing.TB, root fields) *zoo {
	t.Helper()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: zooSchema})
	z := &zoo{
		schema: schema, root: &thing{"", root}, coerced: map[string]int{}, sizes: map[string][]int{},
		batches: map[string]func(context.Context, []any, map[string]any) ([]any, error){},
		singles: map[string]func(context.Context, any, map[string]any) (any, error){},
	}
	z.Tables = NewTables(slices.Collect(maps.Keys(schema.Types))...)
	for name, def := range schema.Types {
		switch {
		case strings.HasPrefix(name, "__"):
		case def.Kind == ast.Object:
			z.Type(name).Fields = map[string]*Field{}
			for _, f := range def.Fields {
				if !strings.HasPrefix(f.Name, "__") {
					z.Type(name).Fields[f.Name] = z.field(name, f)
				}
			}
		case def.IsAbstractType():
			for _, member := range schema.GetPossibleTypes(def) {
				z.Implement(member.Name, name)
			}
			z.Type(name).Of = func(v any) (*Type, any) {
				if typ := z.Type(v.(*thing).typ); typ != nil {
					return typ, v
				}
				return nil, nil
			}
		}
	}
	return z
}

func (z *zoo) of(obj any) *thing {
	if obj == nil {
		return z.root
	}
	return obj.(*thing)
}

func (z *zoo) field(object string, def *ast.FieldDefinition) *Field {
	name, at := def.Name, object+"."+def.Name
	f := &Field{Object: object, Name: name, NonNull: def.Type.NonNull}
	if def := z.schema.Types[def.Type.Name()]; def.IsCompositeType() {
		f.Type = z.Type(def.Name)
	}
	if def.Type.Elem != nil {
		f.List, f.ElemNonNull = true, def.Type.Elem.NonNull
		f.Items = func(list any, into []any) ([]any, bool) {
			elements := list.([]any)
			return append(into, elements...), elements != nil
		}
	}
	if len(def.Arguments) > 0 {
		f.Args = func(_ context.Context, raw map[string]any) (map[string]any, error) {
			z.mu.Lock()
			defer z.mu.Unlock()
			z.coerced[at]++
			return raw, nil
		}
	}
	switch {
	case def.Directives.ForName("batch") != nil:
		f.Batch = func(ctx context.Context, objs []any, args map[string]any) ([]any, error) {
			return z.batch(ctx, at, name, objs, args)
		}
		f.Value = appendValue
	case def.Directives.ForName("resolve") != nil:
		f.Resolve = func(ctx context.Context, obj any, args map[string]any) (any, error) {
			if call := z.singles[at]; call != nil {
				return call(ctx, obj, args)
			}
			return z.of(obj).read(name)
		}
		f.Value = appendValue
	case f.Type != nil:
		f.Get = func(_ context.Context, obj any, _ map[string]any) (any, error) { return z.of(obj).read(name) }
	default:
		f.Append = func(b []byte, obj any) ([]byte, bool) {
			v, _ := z.of(obj).read(name)
			return appendValue(b, v)
		}
	}
	return f
}

func (z *zoo) batch(ctx context.Context, at, name string, objs []any, args map[string]any) ([]any, error) {
	z.mu.Lock()
	z.sizes[at] = append(z.sizes[at], len(objs))
	z.mu.Unlock()
	if call := z.batches[at]; call != nil {
		return call(ctx, objs, args)
	}
	values, errs, failed := make([]any, len(objs)), make(graphql.BatchErrorList, len(objs)), false
	for i, obj := range objs {
		values[i], errs[i] = z.of(obj).read(name)
		failed = failed || errs[i] != nil
	}
	if failed {
		return values, errs
	}
	return values, nil
}

func appendValue(b []byte, value any) ([]byte, bool) {
	switch v := value.(type) {
	case string:
		return AppendString(b, v), true
	case int:
		return strconv.AppendInt(b, int64(v), 10), true
	case boom:
		panic(string(v))
	}
	return b, false
}

// plans parses and validates an operation; the variables are coerced.
func (z *zoo) plans(t testing.TB, query string, raw fields) (*Plans, fields) {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(z.schema, query, nil)
	if errs != nil {
		t.Fatal(errs)
	}
	vars, err := validator.VariableValues(z.schema, doc.Operations[0], raw)
	if err != nil {
		t.Fatal(err)
	}
	return NewPlans(z.Tables, doc.Operations[0]), vars
}

// inOperation is a context as gqlgen's handler makes it.
func inOperation(ctx context.Context, vars fields) context.Context {
	recovered := func(ctx context.Context, v any) error { return fmt.Errorf("panic: %v", v) }
	ctx = graphql.WithOperationContext(ctx, &graphql.OperationContext{Variables: vars, RecoverFunc: recovered})
	return graphql.WithResponseContext(ctx, graphql.DefaultErrorPresenter, recovered)
}

// run gives the data and, a line each, the errors with their paths in the order in which they are reported.
func (z *zoo) run(t testing.TB, how Run, query string, vars fields) (data, errors string) {
	t.Helper()
	plans, vars := z.plans(t, query, vars)
	plan, err := plans.For(vars)
	if err != nil {
		t.Fatal(err)
	}
	ctx := inOperation(t.Context(), vars)
	how.Vars = vars
	data = string(plan.Execute(ctx, how))
	return data, reported(ctx)
}

func reported(ctx context.Context) string {
	var lines []string
	for _, e := range graphql.GetErrors(ctx) {
		lines = append(lines, e.Path.String()+": "+e.Message)
	}
	return strings.Join(lines, "\n")
}

func (z *zoo) expect(t *testing.T, how Run, query string, vars fields, data, errors string) {
	t.Helper()
	gotData, gotErrors := z.run(t, how, query, vars)
	if gotData != data {
		t.Errorf("data\n%s\nwant\n%s", gotData, data)
	}
	if gotErrors != errors {
		t.Errorf("errors\n%s\nwant\n%s", gotErrors, errors)
	}
}

package gen

import (
	"fmt"
	"go/types"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"
)

// entry writes one engine.Field.
type entry struct {
	strings.Builder
	f *codegen.Field
}

func (e *entry) line(format string, args ...any) { fmt.Fprintf(e, format+"\n", args...) }

// fieldTable is the entry of a field in its type's table. The field is supported.
func fieldTable(f *codegen.Field) string {
	e := &entry{f: f}
	e.line("%q: {", f.Name)
	e.line("Object: %q, Name: %q,", f.Object.Name, f.Name)
	gql := f.TypeReference.GQL
	if gql.NonNull {
		e.line("NonNull: true,")
	}
	if composite(f.TypeReference) {
		e.line("Type: t.Type(%q),", f.TypeReference.Definition.Name)
		if gql.Elem != nil {
			e.line("List: true, ElemNonNull: %v,", gql.Elem.NonNull)
			e.items()
		}
	}
	if len(f.Args) > 0 {
		e.line("Args: ec.%s,", f.ArgsFunc())
	}
	e.way()
	e.WriteString("},")
	return e.String()
}

// supported says what the engine cannot run.
func supported(data *codegen.Data, f *codegen.Field) error {
	gql := f.TypeReference.GQL
	switch {
	case f.IsMap(), f.VOkFunc, f.HasHaser, !f.IsResolver && !f.IsMethod() && !f.IsVariable():
		return fmt.Errorf("only struct fields, methods and resolvers can be read")
	case composite(f.TypeReference) && gql.Elem != nil && gql.Elem.Elem != nil:
		return fmt.Errorf("lists of lists of objects are not supported")
	case f.Object.Stream && !f.TypeReference.IsPtr():
		return fmt.Errorf("events have to be pointers")
	case composite(f.TypeReference) && f.TypeReference.IsPtrToSlice():
		return fmt.Errorf("pointers to slices are not supported")
	case len(f.ImplDirectives()) > 0 || len(data.AllDirectives.LocationDirectives("FIELD")) > 0:
		return fmt.Errorf("directives at run time are not supported: set skip_runtime and read them when the operation is prepared")
	}
	return nil
}

// composite says whether a field has selections of its own.
func composite(ref *config.TypeReference) bool {
	switch ref.Definition.Kind {
	case ast.Object, ast.Interface, ast.Union:
		return true
	}
	return false
}

// way is how the field's value is come by.
func (e *entry) way() {
	f := e.f
	leaf := !composite(f.TypeReference)
	goType := ref(f.TypeReference.GO)
	switch {
	case f.IsResolver && f.IsBatch() && !f.Object.Root:
		e.line("Batch: func(ctx context.Context, objs []any, args map[string]any) ([]any, error) {")
		e.args()
		e.line("parents := make([]%s, len(objs))", ref(f.Object.Reference()))
		e.line("for i, obj := range objs { parents[i] = obj.(%s) }", ref(f.Object.Reference()))
		e.line("values, err := ec.Resolvers.%s().%s(%s)", upper(f.Object.Name), f.GoFieldName, f.BatchCallArgs("parents", ""))
		e.line("return %s(values), err", e.pick("engine.Pointers", "engine.Values"))
		e.line("},")
	case f.Object.Stream:
		e.line("Resolve: func(ctx context.Context, v any, args map[string]any) (any, error) {")
		e.args()
		e.line("events, err := ec.Resolvers.%s", f.ShortInvocation())
		e.line("if err != nil { return nil, err }")
		e.line("return engine.Next(ctx, events)")
		e.line("},")
	case f.IsResolver:
		e.line("Resolve: func(ctx context.Context, v any, args map[string]any) (any, error) {")
		e.object("v")
		e.args()
		e.line("return %s(ec.Resolvers.%s)", e.pick("engine.Pointer", ""), f.ShortInvocation())
		e.line("},")
	case leaf && len(f.Args) == 0 && (f.NoErr || f.IsVariable()) && !f.MethodHasContext:
		e.line("Append: func(b []byte, v any) ([]byte, bool) {")
		e.object("v")
		e.appendLeaf(f.TypeReference, e.read())
		e.line("},")
		return
	case leaf:
		e.line("Resolve: func(ctx context.Context, v any, args map[string]any) (any, error) {")
		e.object("v")
		e.args()
		e.value()
		e.line("},")
	default:
		e.line("Get: func(ctx context.Context, v any, args map[string]any) (any, error) {")
		e.object("v")
		e.args()
		e.value()
		e.line("},")
	}
	if leaf {
		e.line("Value: func(b []byte, value any) ([]byte, bool) {")
		e.line("v := value.(%s)", goType)
		e.appendLeaf(f.TypeReference, "v")
		e.line("},")
	}
}

// pick is the one for pointers, whose nil is to be told from a value, or the other.
func (e *entry) pick(pointers, others string) string {
	if e.f.TypeReference.IsPtr() {
		return pointers
	}
	return others
}

// value returns a value that is no resolver's.
func (e *entry) value() {
	f := e.f
	switch {
	case f.IsMethod() && !f.NoErr:
		e.line("return %s(%s)", e.pick("engine.Pointer", ""), e.read())
	case f.TypeReference.IsPtr():
		e.line("return engine.Pointer(%s, nil)", e.read())
	case composite(f.TypeReference) && !f.TypeReference.IsSlice() && !types.IsInterface(f.TypeReference.GO):
		e.line("value := %s", e.read())
		e.line("return &value, nil")
	default:
		e.line("return %s, nil", e.read())
	}
}

// items spreads a list into its elements.
func (e *entry) items() {
	list := e.f.TypeReference
	elem := list.GO.Underlying().(*types.Slice).Elem()
	e.line("Items: func(list any, into []any) ([]any, bool) {")
	e.line("values, _ := list.(%s)", ref(list.GO))
	e.line("for i := range values {")
	switch elem.Underlying().(type) {
	case *types.Pointer:
		e.line("if values[i] == nil { into = append(into, nil) } else { into = append(into, values[i]) }")
	case *types.Interface:
		e.line("into = append(into, values[i])")
	default:
		e.line("into = append(into, &values[i])")
	}
	e.line("}")
	e.line("return into, values != nil")
	e.line("},")
}

// object unwraps the parent, where the way to the value needs it.
func (e *entry) object(from string) {
	if e.f.Object.Root || (!e.f.IsResolver && e.f.GoReceiverName != "obj") {
		return
	}
	e.line("obj := %s.(%s)", from, ref(e.f.Object.Reference()))
}

// args are read as gqlgen's own expressions read them.
func (e *entry) args() {
	if len(e.f.Args) > 0 {
		e.line("fc := graphql.FieldContext{Args: args}")
		e.line("_ = fc") // a field may leave its arguments to what reads its value
	}
}

// read is the expression of a value that is no resolver's.
func (e *entry) read() string {
	if e.f.IsMethod() {
		return fmt.Sprintf("%s.%s(%s)", e.f.GoReceiverName, e.f.GoFieldName, e.f.CallArgs())
	}
	return e.f.GoReceiverName + "." + e.f.GoFieldName
}

func ref(t types.Type) string { return templates.CurrentImports.LookupType(t) }

func upper(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

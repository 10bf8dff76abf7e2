package gen

import (
	"go/types"

	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2/ast"
)

// appendLeaf writes the statements that append an expression of a leaf type to b and return. What no direct encoder is known for
// goes through gqlgen's marshaler.
func (e *entry) appendLeaf(ref *config.TypeReference, expr string) {
	direct := e.direct(ref)
	if direct == "" {
		e.line("return engine.AppendMarshaler(b, ec.%s(context.Background(), nil, %s))", ref.MarshalFunc(), expr)
		return
	}
	if ref.IsPtr() {
		e.line("p := %s", expr)
		e.line("if p == nil { return b, false }")
		expr = "(*p)"
	}
	e.line("x := %s", expr)
	e.line("return %s", direct)
}

// direct is the expression that appends x; "" when there is none.
func (e *entry) direct(ref *config.TypeReference) string {
	if ref.IsSlice() || ref.IsPtrToSlice() || ref.IsPtrToPtr() || ref.IsContext {
		return ""
	}
	target := ref.GO
	if p, ok := target.(*types.Pointer); ok {
		target = p.Elem()
	}
	switch {
	case ref.HasEnumValues():
		return "engine.AppendString(b, " + ref.EnumMarshalVar(false) + "[x]), true"
	case ref.IsMarshaler && hasAppend(target):
		return "x.AppendGQL(b), true"
	case ref.IsMarshaler && ref.Definition.Kind == ast.Enum && isString(target):
		return "engine.AppendString(b, string(x)), true"
	case ref.Marshaler == nil || ref.Marshaler.Pkg() == nil || ref.Marshaler.Pkg().Path() != "github.com/99designs/gqlgen/graphql":
		return ""
	}
	switch ref.Marshaler.Name() {
	case "MarshalString", "MarshalID":
		return "engine.AppendString(b, string(x)), true"
	case "MarshalBoolean":
		return "strconv.AppendBool(b, bool(x)), true"
	case "MarshalInt":
		return "strconv.AppendInt(b, int64(x), 10), true"
	case "MarshalTime":
		return "engine.AppendTime(b, x)"
	}
	return ""
}

func isString(t types.Type) bool {
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsString != 0
}

// hasAppend says whether a type has a method AppendGQL([]byte) []byte.
func hasAppend(t types.Type) bool {
	object, _, _ := types.LookupFieldOrMethod(t, true, nil, "AppendGQL")
	method, ok := object.(*types.Func)
	if !ok {
		return false
	}
	signature := method.Signature()
	return signature.Params().Len() == 1 && signature.Results().Len() == 1
}

package gen

import (
	"maps"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/99designs/gqlgen/plugin"
)

// Federation has resolvers answer the fields that a federated router asks for, as those of any other field. gqlgen takes their names
// for its own federation plugin's and would call functions that only that writes. It comes before the plugins that write code.
type Federation struct{}

var _ plugin.CodeGenerator = Federation{}

// Name implements plugin.Plugin.
func (Federation) Name() string { return "federation fields" }

// GenerateCode implements plugin.CodeGenerator. It writes nothing itself.
func (Federation) GenerateCode(data *codegen.Data) error {
	if data.QueryRoot == nil {
		return nil
	}
	for _, f := range data.QueryRoot.Fields {
		if f.Name != "_service" && f.Name != "_entities" {
			continue
		}
		f.IsResolver, f.GoFieldType, f.GoReceiverName, f.GoFieldName = true, codegen.GoFieldVariable, "obj", templates.ToGo(f.Name)
		f.MethodHasContext, f.NoErr = false, false
		if f.TypeReference.IsStruct() { // resolvers give pointers
			f.TypeReference = data.Config.NewBinder().PointerTo(f.TypeReference)
			// the references are written in the order of their names, whatever the order they are put in
			data.ReferencedTypes = maps.Clone(data.ReferencedTypes)
			data.ReferencedTypes[f.TypeReference.UniquenessKey()] = f.TypeReference
		}
	}
	return nil
}

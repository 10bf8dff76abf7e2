// Package gen is a gqlgen plugin that writes, beside gqlgen's own code, the tables from which package engine executes: for every
// object, field and resolver a direct way to its Go value. It depends on gqlgen alone.
package gen

import (
	_ "embed"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/99designs/gqlgen/plugin"
)

//go:embed tables.gotpl
var template string

// Plugin writes tables.gen.go into the package of the executor. Engine is the import path of package engine.
type Plugin struct{ Engine string }

var _ plugin.CodeGenerator = Plugin{}

// Name implements plugin.Plugin.
func (Plugin) Name() string { return "engine" }

// GenerateCode implements plugin.CodeGenerator. What the engine could not run is an error that names the field, and nothing is written.
func (p Plugin) GenerateCode(data *codegen.Data) error {
	// gqlgen gives the fields of a type in the order of its sources; names are sorted, so that moving one changes nothing.
	objects := slices.Clone(data.Objects)
	slices.SortFunc(objects, func(a, b *codegen.Object) int { return strings.Compare(a.Name, b.Name) })
	for _, object := range objects {
		for _, f := range object.Fields {
			if err := supported(data, f); err != nil {
				return fmt.Errorf("engine: %s.%s: %w", f.Object.Name, f.Name, err)
			}
		}
	}
	var interfaces []*codegen.Interface
	for _, i := range data.Interfaces {
		interfaces = append(interfaces, i)
	}
	slices.SortFunc(interfaces, func(a, b *codegen.Interface) int { return strings.Compare(a.Name, b.Name) })
	return templates.Render(templates.Options{
		PackageName:     data.Config.Exec.Package,
		Template:        template,
		Filename:        filepath.Join(data.Config.Exec.Dir(), "tables.gen.go"),
		GeneratedHeader: true,
		Data:            tables{Data: data, Objects: objects, Interfaces: interfaces, Engine: p.Engine},
		Funcs:           map[string]any{"table": fieldTable},
		Packages:        data.Config.Packages,
	})
}

type tables struct {
	*codegen.Data
	Objects    []*codegen.Object
	Interfaces []*codegen.Interface
	Engine     string
}

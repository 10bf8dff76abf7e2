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

// GenerateCode implements plugin.CodeGenerator. What the engine could not run is an error that names the field.
func (p Plugin) GenerateCode(data *codegen.Data) error {
	// gqlgen gives the fields of a type in the order of its sources; names are sorted, so that moving one changes nothing.
	var unsupported error
	objects := slices.Clone(data.Objects)
	slices.SortFunc(objects, func(a, b *codegen.Object) int { return strings.Compare(a.Name, b.Name) })
	var interfaces []*codegen.Interface
	for _, i := range data.Interfaces {
		interfaces = append(interfaces, i)
	}
	slices.SortFunc(interfaces, func(a, b *codegen.Interface) int { return strings.Compare(a.Name, b.Name) })
	err := templates.Render(templates.Options{
		PackageName:     data.Config.Exec.Package,
		Template:        template,
		Filename:        filepath.Join(data.Config.Exec.Dir(), "tables.gen.go"),
		GeneratedHeader: true,
		Data:            tables{Data: data, Objects: objects, Interfaces: interfaces, Engine: p.Engine},
		Funcs: map[string]any{"table": func(f *codegen.Field) string {
			text, err := fieldTable(data, f)
			if err != nil && unsupported == nil {
				unsupported = err
			}
			return text
		}},
		Packages: data.Config.Packages,
	})
	if unsupported != nil {
		return fmt.Errorf("engine: %w", unsupported)
	}
	return err
}

type tables struct {
	*codegen.Data
	Objects    []*codegen.Object
	Interfaces []*codegen.Interface
	Engine     string
}

package version

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

// checkVersion holds that what a version shows is a schema by itself: what is printed of it can be read again.
func (r *reader) checkVersion(v *Version) {
	var sdl strings.Builder
	formatter.NewFormatter(&sdl).FormatSchema(v.Schema)
	if _, err := gqlparser.LoadSchema(&ast.Source{Name: "version " + v.Name(), Input: sdl.String()}); err != nil {
		r.errs = append(r.errs, fmt.Errorf("version %d: %w", v.Number, err))
	}
	for _, name := range slices.Sorted(maps.Keys(v.Schema.Types)) {
		def := v.Schema.Types[name]
		if def.Kind == ast.Union && len(def.Types) == 0 {
			r.fail(name, fmt.Errorf("version %d has no member of it", v.Number))
		}
		for _, field := range def.Fields {
			r.checkDefault(v, name+"."+field.Name, field.Type, field.DefaultValue)
			for _, argument := range field.Arguments {
				r.checkDefault(v, name+"."+field.Name+"("+argument.Name+":)", argument.Type, argument.DefaultValue)
			}
		}
	}
}

// checkDefault holds that a default names nothing that the version lacks.
func (r *reader) checkDefault(v *Version, coordinate string, typ *ast.Type, value *ast.Value) {
	if value == nil {
		return
	}
	if err := lacked(v.Schema, typ.Name(), value); err != nil {
		r.fail(coordinate, fmt.Errorf("version %d: its default %w", v.Number, err))
	}
}

func lacked(schema *ast.Schema, typeName string, value *ast.Value) error {
	def := schema.Types[typeName]
	switch {
	case def == nil:
		return nil // which is found elsewhere
	case value.Kind == ast.EnumValue && def.EnumValues.ForName(value.Raw) == nil:
		return errors.New("names a value that it lacks")
	case value.Kind == ast.ObjectValue:
		for _, member := range value.Children {
			field := def.Fields.ForName(member.Name)
			if field == nil {
				return errors.New("names a member that it lacks")
			}
			if err := lacked(schema, field.Type.Name(), member.Value); err != nil {
				return err
			}
		}
	case value.Kind == ast.ListValue:
		for _, element := range value.Children {
			if err := lacked(schema, typeName, element.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

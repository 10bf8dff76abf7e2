package main

import (
	"encoding/json"
	"io"
	"os"

	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/version/breaking"
)

// compare writes what differs between two files of SDL: {"breaking": […], "dangerous": […]}.
func compare(before, after string, stdout io.Writer) error {
	was, err := loadFile(before)
	if err != nil {
		return err
	}
	is, err := loadFile(after)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(stdout)
	encoder.SetIndent("", "  ")
	none := []breaking.Change{} // a list all the same
	return encoder.Encode(map[string][]breaking.Change{
		"breaking":  append(none, breaking.Between(was, is)...),
		"dangerous": append(none, breaking.Dangerous(was, is)...),
	})
}

func loadFile(name string) (*ast.Schema, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return load(name, string(raw))
}

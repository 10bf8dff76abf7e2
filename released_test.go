package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/config"
	"tributary/internal/version/breaking"
)

// What the program prints as a version of the schema still has all that was released of it; make schema-check says what to do.
func TestReleasedSchemas(t *testing.T) {
	raw, err := os.ReadFile("schema/released/versions.json")
	if err != nil {
		t.Fatal(err)
	}
	var released []struct {
		Version int
		Sunset  string
	}
	if err := json.Unmarshal(raw, &released); err != nil || len(released) < 2 {
		t.Fatalf("%d versions: %v", len(released), err)
	}
	for _, version := range released {
		if version.Sunset != "" && version.Sunset <= time.Now().UTC().Format(time.DateOnly) {
			continue
		}
		var printed strings.Builder
		if err := printSchema(&config.Schema{Version: version.Version}, &printed); err != nil {
			t.Errorf("version %d: %v", version.Version, err)
			continue
		}
		sdl, err := os.ReadFile(fmt.Sprintf("schema/released/%d.graphqls", version.Version))
		if err != nil {
			t.Error(err)
			continue
		}
		was := gqlparser.MustLoadSchema(&ast.Source{Name: "released", Input: string(sdl)})
		is := gqlparser.MustLoadSchema(&ast.Source{Name: "printed", Input: printed.String()})
		for _, change := range breaking.Between(was, is) {
			t.Errorf("version %d: %s at %s: %s", version.Version, change.Kind, change.Coordinate, change.Message)
		}
	}
}

// Command generate is gqlgen's generate with the engine's plugin. It reads gqlgen.yml of the current directory.
package main

import (
	"fmt"
	"os"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen/config"

	"tributary/internal/engine/gen"
)

func main() {
	cfg, err := config.LoadConfigFromDefaultLocations()
	if err == nil {
		err = api.Generate(cfg, api.PrependPlugin(gen.Federation{}), api.AddPlugin(gen.Plugin{Engine: "tributary/internal/engine"}))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

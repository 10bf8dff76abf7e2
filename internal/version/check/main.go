// Command check holds the versions of the schema to what was released of them.
//
//	go run ./internal/version/check                      fails on a breaking change that no version declares
//	go run ./internal/version/check -release [-force]    writes what is released from now on
//	go run ./internal/version/check OLD NEW              compares two files, as JSON
//
// It is run by make schema-check and make schema-release, at the top of the tree.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/formatter"

	"tributary/graph"
	"tributary/internal/operation"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, time.Now()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer, now time.Time) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	dir := flags.String("dir", "schema/released", "where the released schemas are")
	write := flags.Bool("release", false, "write the schemas of today there")
	force := flags.Bool("force", false, "with -release: even if that breaks clients")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch flags.NArg() {
	case 2:
		return compare(flags.Arg(0), flags.Arg(1), stdout)
	case 0:
	default:
		return fmt.Errorf("want no files or two, not %d", flags.NArg())
	}
	current, err := served()
	if err != nil {
		return err
	}
	found, err := examine(*dir, current, now)
	if err != nil {
		return err
	}
	found.print(stdout)
	switch {
	case *write && len(found.problems) > 0 && !*force:
		return fmt.Errorf("nothing was written, since clients of a released version would break (%d, above): FORCE=1 releases it all the same", len(found.problems))
	case *write:
		return release(*dir, current, stdout)
	case len(found.problems) > 0:
		return fmt.Errorf("clients of a released version would break (%d, above)", len(found.problems))
	}
	return nil
}

// edition is a version of the schema as it is served now.
type edition struct {
	number   int
	released time.Time
	sunset   time.Time // zero: not known
	sdl      string
}

func (e edition) ended(now time.Time) bool { return !e.sunset.IsZero() && !now.Before(e.sunset) }

// served are the versions of the schema that the program serves, each as the program's command schema prints it.
func served() ([]edition, error) {
	views, err := operation.NewViews(graph.NewExecutableSchema(graph.Config{}).Schema(), operation.ViewsConfig{})
	if err != nil {
		return nil, err
	}
	var all []edition
	for _, view := range views.All() {
		var sdl strings.Builder
		formatter.NewFormatter(&sdl, formatter.WithIndent("  ")).FormatSchema(view.Schema)
		v := view.Version
		all = append(all, edition{number: v.Number, released: v.Released, sunset: v.Sunset, sdl: sdl.String()})
	}
	return all, nil
}

package breaking

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

func compare(a, b Change) int {
	return cmp.Or(cmp.Compare(a.Coordinate, b.Coordinate), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Message, b.Message))
}

// typeOf is the type or the directive that a coordinate is about.
func typeOf(coordinate string) string {
	return coordinate[:min(len(coordinate), strings.IndexAny(coordinate+".", ".("))]
}

func FuzzBetween(f *testing.F) {
	files, err := filepath.Glob("testdata/*.graphqls")
	if err != nil || len(files) < 24 {
		f.Fatalf("%d files: %v", len(files), err)
	}
	for pair := range slices.Chunk(files, 2) {
		after, _ := os.ReadFile(pair[0])
		before, _ := os.ReadFile(pair[1])
		f.Add(string(before), string(after))
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		if len(one)+len(other) > 1<<14 {
			return
		}
		before, err := gqlparser.LoadSchema(&ast.Source{Input: one})
		if err != nil {
			return
		}
		if got := slices.Concat(Between(before, before), Dangerous(before, before)); got != nil {
			t.Fatalf("nothing changed, but: %+v", got)
		}
		after, err := gqlparser.LoadSchema(&ast.Source{Input: other})
		if err != nil {
			return
		}
		got := Between(before, after)
		if !slices.IsSortedFunc(got, compare) {
			t.Fatalf("no order: %+v", got)
		}
		for _, change := range got {
			if change.Coordinate == "" || change.Kind == "" || change.Message == "" {
				t.Fatalf("incomplete: %+v", change)
			}
		}
		if both := slices.Concat(Between(before, after), Dangerous(before, after)); !slices.Equal(both, slices.Concat(got, Dangerous(before, after))) {
			t.Fatal("not the same twice")
		}
		Additions(before, after)
	})
}

package limit

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// failures are sorted by path, so that those at or below one place stand together.
type failures []Failure

// sortFailures leaves the caller's list as it is.
func sortFailures(list []Failure) failures {
	if len(list) == 0 {
		return nil
	}
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b Failure) int { return slices.CompareFunc(a.Path, b.Path, compareElements) })
	return sorted
}

// compareElements orders names in front of indices.
func compareElements(a, b ast.PathElement) int {
	switch a := a.(type) {
	case ast.PathName:
		if b, ok := b.(ast.PathName); ok {
			return strings.Compare(string(a), string(b))
		}
		return -1
	case ast.PathIndex:
		if b, ok := b.(ast.PathIndex); ok {
			return cmp.Compare(a, b)
		}
	}
	return 1
}

// field narrows the failures at or below a place, which is so deep, to those at or below one of its fields.
func (f failures) field(depth int, key string) failures {
	if len(f) == 0 {
		return nil
	}
	return f.narrow(depth, func(e ast.PathElement) int {
		if name, ok := e.(ast.PathName); ok {
			return strings.Compare(string(name), key)
		}
		return 1
	})
}

// element narrows them to those at or below one element of a list.
func (f failures) element(depth, index int) failures {
	if len(f) == 0 {
		return nil
	}
	return f.narrow(depth, func(e ast.PathElement) int {
		if i, ok := e.(ast.PathIndex); ok {
			return cmp.Compare(int(i), index)
		}
		return -1
	})
}

func (f failures) narrow(depth int, compare func(ast.PathElement) int) failures {
	find := func(least int) int {
		at, _ := slices.BinarySearchFunc(f, least, func(failure Failure, least int) int {
			if len(failure.Path) <= depth || compare(failure.Path[depth]) < least {
				return -1
			}
			return 1
		})
		return at
	}
	return f[find(0):find(1)]
}

// charged is what a null costs that would have cost full: that, if something went wrong at or below it, but nothing if all of
// it was refused before any work was done, and quiet if nothing went wrong.
func (f failures) charged(full, quiet milli) milli {
	switch {
	case len(f) == 0:
		return quiet
	case slices.ContainsFunc(f, func(failure Failure) bool { return !failure.Free }):
		return full
	default:
		return 0
	}
}

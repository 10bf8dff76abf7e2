package limit

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// sizeSource is a slicing argument in an operation: value is what is given for it, nil for nothing.
type sizeSource struct {
	slicer
	value *ast.Value
}

// varies says whether the size depends on variables.
func (s sizeSource) varies() bool {
	value := s.value
	for _, step := range s.path {
		if value == nil || value.Kind != ast.ObjectValue {
			break
		}
		value = value.Children.ForName(step.name)
	}
	return value != nil && value.Kind == ast.Variable
}

// size is the size that the argument asks for. It is not given where a null or nothing stands.
func (s sizeSource) size(variables map[string]any) (size int64, given bool) {
	value, fallback, path := s.value, s.fallback, s.path
	for {
		if value != nil && value.Kind == ast.Variable {
			if known, ok := variables[value.Raw]; ok {
				return s.sizeIn(known, path)
			}
			value = nil
		}
		if value == nil { // a default holds no variables
			value, fallback = fallback, nil
		}
		if value == nil || value.Kind == ast.NullValue {
			return 0, false
		}
		if len(path) == 0 {
			return s.literal(value)
		}
		value, fallback, path = value.Children.ForName(path[0].name), path[0].fallback, path[1:]
	}
}

// sizeIn is the size below the value of a variable.
func (s sizeSource) sizeIn(value any, path []inputStep) (size int64, given bool) {
	for i, step := range path {
		members, ok := value.(map[string]any)
		if !ok {
			return 0, false
		}
		if value, ok = members[step.name]; !ok {
			s.value, s.fallback, s.path = nil, step.fallback, path[i+1:]
			return s.size(nil)
		}
	}
	if value == nil {
		return 0, false
	}
	if s.list {
		list, ok := value.([]any)
		if !ok {
			return 1, true
		}
		return int64(len(list)), true
	}
	n, ok := integer(value)
	return max(0, n), ok
}

func (s sizeSource) literal(value *ast.Value) (size int64, given bool) {
	switch {
	case s.list && value.Kind == ast.ListValue:
		return int64(len(value.Children)), true
	case s.list:
		return 1, true
	case value.Kind != ast.IntValue:
		return 0, false
	case strings.HasPrefix(value.Raw, "-"):
		return 0, true
	}
	n, err := strconv.ParseInt(value.Raw, 10, 64)
	if err != nil { // beyond 64 bits
		n = math.MaxInt64
	}
	return n, true
}

// integer reads a number of any of the kinds that coerced variables have. What is beyond an int64 is its greatest or least.
func integer(value any) (int64, bool) {
	switch n := value.(type) {
	case int64:
		return n, true
	case int:
		return int64(n), true
	case int32:
		return int64(n), true
	case json.Number:
		if i, err := n.Int64(); err == nil {
			return i, true
		}
		f, _ := n.Float64()
		return truncate(f)
	case float64:
		return truncate(n)
	}
	return 0, false
}

func truncate(f float64) (int64, bool) {
	switch {
	case f >= math.MaxInt64:
		return math.MaxInt64, true
	case f <= math.MinInt64:
		return math.MinInt64, true
	default:
		return int64(f), f == f
	}
}

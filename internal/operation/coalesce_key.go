package operation

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/auth"
)

// runKey tells which operations may share a run.
type runKey struct {
	op        *ast.OperationDefinition // of one document, which is one text in one view
	version   uint64                   // of all data, when the caller came
	variables string                   // see appendValue

	userID, keyID, scopes string // of the caller: almost any field may depend on who asks
}

// maxKeyBytes is how long encoded variables may be in operations that are shared. Long ones are seldom equal.
const maxKeyBytes = 4 << 10

// key is that of an operation which may be shared; ok is false for any other. What the caller has written must be known here by now.
func (c *Coalescing) key(ctx context.Context, op *Prepared, viewer auth.Viewer) (key runKey, ok bool) {
	if c == nil || op.Kind() != ast.Query || ctx.Err() != nil || c.Alone != nil && c.Alone(ctx) {
		return runKey{}, false
	}
	if !op.Memo(c, func() any { return c.shares(op) }).(bool) {
		return runKey{}, false
	}
	key = runKey{op: op.Operation, userID: viewer.UserID, keyID: viewer.KeyID}
	if len(op.Variables) > 0 {
		if key.variables, ok = encodeVariables(op); !ok {
			return runKey{}, false
		}
	}
	if len(viewer.Scopes) > 0 {
		key.scopes = fmt.Sprintf("%q", slices.Sorted(slices.Values(viewer.Scopes)))
	}
	if c.Version != nil {
		key.version = c.Version()
	}
	return key, true
}

// shares says whether every field that an operation may select can be shared, and sharing is worth it: what reads the schema is asked for
// once in a while, and __typename is had sooner than shared.
func (c *Coalescing) shares(op *Prepared) bool {
	worth, seen := false, map[string]bool{} // fragments that were looked at
	var all func(set ast.SelectionSet) bool
	all = func(set ast.SelectionSet) bool {
		for _, selection := range set {
			shared := true
			switch s := selection.(type) {
			case *ast.Field:
				worth = worth || s.Name != "__typename"
				shared = c.sharesField(s) && all(s.SelectionSet)
			case *ast.InlineFragment:
				shared = all(s.SelectionSet)
			case *ast.FragmentSpread:
				if !seen[s.Name] {
					seen[s.Name] = true
					shared = all(op.Document.Fragments.ForName(s.Name).SelectionSet)
				}
			}
			if !shared {
				return false
			}
		}
		return true
	}
	return !op.introspects && all(op.Operation.SelectionSet) && worth
}

func (c *Coalescing) sharesField(s *ast.Field) bool {
	return c.Shares == nil || s.Name == "__typename" || s.ObjectDefinition != nil && c.Shares(s.ObjectDefinition.Name, s.Name)
}

// encodeVariables writes coerced variables one after the other as they are defined, so that equal ones read alike and others do not.
// ok is false where that takes too much, or a value is of no known type.
func encodeVariables(op *Prepared) (encoded string, ok bool) {
	var room [96]byte
	b := room[:0]
	for _, def := range op.Operation.VariableDefinitions {
		value, given := op.Variables[def.Variable]
		if !given {
			b = append(b, '-')
			continue
		}
		if b, ok = appendValue(b, value); !ok {
			return "", false
		}
	}
	return string(b), true
}

// appendValue writes a value so that where it ends can be told without what follows: its kind, and what has no fixed size with its
// length before it.
func appendValue(b []byte, value any) (_ []byte, ok bool) {
	ok = true
	switch v := value.(type) {
	case nil:
		b = append(b, 'n')
	case bool:
		b = append(b, 'f')
		if v {
			b[len(b)-1] = 't'
		}
	case int64:
		b = binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v))
	case float64:
		b = binary.BigEndian.AppendUint64(append(b, 'd'), math.Float64bits(v))
	case string:
		if len(v) > maxKeyBytes {
			return b, false
		}
		b = appendText(append(b, 's'), v)
	case json.Number:
		b = appendText(append(b, 'j'), string(v))
	case []any:
		b = binary.AppendUvarint(append(b, 'l'), uint64(len(v)))
		for _, member := range v {
			if b, ok = appendValue(b, member); !ok {
				return b, false
			}
		}
	case map[string]any:
		b = binary.AppendUvarint(append(b, 'o'), uint64(len(v)))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if b, ok = appendValue(appendText(b, name), v[name]); !ok {
				return b, false
			}
		}
	default:
		return b, false
	}
	return b, len(b) <= maxKeyBytes
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

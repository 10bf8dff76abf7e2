package clients

import "encoding/json"

// Nullable is a member of a patch that may be left alone (the zero value), set, or set to null.
type Nullable[T any] struct {
	Set   bool
	Value *T // nil: null
}

// IsZero tells encoding/json to leave the member out.
func (n Nullable[T]) IsZero() bool { return !n.Set }

// MarshalJSON writes the value, or null.
func (n Nullable[T]) MarshalJSON() ([]byte, error) { return json.Marshal(n.Value) }

package wire

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"tributary/internal/operation"
)

// TestAPartIsNotWrittenOnBehindItsBound has a second increment that cannot be written, to see whether it was come to.
func TestAPartIsNotWrittenOnBehindItsBound(t *testing.T) {
	part := &operation.Part{Increments: []operation.Increment{
		{Label: "label", Data: json.RawMessage(`{"a":1}`)},
		{Data: json.RawMessage(`{}`), Extensions: map[string]any{"x": func() {}}},
	}}
	if _, err := appendIncrements(nil, part, 50); !errors.Is(err, errPartTooLarge) {
		t.Error(err)
	}
	if _, err := appendIncrements(nil, part, math.MaxInt64); err == nil || errors.Is(err, errPartTooLarge) {
		t.Error(err)
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// difference says where two answers differ as JSON, order of members and escapes aside; nil when they do not.
func difference(want, got []byte) error {
	a, err := decode(want)
	if err != nil {
		return err
	}
	b, err := decode(got)
	if err != nil {
		return err
	}
	if reflect.DeepEqual(a, b) {
		return nil
	}
	path, x, y := descend("", a, b)
	return fmt.Errorf("at %s: want %s, got %s", path, brief(x), brief(y))
}

// decode reads JSON with its numbers as they are written.
func decode(raw []byte) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if decoder.More() {
		return nil, errors.New("something stands behind the JSON")
	}
	return value, nil
}

// descend finds the first place where a and b, which differ, differ.
func descend(path string, a, b any) (string, any, any) {
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			for _, name := range slices.Sorted(maps.Keys(x)) {
				if other, there := y[name]; !there || !reflect.DeepEqual(x[name], other) {
					return descend(path+"."+name, x[name], other)
				}
			}
		}
	case []any:
		if y, ok := b.([]any); ok && len(x) == len(y) {
			for i := range x {
				if !reflect.DeepEqual(x[i], y[i]) {
					return descend(fmt.Sprintf("%s[%d]", path, i), x[i], y[i])
				}
			}
		}
	}
	return path, a, b
}

func brief(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%.200s", raw)
}

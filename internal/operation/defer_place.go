package operation

import (
	"encoding/json"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// place is an object in an answer.
type place struct {
	path ast.Path
	raw  json.RawMessage
}

// places finds the objects below response keys in the JSON of an answer, over all lists. What is null has none.
func places(raw json.RawMessage, keys []string, path ast.Path) []place {
	if len(raw) == 0 {
		return nil
	}
	switch raw[0] {
	case '[':
		var elements []json.RawMessage
		_ = json.Unmarshal(raw, &elements) // an executor wrote it
		var all []place
		for i, element := range elements {
			all = append(all, places(element, keys, with[ast.PathElement](path, ast.PathIndex(i)))...)
		}
		return all
	case '{':
		if len(keys) == 0 {
			return []place{{path, raw}}
		}
		var members map[string]json.RawMessage
		_ = json.Unmarshal(raw, &members)
		return places(members[keys[0]], keys[1:], with[ast.PathElement](path, ast.PathName(keys[0])))
	}
	return nil
}

// increments are what the run of a deferred fragment gives for objects that the client has. An object that is not of the fragment's type has
// none. A null that rose out of the fragment is the fragment's, and with it that of its neighbours as far as it rose.
func increments(d *deferral, known []place, result *Result) []Increment {
	got := map[string]json.RawMessage{}
	for _, p := range places(result.Data, d.keys, nil) {
		got[p.path.String()] = p.raw
	}
	all, at := make([]Increment, 0, len(known)), make(map[string]int, len(known))
	missing := -1 // the first that came to nothing
	for _, object := range known {
		key := object.path.String()
		raw, ok := got[key]
		switch {
		case !ok:
			raw = json.RawMessage("null")
			if missing < 0 {
				missing = len(all)
			}
		case string(raw) == "{}":
			continue
		}
		at[key] = len(all)
		all = append(all, Increment{Label: d.label, Path: object.path, Data: raw, Finished: result.Finished})
	}
	for _, err := range result.Errors {
		i := owner(err, at, missing)
		if i >= 0 {
			all[i].Errors = append(all[i].Errors, err)
		}
	}
	if len(all) > 0 {
		all[0].Extensions = result.Extensions
	}
	return all
}

// owner finds the object that an error stands in. An error on the way there, which the client has been told, is nobody's, unless it is why
// an object is missing; -1.
func owner(err *gqlerror.Error, at map[string]int, missing int) int {
	for n := len(err.Path); n >= 0; n-- {
		if i, ok := at[err.Path[:n].String()]; ok {
			return i
		}
	}
	return missing
}

// merge puts an increment into the answer it belongs to, both decoded.
func merge(answer any, one *Increment) any {
	var data any
	_ = json.Unmarshal(one.Data, &data) // an executor wrote it
	return mergeAt(answer, one.Path, data)
}

func mergeAt(answer any, path ast.Path, data any) any {
	if len(path) == 0 {
		return mergeDeep(answer, data)
	}
	switch at := path[0].(type) {
	case ast.PathName:
		if object, ok := answer.(map[string]any); ok {
			object[string(at)] = mergeAt(object[string(at)], path[1:], data)
		}
	case ast.PathIndex:
		if list, ok := answer.([]any); ok && int(at) < len(list) {
			list[at] = mergeAt(list[at], path[1:], data)
		}
	}
	return answer
}

// mergeDeep merges objects by their members and lists by their elements; of anything else what comes later stands, unless it is null.
func mergeDeep(before, after any) any {
	switch later := after.(type) {
	case nil:
		return before
	case map[string]any:
		if object, ok := before.(map[string]any); ok {
			for name, value := range later {
				object[name] = mergeDeep(object[name], value)
			}
			return object
		}
	case []any:
		if list, ok := before.([]any); ok && len(list) == len(later) {
			for i, value := range later {
				list[i] = mergeDeep(list[i], value)
			}
			return list
		}
	}
	return after
}

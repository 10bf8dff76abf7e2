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

// reached is what an answer has behind response keys: objects, over all lists, and the places of nulls on the way. What stands in neither
// was not selected there.
type reached struct {
	objects []place
	nulls   map[string]bool
}

// places finds the objects below response keys in the JSON of an answer.
func places(raw json.RawMessage, keys []string, path ast.Path) reached {
	found := reached{nulls: map[string]bool{}}
	found.add(raw, keys, path)
	return found
}

func (r *reached) add(raw json.RawMessage, keys []string, path ast.Path) {
	if len(raw) == 0 {
		raw = json.RawMessage("null") // an executor that came to nothing
	}
	switch raw[0] {
	case '[':
		var elements []json.RawMessage
		_ = json.Unmarshal(raw, &elements) // an executor wrote it
		for i, element := range elements {
			r.add(element, keys, with[ast.PathElement](path, ast.PathIndex(i)))
		}
	case '{':
		if len(keys) == 0 {
			r.objects = append(r.objects, place{path, raw})
			return
		}
		var members map[string]json.RawMessage
		_ = json.Unmarshal(raw, &members)
		if member, ok := members[keys[0]]; ok {
			r.add(member, keys[1:], with[ast.PathElement](path, ast.PathName(keys[0])))
		}
	case 'n':
		r.nulls[path.String()] = true
	}
}

// ended says whether a null stands at a path or above it.
func (r *reached) ended(path ast.Path) bool {
	if len(r.nulls) == 0 {
		return false
	}
	for n := len(path); n >= 0; n-- {
		if r.nulls[path[:n].String()] {
			return true
		}
	}
	return false
}

// increments are what the run of a deferred fragment gives for objects that the client has, and what it gives for those that are not null, which
// is more: of {} nothing is sent, but fragments inside may have something. An object that the fragment is not for has none. A null that rose out
// of the fragment is the fragment's, and with it that of its neighbours as far as it rose.
func increments(d *deferral, known []place, result *Result) (all []Increment, objects []place) {
	found := places(result.Data, d.keys, nil)
	got := make(map[string]json.RawMessage, len(found.objects))
	for _, p := range found.objects {
		got[p.path.String()] = p.raw
	}
	at := make(map[string]int, len(known))
	missing := -1 // the first that came to nothing
	for _, object := range known {
		key := object.path.String()
		raw, ok := got[key]
		switch {
		case ok:
			objects = append(objects, place{object.path, raw})
			if string(raw) == "{}" {
				continue
			}
		case found.ended(object.path):
			raw = json.RawMessage("null")
			if missing < 0 {
				missing = len(all)
			}
		default:
			continue
		}
		at[key] = len(all)
		all = append(all, Increment{Label: d.label, Path: object.path, Data: raw, Finished: result.Finished})
	}
	own(all, at, missing, result.Errors)
	if len(result.Extensions) > 0 && len(all) == 0 && len(known) > 0 { // what they say is sent with nothing else
		all = []Increment{{Label: d.label, Path: known[0].path, Data: json.RawMessage("{}"), Finished: result.Finished}}
	}
	if len(all) > 0 {
		all[0].Extensions = result.Extensions
	}
	return all, objects
}

// own gives errors to the increments that they are of.
func own(all []Increment, at map[string]int, missing int, errs gqlerror.List) {
	for _, err := range errs {
		if i := owner(err, at, missing); i >= 0 {
			all[i].Errors = append(all[i].Errors, err)
		}
	}
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

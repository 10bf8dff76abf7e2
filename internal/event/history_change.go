package event

import (
	"fmt"
	"maps"
	"slices"
)

// knowledge is what a run of a subject's events tells of its state, which may begin anywhere.
type knowledge struct {
	members map[string]any // as far as known; nil for a member known to be absent
	all     bool           // there are no other members
	deleted bool
	begun   bool
}

// learn tells what the next event changed.
func (k *knowledge) learn(e Event) (Change, error) {
	if !k.begun {
		// In front of version 1 there was nothing; a snapshot does not say since when it has been so.
		k.members, k.all, k.begun = map[string]any{}, e.Version == 1 && !e.Snapshot(), true
	}
	c := Change{Event: e, StatusBefore: k.status()}
	how := e.bearing()
	if how != patches {
		k.deleted = how == ends
	}
	switch {
	case e.Data == nil:
		k.members, k.all = map[string]any{}, false
	case how != ends:
		data, err := decodeObject(e.Data)
		if err != nil {
			return Change{}, fmt.Errorf("%s version %d: %w: %w", e.Subject, e.Version, err, ErrBrokenHistory)
		}
		if how == whole {
			c.Fields = k.replace(data)
		} else {
			c.Fields = k.patch(data)
		}
	}
	c.Status = k.status()
	return c, nil
}

// value is a member, and whether it is known.
func (k *knowledge) value(name string) (any, bool) {
	value, ok := k.members[name]
	return value, ok || k.all
}

func (k *knowledge) status() string {
	if k.deleted {
		return "deleted"
	}
	status, _ := k.members["status"].(string)
	return status
}

// replace takes data for all of the state.
func (k *knowledge) replace(data map[string]any) (fields []FieldChange) {
	delete(data, previousAuthor)
	next := mergeValue(nil, data).(map[string]any)
	names := maps.Clone(k.members)
	maps.Copy(names, next)
	for _, name := range fieldNames(names) {
		before, known := k.value(name)
		if !known || !sameJSON(before, next[name]) {
			fields = append(fields, fieldChange(name, before, known, next[name]))
		}
	}
	k.members, k.all = next, true
	return fields
}

// patch merges data into what is known.
func (k *knowledge) patch(data map[string]any) (fields []FieldChange) {
	for _, name := range fieldNames(data) {
		before, known := k.value(name)
		if !known && named(name) { // it is there whether it changed or not
			if name == "authorId" {
				before, known = data[previousAuthor]
			}
			if !known {
				k.members[name] = data[name]
				continue
			}
		}
		if part, ok := data[name].(map[string]any); ok && !known {
			fields = append(fields, FieldChange{Name: name}) // of what is not in it nothing can be said
			continue
		} else if ok {
			before = copyJSON(before)
			k.members[name] = mergeValue(copyJSON(before), part)
		} else {
			k.members[name] = data[name]
		}
		if !known || !sameJSON(before, k.members[name]) {
			fields = append(fields, fieldChange(name, before, known, k.members[name]))
		}
	}
	return fields
}

// fieldNames are the names of what users take for fields, sorted.
func fieldNames(members map[string]any) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(members)), func(name string) bool {
		return name == "version" || name == "updatedAt" || name == previousAuthor
	})
}

func fieldChange(name string, before any, known bool, after any) FieldChange {
	c := FieldChange{Name: name, After: encodeJSON(after)}
	if known {
		c.Before = encodeJSON(before)
	}
	return c
}

// copyJSON is a copy that mergeValue may change.
func copyJSON(value any) any {
	if _, ok := value.(map[string]any); !ok {
		return value
	}
	copied, err := decodeJSON(encodeJSON(value))
	if err != nil {
		panic(fmt.Sprintf("event: decoding what was encoded: %v", err))
	}
	return copied
}

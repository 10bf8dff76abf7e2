package engine

import "testing"

// TestHiddenTypesAreNull holds that an object of a type that the schema of the operation lacks is null wherever an interface or a union
// stands for it, without an error of its own.
func TestHiddenTypesAreNull(t *testing.T) {
	for name, c := range map[string]struct {
		root           fields
		query          string
		data, problems string
	}{
		"one":                    {fields{"node": stone("s", 1)}, `{node{__typename id}}`, `{"node":null}`, ""},
		"in a list":              {fields{"nodes": []any{animal("1"), stone("s", 1), animal("2")}}, `{nodes{id}}`, `{"nodes":[{"id":"1"},null,{"id":"2"}]}`, ""},
		"where none may be null": {fields{"things": []any{animal("1"), stone("s", 1)}}, `{things{__typename}}`, `{"things":null}`, "things[1]: " + nullElement},
		"under an object":        {fields{"a": animal("1", fields{"seen": stone("s", 1)})}, `{a{id seen{id}}}`, `{"a":{"id":"1","seen":null}}`, ""},
		"other types stay":       {fields{"node": animal("1")}, `{node{__typename id}}`, `{"node":{"__typename":"Animal","id":"1"}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			z := newZoo(t, c.root)
			z.Hide("Stone", "Unknown")
			z.expect(t, Run{}, c.query, nil, c.data, c.problems)
		})
	}
}

package limit

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzActual holds of any bytes: no panic, the same cost twice, never below nothing; the estimate for what is cut off.
func FuzzActual(f *testing.F) {
	plan := planner(f, costSchema)
	plans := []*Plan{
		plan(`{user{posts(first: 10){nodes{id author{age}} edges{node{similar{id}}}}}}`),
		plan(`{things{__typename id: __typename ... on User{age best{id}} ... on Robot{serial}} matrix{id} blobs}`),
		plan(`{node(id: "x"){id ... on Post{author{age}} ... on User{best{mood}}}}`),
	}
	for _, data := range []string{
		`{"user":{"posts":{"nodes":[{"id":"1","author":{"age":3}},null],"edges":[]}}}`,
		`{"things":[{"__typename":"User","id":"User","age":1,"best":null}],"matrix":[[{"id":"\\\""}],null],"blobs":[{"a":[1]},"x"]}`,
		`{"node":{"id":"x","author":{"age":1}}}`, `null`, `{"user":`, `[[[[`, `{"things":[{},{},{}]}`,
	} {
		f.Add([]byte(data))
	}
	failures := []Failure{failed("user", "posts", "nodes", 1), refused("things"), failed("matrix", 1, 0), failed()}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, plan := range plans {
			estimate := plan.Estimate(nil)
			actual := plan.Actual(nil, data, failures)
			if actual < 0 || actual != plan.Actual(nil, data, failures) {
				t.Errorf("%q costs %d and not that again", data, actual)
			}
			if most := int64(len(data)) * 200; actual > estimate && actual > most+estimate { // an element takes a byte and costs at most a list's estimate
				t.Errorf("%q costs %d, its estimate is %d", data, actual, estimate)
			}
			if whole := bytes.TrimSpace(data); json.Valid(whole) && (whole[0] == '{' || whole[0] == '[') {
				if got := plan.Actual(nil, whole[:len(whole)-1], failures); got != estimate {
					t.Errorf("%q cut off costs %d, want the estimate %d", data, got, estimate)
				}
			}
		}
	})
}

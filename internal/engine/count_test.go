package engine

import (
	"fmt"
	"strings"
	"testing"
)

// counted runs a query and gives its counts, one place a line.
func counted(t *testing.T, z *zoo, query string) (data, counts string) {
	t.Helper()
	plans, vars := z.plans(t, query, nil)
	plan, err := plans.For(vars)
	if err != nil {
		t.Fatal(err)
	}
	var found Counts
	data = string(plan.Execute(inOperation(t.Context(), vars), Run{Vars: vars, Counts: &found}))
	var lines []string
	for _, c := range found {
		lines = append(lines, fmt.Sprint(c.Above(), " ", c.Key(), " ", c.Type(), " ", c.Objects()))
	}
	return data, strings.Join(lines, "\n")
}

func TestCounts(t *testing.T) {
	young := func(ids ...string) fields {
		var all []any
		for _, id := range ids {
			all = append(all, animal(id, fields{"home": stone("s", 1)}))
		}
		return fields{"young": all}
	}
	z := newZoo(t, fields{
		"list":  []any{animal("1", young("3", "4")), nil, animal("2", young("5"))},
		"nodes": []any{animal("6"), stone("7", 1), nil, animal("8")},
		"full":  []any{animal("9"), &thing{"Animal", fields{"id": "without a nick"}}},
		"a":     animal("0"),
	})
	for query, want := range map[string]string{
		`{list{young{home{id}}}}`:                       "-1  Query 1\n0 list Animal 2\n1 young Animal 3\n2 home Stone 3",
		`{x: nodes{id} list{id y: young{id} mate{id}}}`: "-1  Query 1\n0 x Animal 2\n0 x Stone 1\n0 list Animal 2\n3 y Animal 3",
		`{a{__typename}}`:                               "-1  Query 1\n0 a Animal 1",
		`{__typename}`:                                  "", // nothing below the root
		`{node{id}}`:                                    "",
		`{full{nick} a{id}}`:                            "", // a null rose
		`{sure{id} a{id}}`:                              "",
		`{a{cry}}`:                                      "",
	} {
		if data, got := counted(t, z, query); got != want {
			t.Errorf("%s: %s has\n%s\nwant\n%s", query, data, got, want)
		}
	}
}

package main

import (
	"cmp"
	"os"
	"strings"
	"testing"
)

// TestStaticExplainTellsThePlan holds what is told of operations to the texts beside them; UPDATE=1 writes those anew.
func TestStaticExplainTellsThePlan(t *testing.T) {
	for _, c := range []struct{ name, query, variables string }{
		{"timeline", "testdata/queries/timeline.graphql", ""},
		{"profile", "testdata/queries/profile.graphql", ""},
		{"interface", "", `{"first": 10}`},
		{"conditions", "", `{"long": false}`},
		{"mutation", "", ""},
		{"refused", "", ""},
	} {
		golden := "testdata/static/" + c.name + ".txt"
		query := cmp.Or(c.query, "testdata/static/"+c.name+".graphql")
		got, err := command(t, "", "explain", "--static", "--data-dir", "/nowhere", "--variables", cmp.Or(c.variables, "{}"), query)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is told as\n%s\nnot as\n%s", c.name, got, want)
		}
	}
}

func TestStaticExplainRefuses(t *testing.T) {
	for _, c := range []struct{ query, flag, want string }{
		{`{ users(first: 2) { nodez } }`, "", `Cannot query field "nodez"`},
		{`{ users(first: 2) `, "", "the query is refused"},
		{`query($n: Int!) { users(first: $n) { totalCount } }`, `--variables={"n":"many"}`, "variable $n"},
		{`{ users(first: 2) { totalCount } }`, "--answer", "--static"},
		{`{ users(first: 2) { totalCount } }`, "--as=u1", "--static"},
	} {
		args := []string{"explain", "--static", "-"}
		if c.flag != "" {
			args = append(args, c.flag)
		}
		if out, err := command(t, c.query, args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v, want it to say %s\n%s", c.query, c.flag, err, c.want, out)
		}
	}
}

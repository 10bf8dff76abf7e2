package operation

import (
	"strings"
	"testing"
	"testing/synctest"

	"tributary/internal/auth"
)

const friends = `query Q($n: Int, $f: Int = 1) { me { friends(first: $n) { id friends(first: $f) { id } } } }`

func TestWhoSharesARun(t *testing.T) {
	as := func(user, key string, scopes ...string) Call {
		return Call{Viewer: auth.Viewer{UserID: user, KeyID: key, Scopes: scopes}}
	}
	n := func(v any) map[string]any { return map[string]any{"n": v} }
	text := func(size int) asked {
		return asked{query: "query($s: String) { echo(s: $s) }", variables: map[string]any{"s": strings.Repeat("x", size)}}
	}
	two := "query A { me { id } } query B { me { id } }"
	for name, c := range map[string]struct {
		first, second asked
		share         bool
	}{
		"the same":                   {asked{query: "{ me { id } }"}, asked{query: "{ me { id } }"}, true},
		"another text":               {asked{query: "{ me { id } }"}, asked{query: "{me{id}}"}, false},
		"another operation":          {asked{query: two, name: "A"}, asked{query: two, name: "B"}, false},
		"the same variables":         {asked{query: friends, variables: n(int64(2))}, asked{query: friends, variables: n(int64(2))}, true},
		"a default, and its value":   {asked{query: friends}, asked{query: friends, variables: map[string]any{"f": int64(1)}}, true},
		"other variables":            {asked{query: friends, variables: n(int64(2))}, asked{query: friends, variables: n(int64(3))}, false},
		"null, and nothing":          {asked{query: friends, variables: n(nil)}, asked{query: friends}, false},
		"one value, two variables":   {asked{query: friends, variables: n(int64(1))}, asked{query: friends, variables: map[string]any{"f": int64(1)}}, false},
		"requests of other names":    {asked{query: "{ me { id } }", call: Call{RequestID: "a"}}, asked{query: "{ me { id } }", call: Call{RequestID: "b"}}, true},
		"one wants the cost":         {asked{query: "{ me { id } }"}, asked{query: "{ me { id } }", call: Call{CostDebug: CostDebugFields}}, true},
		"one user":                   {asked{query: "{ me { id } }", call: as("u", "")}, asked{query: "{ me { id } }", call: as("u", "")}, true},
		"scopes in another order":    {asked{query: "{ me { id } }", call: as("u", "", "a", "b")}, asked{query: "{ me { id } }", call: as("u", "", "b", "a")}, true},
		"other scopes":               {asked{query: "{ me { id } }", call: as("u", "", "a")}, asked{query: "{ me { id } }", call: as("u", "", "a", "b")}, false},
		"scopes that look alike":     {asked{query: "{ me { id } }", call: as("u", "", "a", "b")}, asked{query: "{ me { id } }", call: as("u", "", `a" "b`)}, false},
		"two users":                  {asked{query: "{ me { id } }", call: as("u", "")}, asked{query: "{ me { id } }", call: as("v", "")}, false},
		"a user and nobody":          {asked{query: "{ me { id } }", call: as("u", "")}, asked{query: "{ me { id } }"}, false},
		"a key of nobody's":          {asked{query: "{ me { id } }", call: as("", "k")}, asked{query: "{ me { id } }"}, false},
		"a user of a key's name":     {asked{query: "{ me { id } }", call: as("", "k")}, asked{query: "{ me { id } }", call: as("k", "")}, false},
		"one is watched":             {asked{query: "{ me { id } }"}, asked{query: "{ me { id } }", watched: true}, false},
		"a mutation":                 {asked{query: "mutation { set(v: 1) }"}, asked{query: "mutation { set(v: 1) }"}, false},
		"a field that is not shared": {asked{query: "{ me { name } }"}, asked{query: "{ me { name } }"}, false},
		"such a field in a fragment": {asked{query: "{ ...f } fragment f on Query { me { ... { name } } }"}, asked{query: "{ ...f } fragment f on Query { me { ... { name } } }"}, false},
		"the schema":                 {asked{query: "{ __schema { __typename } }"}, asked{query: "{ __schema { __typename } }"}, false},
		"its typename":               {asked{query: "{ __typename }"}, asked{query: "{ __typename }"}, false},
		"a text":                     {text(1000), text(1000), true},
		"a long text":                {text(5000), text(5000), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSharing(t)
				one := s.ask(t.Context(), t, c.first)
				synctest.Wait()
				other := s.ask(t.Context(), t, c.second)
				synctest.Wait()
				want := 2
				if c.share {
					want = 1
				}
				if got := s.count(); got != want {
					t.Errorf("%d runs, want %d", got, want)
				}
				close(s.let)
				a, b := <-one, <-other
				if same := string(a.Data) == string(b.Data); same != c.share || s.joined != 2-want {
					t.Errorf("%s and %s, %d joined", a.Data, b.Data, s.joined)
				}
			})
		})
	}
}

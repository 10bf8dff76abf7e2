package operation

import (
	"errors"
	"strings"
	"testing"

	gqlparser "github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/auth"
)

const protectedSDL = `
directive @authenticated on FIELD_DEFINITION
directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION
interface Thing { secret: String }
type A implements Thing { secret: String @requiresScopes(scopes: [["a", "b"], ["admin"]]) open: String }
type B implements Thing { secret: String }
union Both = A | B
type Query { thing: Thing both: Both mine: String @authenticated open: String }
`

func protectedView(t *testing.T, sdl string) (*View, error) {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "test", Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	return NewView("test", schema, nil)
}

func TestWhatIsDenied(t *testing.T) {
	view, err := protectedView(t, protectedSDL)
	if err != nil {
		t.Fatal(err)
	}
	nobody, known, keyed := auth.Viewer{}, auth.Viewer{UserID: "1", Scopes: []string{"a"}}, auth.Viewer{KeyID: "k", Scopes: []string{"b", "a"}}
	admin := auth.Viewer{UserID: "1", Scopes: []string{"admin"}}
	for _, c := range []struct {
		query  string
		viewer auth.Viewer
		want   map[coordinate]error
	}{
		{`{ open }`, nobody, nil},
		{`{ mine }`, nobody, map[coordinate]error{{"Query", "mine"}: auth.ErrUnauthenticated}},
		{`{ mine }`, known, nil},
		{`{ mine }`, keyed, nil},
		{`{ thing { secret } }`, nobody, map[coordinate]error{{"A", "secret"}: auth.ErrUnauthenticated}},
		{`{ thing { secret } }`, known, map[coordinate]error{{"A", "secret"}: auth.ErrForbidden}},
		{`{ thing { secret } }`, keyed, nil},
		{`{ thing { secret } }`, admin, nil},
		{`{ both { ... on B { secret } ... on A { open } } }`, nobody, nil},
		{`{ both { ...F } } fragment F on A { x: secret }`, known, map[coordinate]error{{"A", "secret"}: auth.ErrForbidden}},
	} {
		prepared, errs := testPreparer(t).Prepare(view, Request{Query: c.query})
		if errs != nil {
			t.Fatalf("%s: %v", c.query, errs)
		}
		denied := prepared.protected.denied(c.viewer)
		if len(denied) != len(c.want) {
			t.Errorf("%s as %+v: denied %v", c.query, c.viewer, denied)
		}
		for at, want := range c.want {
			if !errors.Is(denied.Reason(at.object, at.field), want) {
				t.Errorf("%s as %+v: denied %v, want %v at %v", c.query, c.viewer, denied, want, at)
			}
		}
	}
}

func TestAProtectedFieldIsNullable(t *testing.T) {
	_, err := protectedView(t, strings.ReplaceAll(protectedSDL, "mine: String @", "mine: String! @"))
	if err == nil || !strings.Contains(err.Error(), "Query.mine") {
		t.Errorf("got %v, want the name of the field", err)
	}
}

func TestSchemaReadersAreKnown(t *testing.T) {
	view, err := protectedView(t, protectedSDL)
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]bool{
		`{ open }`: false, `{ __typename }`: false, `{ __schema: open }`: false,
		`{ __schema { queryType { name } } }`: true, `{ ...F } fragment F on Query { x: __type(name: "A") { name } }`: true,
	} {
		prepared, errs := testPreparer(t).Prepare(view, Request{Query: query})
		if errs != nil || prepared.introspects != want {
			t.Errorf("%s: %v", query, errs)
		}
	}
}

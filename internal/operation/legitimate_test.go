package operation

import (
	"fmt"
	"strings"
	"testing"
)

// introspection is what getIntrospectionQuery of graphql-js 16 gives with all of its options, as GraphiQL sends it.
const introspection = `
query IntrospectionQuery {
  __schema {
    description
    queryType { name }
    mutationType { name }
    subscriptionType { name }
    types { ...FullType }
    directives {
      name
      description
      isRepeatable
      locations
      args(includeDeprecated: true) { ...InputValue }
    }
  }
}
fragment FullType on __Type {
  kind
  name
  description
  specifiedByURL
  isOneOf
  fields(includeDeprecated: true) {
    name
    description
    args(includeDeprecated: true) { ...InputValue }
    type { ...TypeRef }
    isDeprecated
    deprecationReason
  }
  inputFields(includeDeprecated: true) { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue {
  name
  description
  type { ...TypeRef }
  defaultValue
  isDeprecated
  deprecationReason
}
fragment TypeRef on __Type {
  kind
  name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name } } } } } } } } }
}`

// relay is a document as Relay's compiler writes it for a page of so many components: each has a fragment that asks for its own
// fields and spreads those of the components in it, three to one, some of them for the friends of its user.
func relay(components int) string {
	var text strings.Builder
	text.WriteString("query PageQuery($count: Int = 10, $withName: Boolean!) { me { id ...Component0_user } }\n")
	for i := range components {
		fmt.Fprintf(&text, "fragment Component%d_user on User {\n  id\n  __typename\n  name%s\n", i, []string{" @include(if: $withName)", "", ""}[i%3])
		for child := 3*i + 1; child <= 3*i+3 && child < components; child++ {
			if child%5 == 0 {
				fmt.Fprintf(&text, "  friends(first: $count) { id ...Component%d_user }\n", child)
			} else {
				fmt.Fprintf(&text, "  ...Component%d_user\n", child)
			}
		}
		text.WriteString("}\n")
	}
	return text.String()
}

func TestWhatToolsSendIsAllowed(t *testing.T) {
	p, view := testPreparer(t), testView(t, "v")
	for name, request := range map[string]Request{
		"introspection":         {Query: introspection},
		"Relay, 200 components": {Query: relay(200), Variables: map[string]any{"withName": true}},
		"a page of one level":   {Query: "{me{" + joined(90, "a%d:friends(first:1){id name}") + "}}"},
	} {
		if _, errs := p.Prepare(view, request); errs != nil {
			t.Errorf("%s: %v", name, errs)
		}
	}
}

package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestRefusedRequestsAreCounted sends requests that never become operations, by every way there is but the websocket's.
func TestRefusedRequestsAreCounted(t *testing.T) {
	p, _ := serveDemoOf(t, "--max-depth", "5")
	for query, times := range map[string]int{
		`{`: 2, `{ nothing }`: 3, `{ user(id: "user_u1") { posts(first: 1) { nodes { author { posts(first: 1) { nodes { id } } } } } } }`: 1, `query A { __typename } query B { __typename }`: 1,
	} {
		for range times {
			p.send(t, query)
		}
	}
	p.get(t, "/graphql?query="+url.QueryEscape(`subscription { nothing }`), func(r *http.Request) { r.Header.Set("Accept", "text/event-stream") })
	p.send(t, `{ __typename }`)
	_, _, metrics := p.get(t, "/metrics", nil)
	var got []string
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, "tributary_operations_rejected_total{") {
			got = append(got, strings.TrimSpace(strings.TrimPrefix(line, "tributary_operations_rejected_total")))
		}
	}
	if want := `[{code="GRAPHQL_PARSE_FAILED"} 2 {code="GRAPHQL_VALIDATION_FAILED"} 5 {code="TOO_DEEP"} 1]`; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}

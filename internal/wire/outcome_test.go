package wire_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"tributary/internal/operation"
	"tributary/internal/wire"
)

// TestOperationsThatAreNotRun holds the framing of what the pipeline refuses and throttles.
func TestOperationsThatAreNotRun(t *testing.T) {
	s := newSite(t)
	s.http.Pipeline.MaxCost = 9 // a mutation costs 10
	s.http.Pipeline.Limiter = twoRequests()
	const graphql, plain = "Accept: application/graphql-response+json", "Accept: application/json"
	mutation := `{"query":"mutation { set }"}`
	s.post(t, mutation, graphql).wants(t, http.StatusBadRequest, operation.CodeCostLimitExceeded)
	s.post(t, mutation, plain).wants(t, http.StatusOK, operation.CodeCostLimitExceeded)
	for range 2 {
		r := s.post(t, query, plain)
		r.wants(t, http.StatusOK, "")
		if r.header.Get("RateLimit-Policy") == "" || r.header.Get("RateLimit") == "" {
			t.Errorf("header %v", r.header)
		}
	}
	for _, accept := range []string{graphql, plain} {
		r := s.post(t, query, accept)
		r.wants(t, http.StatusTooManyRequests, operation.CodeThrottled)
		if r.header.Get("Retry-After") == "" || r.header.Get("RateLimit") == "" {
			t.Errorf("header %v", r.header)
		}
		if r := s.send(t, http.MethodHead, "/graphql?query=%7Becho%7D", "", accept); r.status != http.StatusTooManyRequests {
			t.Errorf("HEAD: %d", r.status)
		}
	}
}

func TestFieldsOfTheHeader(t *testing.T) {
	s := newSite(t)
	s.executor = answers(operation.Result{Data: []byte("{}"), Header: []operation.Field{{Name: "Link", Value: "<a>"}, {Name: "Link", Value: "<b>"}, {Name: "Sunset", Value: "x"}}})
	if header := s.post(t, query).header; !slices.Equal(header.Values("Link"), []string{"<a>", "<b>"}) || header.Get("Sunset") != "x" {
		t.Errorf("header %v", header)
	}
}

func TestLongAnswersAreNotSent(t *testing.T) {
	s := newSite(t)
	s.http.MaxResponseBytes = 200
	fits := `{"echo":"` + strings.Repeat("x", 100) + `"}`
	s.executor = answers(operation.Result{Data: []byte(fits)})
	s.post(t, query).wants(t, http.StatusOK, "")
	s.executor = answers(operation.Result{Data: []byte(`{"echo":"` + strings.Repeat("x", 200) + `"}`), Header: []operation.Field{{Name: "RateLimit", Value: "kept"}}})
	r := s.post(t, query, "Accept: application/graphql-response+json")
	const want = `{"errors":[{"message":"the answer is larger than this server sends: ask for less at a time","extensions":{"code":"` + wire.CodeResponseTooLarge + `"}}],"data":null}`
	if r.status != http.StatusOK || r.text != want || r.header.Get("RateLimit") != "kept" {
		t.Errorf("%+v", r)
	}
	s.http.MaxResponseBytes = 10 // what did not run has no data here either
	s.post(t, `{"query":"{ nope }"}`, "Accept: application/graphql-response+json").wants(t, http.StatusBadRequest, wire.CodeResponseTooLarge)
}

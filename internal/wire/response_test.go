package wire_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/operation"
	"tributary/internal/wire"
)

func TestAccept(t *testing.T) {
	s := newSite(t)
	const none = ""
	for _, tt := range []struct {
		accept []string
		want   string
	}{
		{nil, "application/json"},
		{[]string{""}, "application/json"},
		{[]string{" , ,"}, "application/json"},
		{[]string{"*/*"}, "application/json"},
		{[]string{"application/json, application/json;q=0"}, "application/json"},
		{[]string{"application/*"}, "application/json"},
		{[]string{"application/json"}, "application/json"},
		{[]string{"application/graphql-response+json"}, "application/graphql-response+json"},
		{[]string{"APPLICATION/GraphQL-Response+JSON"}, "application/graphql-response+json"},
		{[]string{"application/graphql-response+json; charset=utf-8, application/json; charset=utf-8"}, "application/graphql-response+json"},
		{[]string{"application/json, application/graphql-response+json"}, "application/graphql-response+json"},
		{[]string{"application/json", "application/graphql-response+json"}, "application/graphql-response+json"},
		{[]string{"application/graphql-response+json, */*"}, "application/graphql-response+json"},
		{[]string{"application/graphql-response+json;q=0.9, application/json"}, "application/json"},
		{[]string{"application/graphql-response+json;q=0.9, application/json;q=0.91"}, "application/json"},
		{[]string{"application/graphql-response+json;q=0.9, application/json;q=0.8"}, "application/graphql-response+json"},
		{[]string{"application/graphql-response+json;q=0, */*"}, "application/json"},
		{[]string{"application/json;q=0, */*"}, "application/graphql-response+json"},
		{[]string{"application/json;q=0, application/*;q=0.1"}, "application/graphql-response+json"},
		{[]string{"application/json;q=0.1, */*;q=0.5"}, "application/graphql-response+json"},
		{[]string{"*/*;q=0.5, application/*;q=0"}, none},
		{[]string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, "application/json"},
		{[]string{"text/html, application/json;q=0.1"}, "application/json"},
		{[]string{`text/html;x="a,b", application/json`}, "application/json"},
		{[]string{`application/json;x="a\",b"`}, "application/json"},
		{[]string{"nonsense/;;, application/json"}, "application/json"},
		{[]string{"text/html"}, none},
		{[]string{"*/*;q=0"}, none},
		{[]string{"application/json;q=0"}, none},
		{[]string{"application/json;q=0.0, application/graphql-response+json;q=0"}, none},
		{[]string{"application/json;q=NaN"}, none},
		{[]string{"application/json;q=2"}, none},
		{[]string{"application/json;q=-1"}, none},
		{[]string{"application/json;q=Inf"}, none},
		{[]string{"application/json;q=x"}, none},
		{[]string{"application/json;q=x, */*"}, "application/json"},
		{[]string{"text/*"}, none},
		{[]string{"application/jsonp"}, none},
		{[]string{";;;"}, none},
	} {
		t.Run(strings.Join(tt.accept, " and "), func(t *testing.T) {
			var headers []string
			for _, value := range tt.accept {
				headers = append(headers, "Accept: "+value)
			}
			r := s.post(t, query, headers...)
			if tt.want == none {
				r.wants(t, http.StatusNotAcceptable, wire.CodeNotAcceptable)
				return
			}
			r.wants(t, http.StatusOK, "")
			if media := r.header.Get("Content-Type"); media != tt.want+"; charset=utf-8" {
				t.Errorf("content type %q, want %s", media, tt.want)
			}
		})
	}
}

func TestResultsOverTheWire(t *testing.T) {
	s := newSite(t)
	failure := &gqlerror.Error{Message: "no", Path: ast.Path{ast.PathName("echo"), ast.PathIndex(1)}, Extensions: map[string]any{"code": "TIMEOUT"}}
	for name, tt := range map[string]struct {
		result operation.Result
		status int
		want   string
	}{
		"data":          {operation.Result{Data: []byte(`{"echo":"a"}`)}, http.StatusOK, `{"data":{"echo":"a"},"extensions":{"cost":{"requested":0,"actual":0}}}`},
		"empty lists":   {operation.Result{Data: []byte(`{}`), Errors: gqlerror.List{}, Extensions: map[string]any{}}, http.StatusOK, `{"data":{},"extensions":{"cost":{"requested":0,"actual":0}}}`},
		"partial":       {operation.Result{Data: []byte(`{"echo":null}`), Errors: gqlerror.List{failure}}, http.StatusOK, `{"errors":[{"message":"no","path":["echo",1],"extensions":{"code":"TIMEOUT"}}],"data":{"echo":null},"extensions":{"cost":{"requested":0,"actual":0}}}`},
		"nothing":       {operation.Result{Data: []byte("null"), Errors: gqlerror.List{failure}}, http.StatusOK, `{"errors":[{"message":"no","path":["echo",1],"extensions":{"code":"TIMEOUT"}}],"data":null,"extensions":{"cost":{"requested":0,"actual":0}}}`},
		"did not run":   {operation.Result{Errors: gqlerror.List{failure}}, http.StatusOK, `{"errors":[{"message":"no","path":["echo",1],"extensions":{"code":"TIMEOUT"}}],"extensions":{"cost":{"requested":0,"actual":0}}}`},
		"extensions":    {operation.Result{Data: []byte(`{}`), Extensions: map[string]any{"degraded": []int{1}}}, http.StatusOK, `{"data":{},"extensions":{"cost":{"requested":0,"actual":0},"degraded":[1]}}`},
		"broken data":   {operation.Result{Data: []byte(`{"echo":SECRET`)}, http.StatusInternalServerError, `{"errors":[{"message":"something went wrong on our side","extensions":{"code":"INTERNAL"}}]}`},
		"bad extension": {operation.Result{Data: []byte(`{}`), Extensions: map[string]any{"SECRET": func() {}}}, http.StatusInternalServerError, `{"errors":[{"message":"something went wrong on our side","extensions":{"code":"INTERNAL"}}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			s.executor = executorFunc(func(context.Context, *operation.Prepared) *operation.Result { return &tt.result })
			if r := s.post(t, query); r.status != tt.status || r.text != tt.want {
				t.Errorf("%d %s\nwant %d %s", r.status, r.text, tt.status, tt.want)
			}
		})
	}
}

func TestCallers(t *testing.T) {
	s := newSite(t)
	r := s.post(t, query, "Authorization: 7")
	r.wants(t, http.StatusOK, "")
	if got := r.echoed(t); got.Viewer != "7" || got.IP != "192.0.2.1" {
		t.Errorf("ran as %+v", got)
	}
	for _, credentials := range []string{"bad token", "bad key"} {
		r := s.post(t, query, "Authorization: "+credentials)
		r.wants(t, http.StatusUnauthorized, wire.CodeUnauthenticated)
		if challenge := r.header.Get("WWW-Authenticate"); challenge != `Bearer error="invalid_token"` {
			t.Errorf("%s: WWW-Authenticate %q", credentials, challenge)
		}
	}
	r = s.post(t, query, "Authorization: unknown")
	r.wants(t, http.StatusServiceUnavailable, wire.CodeServiceUnavailable)
	if wait := r.header.Get("Retry-After"); wait != "1" {
		t.Errorf("Retry-After %q", wait)
	}
}

func TestCostDebug(t *testing.T) {
	s := newSite(t)
	for value, want := range map[string]string{"": "", "1": "fields"} {
		if got := s.post(t, query, "GraphQL-Cost-Debug: "+value).echoed(t).CostDebug; got != want {
			t.Errorf("%q runs with %q", value, got)
		}
	}
	s.post(t, query, "GraphQL-Cost-Debug: SECRET").wants(t, http.StatusBadRequest, wire.CodeBadRequest)
	r := s.post(t, query, "GraphQL-Cost-Debug: dry-run")
	if r.status != http.StatusOK || strings.Contains(r.text, "data") || !strings.Contains(r.text, `"extensions":{"cost":`) {
		t.Errorf("%+v", r)
	}
}

func TestTheIdempotencyKeyIsPassedOn(t *testing.T) {
	if got := newSite(t).post(t, `{"query":"mutation { set }"}`, "Idempotency-Key: k-1").echoed(t).Key; got != "k-1" {
		t.Errorf("key %q", got)
	}
}

package wire_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tributary/internal/wire"
)

func nested(depth int) string {
	return `{"query":"{ echo }","extensions":{"any":` + strings.Repeat("[", depth-2) + strings.Repeat("]", depth-2) + `}}`
}

func TestRequestsAreBounded(t *testing.T) {
	s := newSite(t)
	s.http.MaxBodyBytes, s.http.MaxURLBytes, s.http.MaxJSONDepth, s.http.MaxJSONValues = 0, 300, 10, 20 // the body's own default
	list := func(values int) string {                                                                   // the rest has seven: two objects, three names, a string, a list
		return `{"query":"query($any: Any) { echo(any: $any) }","variables":{"any":[` + strings.Repeat("1,", values-8) + "1]}}"
	}
	target := func(length int) string {
		const start = "/graphql?query=%7Becho%7D&x="
		return start + strings.Repeat("x", length-len(start))
	}
	get := func(variables string) string {
		return "/graphql?query=" + url.QueryEscape("{ echo }") + "&variables=" + url.QueryEscape(variables)
	}
	for name, tt := range map[string]struct {
		target, body string
		status       int
		code         string
	}{
		"deep enough":         {"", nested(10), http.StatusOK, ""},
		"too deep":            {"", nested(11), http.StatusBadRequest, wire.CodeJSONTooDeep},
		"a million brackets":  {"", strings.Repeat("[", 1_000_000), http.StatusBadRequest, wire.CodeJSONTooDeep},
		"a million objects":   {"", strings.Repeat(`{"SECRET":`, 100_000), http.StatusBadRequest, wire.CodeJSONTooDeep},
		"values enough":       {"", list(20), http.StatusOK, ""},
		"too many values":     {"", list(21), http.StatusBadRequest, wire.CodeJSONTooLarge},
		"half a million":      {"", list(500_000), http.StatusBadRequest, wire.CodeJSONTooLarge},
		"too many members":    {"", `{"SECRET":1` + strings.Repeat(`,"a":1`, 10), http.StatusBadRequest, wire.CodeJSONTooLarge},
		"large":               {"", query + strings.Repeat(" ", wire.DefaultMaxBodyBytes-len(query)), http.StatusOK, ""},
		"too large":           {"", query + strings.Repeat(" ", wire.DefaultMaxBodyBytes+1-len(query)), http.StatusRequestEntityTooLarge, wire.CodeBodyTooLarge},
		"brackets in a text":  {"", `{"query":"{ echo(text: \"` + strings.Repeat("[", 30) + `\\\"[\") }"}`, http.StatusOK, ""},
		"long URL":            {target(300), "", http.StatusOK, ""},
		"too long URL":        {target(301), "", http.StatusRequestURITooLong, wire.CodeURITooLong},
		"deep variables":      {get(strings.Repeat("[", 11)), "", http.StatusBadRequest, wire.CodeJSONTooDeep},
		"many variables":      {get(strings.Repeat("1,", 21)), "", http.StatusBadRequest, wire.CodeJSONTooLarge},
		"bad variables of it": {get("[]]]"), "", http.StatusBadRequest, wire.CodeBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.target != "" {
				s.send(t, http.MethodGet, tt.target, "").wants(t, tt.status, tt.code)
				return
			}
			s.post(t, tt.body).wants(t, tt.status, tt.code)
		})
	}
}

func TestTheDefaultBounds(t *testing.T) {
	s := newSite(t)
	s.http.MaxBodyBytes = 0
	s.post(t, nested(wire.DefaultMaxJSONDepth)).wants(t, http.StatusOK, "")
	s.post(t, nested(wire.DefaultMaxJSONDepth+1)).wants(t, http.StatusBadRequest, wire.CodeJSONTooDeep)
	s.post(t, "["+strings.Repeat("1,", wire.DefaultMaxJSONValues)+"1]").wants(t, http.StatusBadRequest, wire.CodeJSONTooLarge)
	get := "/graphql?query=%7Becho%7D&x="
	s.send(t, http.MethodGet, get+strings.Repeat("x", wire.DefaultMaxURLBytes-len(get)), "").wants(t, http.StatusOK, "")
	s.send(t, http.MethodGet, get+strings.Repeat("x", wire.DefaultMaxURLBytes), "").wants(t, http.StatusRequestURITooLong, wire.CodeURITooLong)
}

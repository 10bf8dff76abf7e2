package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// wantedHook is what a caller asks for, as both ways in have it.
type wantedHook struct {
	url, secret, description string
	types                    []string
}

// overGraph asks by mutation and returns the codes of the user errors with their fields.
func (w wantedHook) overGraph(t *testing.T, p *program, token string) (outcome string) {
	t.Helper()
	input := fmt.Sprintf(`url: %s, eventTypes: %s, description: %s`, quoted(w.url), quoted(w.types), quoted(w.description))
	if w.secret != "" {
		input += ", secret: " + quoted(w.secret)
	}
	r := p.send(t, `mutation { x: createWebhook(input: {`+input+`}) { webhook { id } secret userErrors { code field message } } }`, "Authorization", "Bearer "+token)
	if len(r.Errors) > 0 {
		return r.Errors[0].code()
	}
	problems := at(t, r.Data, "x", "userErrors").([]any)
	if len(problems) == 0 {
		return "made"
	}
	if at(t, r.Data, "x", "webhook") != nil || at(t, r.Data, "x", "secret") != nil || at(t, problems, 0, "message") == "" || strings.Contains(r.raw, "127.0.0.1") {
		t.Error(r.raw)
	}
	field, _ := at(t, problems, 0, "field").([]any)
	if len(field) > 0 {
		field = field[1:] // input
	}
	return strings.TrimSpace(fmt.Sprint(at(t, problems, 0, "code"), " ", strings.Trim(fmt.Sprint(field), "[]")))
}

func quoted(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}

// overREST asks by POST /api/webhooks and returns the code of the problem document with its field.
func (w wantedHook) overREST(t *testing.T, p *program, token string) (outcome string) {
	t.Helper()
	members := map[string]any{"url": w.url, "events": w.types, "description": w.description}
	if w.secret != "" {
		members["secret"] = w.secret
	}
	status, body := postHook(t, p, token, []byte(quoted(members)))
	if status == http.StatusCreated {
		return "made"
	}
	document := decoded(t, body)
	if document["status"] != float64(status) || document["detail"] == "" || strings.Contains(string(body), "127.0.0.1") {
		t.Errorf("%d %s", status, body)
	}
	outcome = document["code"].(string)
	if faults, _ := document["errors"].([]any); len(faults) > 0 {
		if field, _ := at(t, faults, 0, "field").(string); field != "" {
			outcome += " " + strings.Replace(field, "events", "eventTypes", 1)
		}
	}
	return outcome
}

func postHook(t *testing.T, p *program, token string, body []byte) (status int, answer []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/api/webhooks", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if answer, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer
}

// TestBadWebhooksAreRefused asks a gateway that is no demo for endpoints that may not be, by both ways in.
func TestBadWebhooksAreRefused(t *testing.T) {
	const public = "https://93.184.216.34/hook"
	f := newFire(t, "--data-dir", t.TempDir(), "--webhook-max-per-owner", "2", "--webhook-max-total", "3")
	f.gateway = f.start(t)
	good := wantedHook{url: public, types: []string{"post.*"}}
	for name, test := range map[string]struct {
		change func(*wantedHook)
		want   string
	}{
		"no URL":           {func(w *wantedHook) { w.url = "" }, "INVALID url"},
		"no absolute URL":  {func(w *wantedHook) { w.url = "/hook" }, "INVALID url"},
		"a user":           {func(w *wantedHook) { w.url = "https://me:pass@93.184.216.34/" }, "INVALID url"},
		"a long URL":       {func(w *wantedHook) { w.url += strings.Repeat("x", 2048) }, "INVALID url"},
		"not https":        {func(w *wantedHook) { w.url = "http://93.184.216.34/" }, "TARGET_NOT_ALLOWED url"},
		"loopback":         {func(w *wantedHook) { w.url = "https://127.0.0.1/" }, "TARGET_NOT_ALLOWED url"},
		"loopback's name":  {func(w *wantedHook) { w.url = "https://localhost:8443/" }, "TARGET_NOT_ALLOWED url"},
		"private":          {func(w *wantedHook) { w.url = "https://10.1.2.3/" }, "TARGET_NOT_ALLOWED url"},
		"metadata":         {func(w *wantedHook) { w.url = "https://169.254.169.254/latest" }, "TARGET_NOT_ALLOWED url"},
		"wrapped in IPv6":  {func(w *wantedHook) { w.url = "https://[::ffff:7f00:1]/" }, "TARGET_NOT_ALLOWED url"},
		"no types":         {func(w *wantedHook) { w.types = []string{} }, "INVALID eventTypes"},
		"unknown type":     {func(w *wantedHook) { w.types = []string{"post.exploded"} }, "UNKNOWN_EVENT_TYPE eventTypes"},
		"bad secret":       {func(w *wantedHook) { w.secret = "hunter2" }, "INVALID secret"},
		"short secret":     {func(w *wantedHook) { w.secret = "whsec_c2hvcnQ=" }, "INVALID secret"},
		"long description": {func(w *wantedHook) { w.description = strings.Repeat("x", 201) }, "INVALID description"},
	} {
		bad := good
		test.change(&bad)
		for way, ask := range map[string]func(*testing.T, *program, string) string{"GraphQL": bad.overGraph, "REST": bad.overREST} {
			if got := ask(t, f.gateway, f.admin); got != test.want {
				t.Errorf("%s over %s: %s, want %s", name, way, got, test.want)
			}
		}
	}
	user := f.issuer.token(t, map[string]any{"sub": "u2", "scope": "webhooks"})
	powerless := f.issuer.token(t, map[string]any{"sub": "u2"})
	for _, step := range []struct {
		ask         func(*testing.T, *program, string) string
		token, want string
	}{
		{good.overGraph, powerless, "FORBIDDEN"}, {good.overREST, powerless, "FORBIDDEN"},
		{good.overGraph, user, "made"}, {good.overREST, user, "made"}, {good.overGraph, user, "TOO_MANY"}, {good.overREST, user, "TOO_MANY"},
		{good.overGraph, f.admin, "made"}, {good.overREST, f.admin, "TOO_MANY"}, {good.overGraph, f.admin, "TOO_MANY"},
	} {
		if got := step.ask(t, f.gateway, step.token); got != step.want {
			t.Errorf("%s instead of %s", got, step.want)
		}
	}
	large := []byte(`{"url": "` + strings.Repeat("x", 17<<10) + `"}`)
	if status, body := postHook(t, f.gateway, f.admin, large); status != http.StatusRequestEntityTooLarge || decoded(t, body)["code"] != "BODY_TOO_LARGE" {
		t.Errorf("%d %s", status, body)
	}
	if r := f.gateway.send(t, `{ webhooks(first: 10) { nodes { id } } }`, "Authorization", "Bearer "+f.admin); strings.Count(r.raw, "webhook_")+strings.Count(r.raw, "wh_") != 3 {
		t.Error("refused ones are there: " + r.raw)
	}
}

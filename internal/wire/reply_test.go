package wire_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// reply is an answer read whole.
type reply struct {
	status int
	header http.Header
	text   string
}

// send sends one request. Headers are "Name: value" lines.
func (s *site) send(t *testing.T, method, target, body string, headers ...string) reply {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+target, reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ":")
		if value = strings.TrimSpace(value); name == "Host" {
			request.Host = value
			continue
		}
		request.Header.Add(name, value)
	}
	response, err := s.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(raw)}
}

// post sends a GraphQL request as JSON.
func (s *site) post(t *testing.T, body string, headers ...string) reply {
	t.Helper()
	return s.send(t, http.MethodPost, "/graphql", body, append([]string{"Content-Type: application/json"}, headers...)...)
}

// wants checks what holds for every answer of GraphQL, its status and the code of its only error; no code stands for an
// answer with data.
func (r reply) wants(t *testing.T, status int, code string) {
	t.Helper()
	if r.status != status {
		t.Errorf("status %d, want %d: %s", r.status, status, r.text)
	}
	if media := r.header.Get("Content-Type"); media != "application/json; charset=utf-8" && media != "application/graphql-response+json; charset=utf-8" {
		t.Errorf("content type %q", media)
	}
	if r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("Cache-Control") != "no-store" || r.header.Get("X-Request-Id") == "" {
		t.Errorf("headers %v", r.header)
	}
	var answer struct {
		Errors []struct {
			Message    string
			Extensions map[string]any
		}
		Data any
	}
	if err := json.Unmarshal([]byte(r.text), &answer); err != nil {
		t.Fatalf("%v: %s", err, r.text)
	}
	switch {
	case code == "":
		if answer.Data == nil || answer.Errors != nil {
			t.Errorf("want data and no errors: %s", r.text)
		}
	case len(answer.Errors) != 1 || answer.Errors[0].Extensions["code"] != code || answer.Errors[0].Message == "":
		t.Errorf("want the code %s: %s", code, r.text)
	case strings.Contains(r.text, `"data"`):
		t.Errorf("the error of a request has data: %s", r.text)
	}
	if strings.Contains(r.text, "SECRET") {
		t.Errorf("the request is quoted: %s", r.text)
	}
}

// echoed is what was run.
func (r reply) echoed(t *testing.T) echoed {
	t.Helper()
	var answer struct{ Data echoed }
	decoder := json.NewDecoder(strings.NewReader(r.text))
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		t.Fatalf("%v: %s", err, r.text)
	}
	return answer.Data
}

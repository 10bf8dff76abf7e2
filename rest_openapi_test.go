package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"tributary/internal/config"
	"tributary/internal/demo"
)

// described is what docs/rest.openapi.yaml says of the REST API, and which of its answers have been seen.
type described struct {
	root     map[string]any
	compiler *jsonschema.Compiler
	seen     map[string]bool // "get /api/users 200"
}

const describedAt = "rest:openapi"

func readDescribed(t *testing.T) *described {
	t.Helper()
	text, err := os.ReadFile("docs/rest.openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte("<<")) {
		t.Error("readers of YAML 1.2 do not merge keys: write them out")
	}
	raw, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	d := &described{root: root.(map[string]any), compiler: jsonschema.NewCompiler(), seen: map[string]bool{}}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(describedAt, root); err != nil {
		t.Fatal(err)
	}
	return d
}

// follow gives the object that a node is or refers to, and where it stands.
func (d *described) follow(node any, place string) (map[string]any, string) {
	object, _ := node.(map[string]any)
	ref, ok := object["$ref"].(string)
	if !ok {
		return object, place
	}
	target := any(d.root)
	for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		target = target.(map[string]any)[step]
	}
	return d.follow(target, ref)
}

// paths are those of the document, the literal ones first.
func (d *described) paths() []string {
	return slices.SortedFunc(maps.Keys(d.root["paths"].(map[string]any)), func(a, b string) int {
		return strings.Count(a, "{") - strings.Count(b, "{")
	})
}

func (d *described) pathOf(t *testing.T, path string) string {
	t.Helper()
	path, _, _ = strings.Cut(path, "?")
	for _, template := range d.paths() {
		if regexp.MustCompile("^" + regexp.MustCompile(`\{\w+\}`).ReplaceAllString(template, `[^/]+`) + "$").MatchString(path) {
			return template
		}
	}
	t.Fatalf("%s is not described", path)
	return ""
}

// check holds an answer to what is said of it.
func (d *described) check(t *testing.T, method, path string, got read) {
	t.Helper()
	template, method := d.pathOf(t, path), strings.ToLower(method)
	operation, _ := d.root["paths"].(map[string]any)[template].(map[string]any)[method].(map[string]any)
	status := fmt.Sprint(got.status)
	responses, _ := operation["responses"].(map[string]any)
	if responses[status] == nil && got.status >= 400 {
		status = "default"
	}
	place := "#/paths/" + strings.NewReplacer("/", "~1", "{", "%7B", "}", "%7D").Replace(template) + "/" + method + "/responses/" + status
	answer, place := d.follow(responses[status], place)
	if answer == nil {
		t.Errorf("%s %s answers %d, which is not described: %s", method, path, got.status, got.raw)
		return
	}
	d.seen[method+" "+template+" "+status] = true
	headers, _ := answer["headers"].(map[string]any)
	for name, node := range headers {
		if header, _ := d.follow(node, ""); header["required"] == true && got.header.Get(name) == "" {
			t.Errorf("%s %s: %d has no %s", method, path, got.status, name)
		}
	}
	content, _ := answer["content"].(map[string]any)
	if len(content) == 0 {
		if got.raw != "" {
			t.Errorf("%s %s: a body where none is described: %s", method, path, got.raw)
		}
		return
	}
	media, _, _ := mime.ParseMediaType(got.header.Get("Content-Type"))
	if content[media] == nil {
		t.Errorf("%s %s: %d in %s", method, path, got.status, media)
		return
	}
	schema, err := d.compiler.Compile(describedAt + place + "/content/" + strings.ReplaceAll(media, "/", "~1") + "/schema")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(got.raw))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		t.Errorf("%s %s: %v: %s", method, path, err, got.raw)
	}
}

// TestRESTIsAsDescribed holds real answers of every kind to docs/rest.openapi.yaml, and sends each parameter that it names.
func TestRESTIsAsDescribed(t *testing.T) {
	d := readDescribed(t)
	p, dir := serveDemoOf(t, "--no-limit-enabled")
	ask := func(server, method, path string, header ...string) read {
		got := sendREST(t, server, method, path, header...)
		d.check(t, method, path, got)
		return got
	}
	tag := ""
	for _, path := range []string{"/api/profile/user_u1", "/api/users", "/api/users/user_u1", "/api/v1/profile/user_u1", "/api/v2/users", "/api/v2/users/user_u1"} {
		tag = ask(p.url, "GET", path).header.Get("ETag")
		ask(p.url, "GET", path, "If-None-Match", tag)
		ask(p.url, "GET", path+"?nothing=1")
		for _, parameter := range d.parameters(path) {
			if got := ask(p.url, "GET", path+"?"+parameter); got.status >= 400 && got.body["code"] != "VERSION_CONFLICT" {
				t.Errorf("%s?%s: %s", path, parameter, got.raw)
			}
		}
	}
	ask(p.url, "GET", "/api/users/user_none")
	ask(p.url, "GET", "/api/v9/profile/user_u1")
	ask(p.url, "GET", "/versions")
	d.checkWebhooks(t, p, tokenFor(t, dir, "u1", "webhooks"))
	down := startDemo(t, seededDir(t))
	urls := startUpstream(t, down).urls
	gateway := openGateway(t, urls, func(g *config.Gateway) { impatient(g); g.Versions.Sunsets = []string{"1=2026-11-02"} })
	broken := serveREST(t, gateway)
	ask(broken, "GET", "/api/v1/users")
	breakService(t, down, "post", demo.Fault{ErrorRate: 1})
	if got := ask(broken, "GET", "/api/profile/user_u1"); got.body["partial"] != true {
		t.Error(got.raw)
	}
	breakService(t, down, "user", demo.Fault{ErrorRate: 1})
	ask(broken, "GET", "/api/users/user_u2")
	for _, answer := range []string{
		"get /api/profile/{id} 200", "get /api/profile/{id} 304", "get /api/users default", "get /api/users/{id} 404", "get /api/users/{id} 503",
		"get /api/v{version}/users 200", "get /api/v{version}/users 410", "get /api/v{version}/users/{id} 200", "get /api/v{version}/profile/{id} 404", "get /versions 200",
		"post /api/webhooks 201", "post /api/webhooks 422", "get /api/webhooks 200", "get /api/webhooks default", "get /api/webhooks/{id} 200", "delete /api/webhooks/{id} 204", "delete /api/webhooks/{id} 404",
	} {
		if !d.seen[answer] {
			t.Errorf("no answer was held to %s", answer)
		}
	}
}

// parameters are those in the query of a path with the values of their examples.
func (d *described) parameters(path string) (pairs []string) {
	for _, template := range d.paths() {
		if strings.NewReplacer("{version}", "1", "{id}", "user_u1").Replace(template) != strings.Replace(path, "/v2/", "/v1/", 1) {
			continue
		}
		get := d.root["paths"].(map[string]any)[template].(map[string]any)["get"].(map[string]any)
		for _, node := range get["parameters"].([]any) {
			if parameter, _ := d.follow(node, ""); parameter["in"] == "query" {
				pairs = append(pairs, fmt.Sprintf("%v=%v", parameter["name"], parameter["example"]))
			}
		}
	}
	return pairs
}

// checkWebhooks takes a webhook through its life.
func (d *described) checkWebhooks(t *testing.T, p *program, token string) {
	t.Helper()
	send := func(method, path, body string) read {
		request, err := http.NewRequestWithContext(t.Context(), method, p.url+path, strings.NewReader(body))
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
		raw, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		got := read{status: response.StatusCode, header: response.Header, raw: string(raw)}
		_ = json.Unmarshal(raw, &got.body) // 204 has none
		d.check(t, method, path, got)
		return got
	}
	made := send("POST", "/api/webhooks", `{"url": "http://127.0.0.1:9/hook", "events": ["webhook.disabled"]}`)
	at := fmt.Sprint("/api/webhooks/", made.body["id"])
	send("POST", "/api/webhooks", `{}`)
	send("GET", "/api/webhooks", "")
	send("GET", "/api/webhooks?limit=0", "")
	send("GET", at, "")
	send("DELETE", at, "")
	send("DELETE", at, "")
}

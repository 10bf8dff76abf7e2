package demo

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"tributary/docs/contract"
)

// document is the OpenAPI document of one service, ready to hold answers to.
type document struct {
	mu        sync.Mutex // the validator's caches
	validator validator.Validator
	paths     map[string]*regexp.Regexp
	model     *v3.Document
	seen      map[string]bool // "operationId status", answered by any test so far
}

var documents = sync.OnceValues(func() (map[string]*document, error) {
	all := map[string]*document{}
	for _, service := range contract.Services() {
		raw, _ := contract.Document(service)
		parsed, err := libopenapi.NewDocument(raw)
		if err != nil {
			return nil, err
		}
		model, err := parsed.BuildV3Model()
		if err != nil {
			return nil, err
		}
		d := &document{model: &model.Model, paths: map[string]*regexp.Regexp{}, seen: map[string]bool{}}
		d.validator = validator.NewValidatorFromV3Model(&model.Model)
		for path := range model.Model.Paths.PathItems.KeysFromOldest() {
			d.paths[path] = regexp.MustCompile("^" + regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, `[^/]+`) + "$")
		}
		all[service] = d
	}
	return all, nil
})

// operation finds the operation of a request, nil if the document has none. Literal paths come first.
func (d *document) operation(method, path string) *v3.Operation {
	path, _, _ = strings.Cut(path, "?")
	best := ""
	for template, pattern := range d.paths {
		if !pattern.MatchString(path) || (best != "" && strings.Count(best, "{") <= strings.Count(template, "{")) {
			continue
		}
		if op := d.model.Paths.PathItems.GetOrZero(template).GetOperations().GetOrZero(strings.ToLower(method)); op != nil {
			best = template
		}
	}
	if best == "" {
		return nil
	}
	return d.model.Paths.PathItems.GetOrZero(best).GetOperations().GetOrZero(strings.ToLower(method))
}

// validate holds an answer to the document of the service: status, type and body, and the headers that a write has
// to carry. It notes which answers were seen.
func validate(l *lab, service, method, path string, r reply) {
	l.Helper()
	all, err := documents()
	if err != nil {
		l.Fatal(err)
	}
	d := all[service]
	op := d.operation(method, path)
	if op == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	request, err := http.NewRequest(method, "http://localhost"+path, nil)
	if err != nil {
		l.Fatal(err)
	}
	status := fmt.Sprint(r.status)
	answer := &http.Response{StatusCode: r.status, Header: r.header, Body: io.NopCloser(bytes.NewReader(r.raw)), Request: request}
	documented := op.Responses.Codes.GetOrZero(status)
	if documented == nil {
		l.Errorf("%s: status %s is not documented: %.300s", r.request, status, r.raw)
		return
	}
	d.seen[op.OperationId+" "+status] = true
	if ok, errs := d.validator.ValidateHttpResponse(request, answer); !ok {
		for _, e := range errs {
			l.Errorf("%s answered %s: %s: %s %v\n%.500s", r.request, status, e.Message, e.Reason, e.SchemaValidationErrors, r.raw)
		}
	}
	for name, header := range documented.Headers.FromOldest() {
		if header.Required && r.header.Get(name) == "" {
			l.Errorf("%s answered %s without %s", r.request, status, name)
		}
	}
	if documented.Content == nil && len(r.raw) > 0 {
		l.Errorf("%s answered %s with a body", r.request, status)
	}
}

// TestDocuments checks that the documents are valid OpenAPI and cover the services, neither more nor less.
func TestDocuments(t *testing.T) {
	all, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "services", Services(), contract.Services())
	for _, definition := range definitions() {
		d := all[definition.name]
		routes := append(definition.routes(&store{definition: definition}), healthRoute(&store{definition: definition}))
		documented := 0
		for _, item := range d.model.Paths.PathItems.FromOldest() {
			documented += item.GetOperations().Len()
		}
		for _, route := range routes {
			if d.operation(route.method, strings.ReplaceAll(route.pattern, "{id}", "x1")) == nil {
				t.Errorf("%s: %s %s is not documented", definition.name, route.method, route.pattern)
			}
		}
		equal(t, definition.name+" operations", len(routes), documented)
	}
	if _, ok := contract.Document("like"); ok {
		t.Error("there is a document of a service that does not exist")
	}
}

// request is a request that the documents describe, with nothing wrong in it.
type request struct {
	service, method, path, body string
	op                          *v3.Operation
	headers                     []string
}

// requests makes one request for every operation, with ids that nothing has.
func requests(t *testing.T) (list []request) {
	all, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	for service, d := range all {
		for path, item := range d.model.Paths.PathItems.FromOldest() {
			for method, op := range item.GetOperations().FromOldest() {
				r := request{service: service, method: strings.ToUpper(method), op: op}
				r.path = regexp.MustCompile(`\{(\w)\w*\}`).ReplaceAllString(path, "none-$1")
				for _, p := range op.Parameters {
					if p.In == "query" && p.Required != nil && *p.Required {
						r.path += "?" + p.Name + "="
					}
					if p.Name == "If-Match" {
						r.headers = append(r.headers, "If-Match", `"1"`)
					}
				}
				if op.RequestBody != nil {
					r.body = "{}"
				}
				if strings.HasSuffix(r.path, "/transfer") {
					r.body = `{"to":"heir"}`
				}
				if strings.HasSuffix(r.path, "/comments/counts") {
					r.path += "?postIds="
				}
				list = append(list, r)
			}
		}
	}
	return list
}

// TestProblems meets every operation with everything that can be wrong with a request to it.
func TestProblems(t *testing.T) {
	open, closed := start(t), start(t, func(o *Options) { o.Token = "secret" })
	closed.token = "wrong"
	for _, r := range requests(t) {
		send := func(l *lab, body string, headers ...string) reply {
			t.Helper()
			return l.do(r.method, r.service, r.path, body, append(r.headers, headers...)...)
		}
		for _, c := range []struct {
			status string
			meet   func()
		}{
			{"400", func() { send(open, r.body, "X-Actor", "no id!").refused(400, "BAD_REQUEST") }},
			{"401", func() { send(closed, r.body).refused(401, "UNAUTHENTICATED") }},
			{"404", func() { send(open, r.body).refused(404, "NOT_FOUND") }},
			{"413", func() {
				if r.body != "" {
					send(open, `{"x":"`+strings.Repeat("x", maxBodyBytes)+`"}`).refused(413, "BODY_TOO_LARGE")
				}
			}},
			{"415", func() { send(open, r.body, "Content-Type", "text/plain").refused(415, "UNSUPPORTED_MEDIA_TYPE") }},
			{"422", func() {
				send(open, r.body, "Idempotency-Key", r.op.OperationId)
				send(open, r.body, "Idempotency-Key", r.op.OperationId, "X-Actor", "else").refused(422, "IDEMPOTENCY_KEY_REUSED")
			}},
			{"428", func() { send(open, r.body, "If-Match", "").refused(428, "PRECONDITION_REQUIRED") }},
			{"429", func() {
				fault(open, r.service, Fault{ErrorRate: 1, Status: 429}, func() { send(open, r.body).refused(429, "THROTTLED") })
			}},
			{"503", func() {
				fault(open, r.service, Fault{ErrorRate: 1}, func() { send(open, r.body).refused(503, "UNAVAILABLE") })
			}},
		} {
			if r.op.Responses.Codes.GetOrZero(c.status) != nil {
				c.meet()
			}
		}
	}
}

// fault runs f under a fault.
func fault(l *lab, service string, f Fault, run func()) {
	l.Helper()
	if err := l.demo.Faults(service).Set(f); err != nil {
		l.Fatal(err)
	}
	run()
	if err := l.demo.Faults(service).Clear(); err != nil {
		l.Fatal(err)
	}
}

package demo

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"tributary/docs/contract"
)

// document is the OpenAPI document of one service, ready to hold answers to.
type document struct {
	*openAPI
	mu   sync.Mutex
	seen map[string]bool // "operationId status", answered by any test so far
}

var documents = sync.OnceValues(func() (map[string]*document, error) {
	all := map[string]*document{}
	for _, service := range contract.Services() {
		raw, _ := contract.Document(service)
		d, err := readOpenAPI(service, raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", service, err)
		}
		all[service] = &document{openAPI: d, seen: map[string]bool{}}
	}
	return all, nil
})

// validate holds an answer to the document of the service: status, type and body, and the headers that a write has
// to carry. It notes which answers were seen.
func validate(l *lab, service, method, path string, r reply) {
	l.Helper()
	all, err := documents()
	if err != nil {
		l.Fatal(err)
	}
	d := all[service]
	op := d.find(method, path)
	if op == nil {
		return
	}
	status := fmt.Sprint(r.status)
	documented := op.responses[status]
	if documented == nil {
		l.Errorf("%s: status %s is not documented: %.300s", r.request, status, r.raw)
		return
	}
	d.mu.Lock()
	d.seen[op.id+" "+status] = true
	d.mu.Unlock()
	if err := documented.check(r.header.Get("Content-Type"), r.raw); err != nil {
		l.Errorf("%s answered %s: %v\n%.500s", r.request, status, err, r.raw)
	}
	for _, name := range documented.required {
		if r.header.Get(name) == "" {
			l.Errorf("%s answered %s without %s", r.request, status, name)
		}
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
		for _, methods := range d.operations {
			documented += len(methods)
		}
		for _, route := range routes {
			if d.find(route.method, strings.ReplaceAll(route.pattern, "{id}", "x1")) == nil {
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
	op                          *operation
	headers                     []string
}

// requests makes one request for every operation, with ids that nothing has.
func requests(t *testing.T) (list []request) {
	all, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	for service, d := range all {
		for path, methods := range d.operations {
			for method, op := range methods {
				r := request{service: service, method: method, op: op}
				r.path = regexp.MustCompile(`\{(\w)\w*\}`).ReplaceAllString(path, "none-$1")
				for _, p := range op.parameters {
					if p.in == "query" && p.required {
						r.path += "?" + p.name + "="
					}
					if p.name == "If-Match" {
						r.headers = append(r.headers, "If-Match", `"1"`)
					}
				}
				if op.takesBody {
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
				send(open, r.body, "Idempotency-Key", r.op.id)
				send(open, r.body, "Idempotency-Key", r.op.id, "X-Actor", "else").refused(422, "IDEMPOTENCY_KEY_REUSED")
			}},
			{"428", func() { send(open, r.body, "If-Match", "").refused(428, "PRECONDITION_REQUIRED") }},
			{"429", func() {
				fault(open, r.service, Fault{ErrorRate: 1, Status: 429}, func() { send(open, r.body).refused(429, "THROTTLED") })
			}},
			{"503", func() {
				fault(open, r.service, Fault{ErrorRate: 1}, func() { send(open, r.body).refused(503, "UNAVAILABLE") })
			}},
		} {
			if r.op.responses[c.status] != nil {
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

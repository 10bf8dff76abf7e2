package demo

import (
	"bytes"
	"fmt"
	"mime"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// openAPI is what the tests need of an OpenAPI 3.1 document: its operations, and the schemas of their answers.
type openAPI struct {
	operations map[string]map[string]*operation // by path template and method
	paths      map[string]*regexp.Regexp
}

type operation struct {
	id         string
	parameters []parameter
	takesBody  bool
	responses  map[string]*response // by status
}

type parameter struct {
	name, in string
	required bool
}

type response struct {
	required []string                      // headers
	schemas  map[string]*jsonschema.Schema // by media type; none: no body
}

// openAPIReader reads a document; what a reference names stands elsewhere in it.
type openAPIReader struct {
	root     any
	compiler *jsonschema.Compiler
	location string
}

func readOpenAPI(service string, text []byte) (*openAPI, error) {
	raw, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, err
	}
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	r := &openAPIReader{root: root, compiler: jsonschema.NewCompiler(), location: "contract:" + service}
	r.compiler.DefaultDraft(jsonschema.Draft2020)
	r.compiler.AssertFormat()
	if err := r.compiler.AddResource(r.location, root); err != nil {
		return nil, err
	}
	d := &openAPI{operations: map[string]map[string]*operation{}, paths: map[string]*regexp.Regexp{}}
	for path, item := range members(members(root)["paths"]) {
		d.operations[path] = map[string]*operation{}
		d.paths[path] = regexp.MustCompile("^" + regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, `[^/]+`) + "$")
		shared := members(item)["parameters"]
		for method, node := range members(item) {
			if method == "parameters" {
				continue
			}
			place := "#/paths/" + escaped(path) + "/" + method
			if d.operations[path][strings.ToUpper(method)], err = r.operation(members(node), shared, place); err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
		}
	}
	return d, nil
}

func (r *openAPIReader) operation(node map[string]any, shared any, place string) (*operation, error) {
	op := &operation{responses: map[string]*response{}}
	op.id, _ = node["operationId"].(string)
	_, op.takesBody = node["requestBody"]
	for _, list := range []any{shared, node["parameters"]} {
		all, _ := list.([]any)
		for _, item := range all {
			p, _ := r.follow(item, "")
			required, _ := p["required"].(bool)
			op.parameters = append(op.parameters, parameter{fmt.Sprint(p["name"]), fmt.Sprint(p["in"]), required})
		}
	}
	for status, item := range members(node["responses"]) {
		answer, at := r.follow(item, place+"/responses/"+status)
		known := &response{schemas: map[string]*jsonschema.Schema{}}
		for name, header := range members(answer["headers"]) {
			h, _ := r.follow(header, "")
			if required, _ := h["required"].(bool); required {
				known.required = append(known.required, name)
			}
		}
		for media := range members(answer["content"]) {
			schema, err := r.compiler.Compile(r.location + at + "/content/" + escaped(media) + "/schema")
			if err != nil {
				return nil, err
			}
			known.schemas[media] = schema
		}
		op.responses[status] = known
	}
	return op, nil
}

// follow gives the object that a node is or refers to, and where it stands.
func (r *openAPIReader) follow(node any, place string) (map[string]any, string) {
	object := members(node)
	ref, ok := object["$ref"].(string)
	if !ok {
		return object, place
	}
	target := r.root
	for _, step := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		target = members(target)[step]
	}
	return r.follow(target, ref)
}

func members(node any) map[string]any {
	object, _ := node.(map[string]any)
	return object
}

// escaped is a step of a JSON pointer (RFC 6901) in a URI fragment.
func escaped(step string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(step)
}

// find is the operation of a request, nil if the document has none. Literal paths come first.
func (d *openAPI) find(method, path string) *operation {
	path, _, _ = strings.Cut(path, "?")
	best := ""
	for template, pattern := range d.paths {
		if !pattern.MatchString(path) || d.operations[template][method] == nil {
			continue
		}
		if best == "" || strings.Count(template, "{") < strings.Count(best, "{") {
			best = template
		}
	}
	return d.operations[best][method]
}

// check holds the body of an answer to the schema of its media type.
func (r *response) check(contentType string, body []byte) error {
	if len(r.schemas) == 0 {
		if len(body) > 0 {
			return fmt.Errorf("a body where none is documented")
		}
		return nil
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return err
	}
	schema := r.schemas[media]
	if schema == nil {
		return fmt.Errorf("media type %s is not documented", media)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// TestCheckRefuses makes sure that answers are really held to something.
func TestCheckRefuses(t *testing.T) {
	all, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	ok := all["user"].find("GET", "/users").responses["200"]
	for body, good := range map[string]bool{
		`{"items":[]}`: true, `{"items":[{"id":"u"}]}`: false, `{"items":null}`: false, `[]`: false, `{`: false,
	} {
		if err := ok.check("application/json", []byte(body)); (err == nil) != good {
			t.Errorf("%s: %v", body, err)
		}
	}
	if ok.check("text/html", []byte(`{"items":[]}`)) == nil || ok.check("", nil) == nil {
		t.Error("a wrong media type was taken")
	}
}

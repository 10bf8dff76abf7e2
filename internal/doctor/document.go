package doctor

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"tributary/docs/contract"
)

// document holds the compiled schemas of one service's OpenAPI document. OpenAPI 3.1 takes its schemas from JSON Schema
// 2020-12 unchanged (https://spec.openapis.org/oas/v3.1.0#schema-object), so a JSON Schema compiler reads them as they are.
type document struct {
	answers  map[string]*jsonschema.Schema // of components/schemas, by name
	problems map[int]*jsonschema.Schema    // of components/responses, by status; 0 is any other failure
}

// openDocument compiles the document of a service named by contract.Services.
func openDocument(service string) (*document, error) {
	text, ok := contract.Document(service)
	if !ok {
		return nil, fmt.Errorf("doctor: there is no contract for a service %q", service)
	}
	d, err := compileDocument(service, text)
	if err != nil {
		return nil, fmt.Errorf("doctor: the contract of the %s service: %w", service, err)
	}
	return d, nil
}

func compileDocument(service string, text []byte) (*document, error) {
	raw, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, err
	}
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	location := "contract:" + service
	if err := compiler.AddResource(location, root); err != nil {
		return nil, err
	}
	d := &document{answers: make(map[string]*jsonschema.Schema), problems: make(map[int]*jsonschema.Schema)}
	components := members(members(root)["components"])
	for name := range members(components["schemas"]) {
		if d.answers[name], err = compiler.Compile(location + "#/components/schemas/" + name); err != nil {
			return nil, err
		}
	}
	for name, response := range members(components["responses"]) {
		path := "#/components/responses/" + name + "/content/application~1problem+json/schema"
		schema, err := compiler.Compile(location + path)
		if err != nil {
			return nil, err
		}
		d.problems[statusOf(response)] = schema
	}
	if d.problems[0] == nil {
		return nil, errors.New("no response for failures in general")
	}
	return d, nil
}

// statusOf reads the status that a response's schema insists on, 0 where it takes any.
func statusOf(response any) int {
	media := members(members(members(response)["content"])["application/problem+json"])
	parts, _ := members(media["schema"])["allOf"].([]any)
	for _, part := range parts {
		status := members(members(members(part)["properties"])["status"])
		if n, ok := integer(status["const"]); ok {
			return int(n)
		}
	}
	return 0
}

// answer holds a body to the schema of that name. The error tells the first place that breaks it.
func (d *document) answer(name string, body any) error {
	schema, ok := d.answers[name]
	if !ok {
		return fmt.Errorf("doctor: the contract has no schema %q", name)
	}
	return explain(schema.Validate(body))
}

// problem holds a body to the problem document of that status.
func (d *document) problem(status int, body any) error {
	schema, ok := d.problems[status]
	if !ok {
		schema = d.problems[0]
	}
	return explain(schema.Validate(body))
}

// explain turns a validation error into a breach that names the deepest place at fault.
func explain(err error) error {
	if err == nil {
		return nil
	}
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return err
	}
	place, text := "", invalid.Error()
	for _, unit := range invalid.BasicOutput().Errors {
		if unit.Error != nil && (place == "" || len(unit.InstanceLocation) > len(place)) {
			place, text = unit.InstanceLocation, unit.Error.String()
		}
	}
	if strings.Trim(place, "/") == "" {
		place = "the top"
	}
	return sawInstead("", "a body as the OpenAPI document describes it", "at %s: %s", place, text)
}

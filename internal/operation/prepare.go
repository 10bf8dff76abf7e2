// Package operation takes one GraphQL operation from its bytes to its result, whatever transport it came by and whatever
// executor runs it. It knows no type of the domain.
package operation

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/maypok86/otter/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// The codes of a request that is refused before it runs.
const (
	CodeParseFailed      = "GRAPHQL_PARSE_FAILED"
	CodeValidationFailed = "GRAPHQL_VALIDATION_FAILED"
)

// Request is what a transport read. Variables may be nil; they stay as they are.
type Request struct {
	Query         string
	OperationName string
	Variables     map[string]any
}

// Prepared is an operation that may run: parsed, valid in its view, its variables coerced. The document is shared with
// every other operation that has the same text and must not be changed.
type Prepared struct {
	View      *View
	Query     string
	Document  *ast.QueryDocument
	Operation *ast.OperationDefinition
	Variables map[string]any
}

// Kind is query, mutation or subscription.
func (p *Prepared) Kind() ast.Operation { return p.Operation.Operation }

// Preparer prepares operations. It is safe for concurrent use.
type Preparer struct {
	documents *otter.Cache[documentKey, document]
	rules     *rules.Rules
}

type documentKey struct {
	view string
	hash [sha256.Size]byte
}

type document struct {
	*ast.QueryDocument
	textBytes int
}

const (
	astFactor = 64     // about how many bytes a validated document takes for each byte of its text
	maxTokens = 15_000 // of a document: the parser descends once for every bracket, and a full stack ends the process
)

// NewPreparer makes a Preparer that keeps documents up to about so many bytes of memory, at least 1.
func NewPreparer(cacheBytes uint64) (*Preparer, error) {
	documents, err := otter.New(&otter.Options[documentKey, document]{
		MaximumWeight: cacheBytes,
		Weigher:       func(_ documentKey, doc document) uint32 { return uint32(min(astFactor*doc.textBytes, 1<<31)) },
	})
	if err != nil {
		return nil, fmt.Errorf("document cache: %w", err)
	}
	all := rules.NewDefaultRules()
	all.AddRule("IntsInRange", intsInRange)
	return &Preparer{documents: documents, rules: all}, nil
}

// intsInRange refuses literals that no Int can hold, which the default rules let pass up to 64 bits.
func intsInRange(observers *core.Events, addError core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, value *ast.Value) {
		if value.Kind != ast.IntValue || value.Definition == nil || value.Definition.Name != "Int" {
			return
		}
		if n, err := strconv.ParseInt(value.Raw, 10, 64); err == nil && (n < math.MinInt32 || n > math.MaxInt32) {
			addError(core.Message("Int cannot represent non 32-bit signed integer value: %s", value.Raw), core.At(value.Position))
		}
	})
}

// Prepare gets an operation ready to run in a view. The errors say what is wrong with the request and carry a code; they are
// for the caller.
func (p *Preparer) Prepare(view *View, req Request) (*Prepared, gqlerror.List) {
	doc, errs := p.document(view, req.Query)
	if errs != nil {
		return nil, errs
	}
	op, err := choose(doc, req.OperationName)
	if err != nil {
		return nil, gqlerror.List{err}
	}
	variables, err := coerceVariables(view.Schema, op, req.Variables)
	if err != nil {
		return nil, gqlerror.List{err}
	}
	return &Prepared{View: view, Query: req.Query, Document: doc, Operation: op, Variables: variables}, nil
}

// document parses and validates a text, or finds it done.
func (p *Preparer) document(view *View, text string) (*ast.QueryDocument, gqlerror.List) {
	key := documentKey{view.Name, sha256.Sum256([]byte(text))}
	if doc, ok := p.documents.GetIfPresent(key); ok {
		return doc.QueryDocument, nil
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, maxTokens)
	if err != nil {
		return nil, coded(CodeParseFailed, err)
	}
	if len(doc.Operations)+len(doc.Fragments) == 0 {
		return nil, gqlerror.List{refuse(CodeParseFailed, "the document is empty")}
	}
	if errs := validator.ValidateWithRules(view.Schema, doc, p.rules); len(errs) > 0 {
		return nil, coded(CodeValidationFailed, errs)
	}
	p.documents.Set(key, document{doc, len(text)})
	return doc, nil
}

// choose finds the operation that a name means; without a name the only one there is. A valid document has at least one.
func choose(doc *ast.QueryDocument, name string) (*ast.OperationDefinition, *gqlerror.Error) {
	op := doc.Operations.ForName(name)
	switch {
	case name == "" && len(doc.Operations) > 1:
		return nil, refuse(CodeValidationFailed, "the document has several operations: say which one in operationName")
	case op == nil:
		return nil, refuse(CodeValidationFailed, "the document has no operation of the name in operationName")
	}
	return op, nil
}

func refuse(code, message string) *gqlerror.Error {
	return &gqlerror.Error{Message: message, Extensions: map[string]any{"code": code}}
}

// coded gives every error of err the code, as a list of its own.
func coded(code string, err error) gqlerror.List {
	var list gqlerror.List
	if !errors.As(err, &list) {
		var one *gqlerror.Error
		if !errors.As(err, &one) {
			one = gqlerror.Wrap(err)
		}
		list = gqlerror.List{one}
	}
	for _, e := range list {
		e.Err = nil
		e.Extensions = map[string]any{"code": code}
	}
	return list
}

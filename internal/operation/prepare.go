// Package operation takes one GraphQL operation from its bytes to its result, whatever transport it came by and whatever
// executor runs it. It knows no type of the domain.
package operation

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/maypok86/otter/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator/core"

	"tributary/internal/limit"
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
	Cost      *limit.Plan

	key         documentKey // of the document
	said        *statement
	fit         *fitting // nil: every value of an enum stands as it is
	protected   protections
	introspects bool
	defers      bool      // the document has a @defer
	memo        *sync.Map // of the document: what executors keep beside it
}

// Memo is what create gives for this operation, kept as long as its document is. The key tells it from what others keep; create may be
// called more than once, and what it gave first stays.
func (p *Prepared) Memo(key any, create func() any) any {
	type at struct {
		op  *ast.OperationDefinition
		key any
	}
	if kept, ok := p.memo.Load(at{p.Operation, key}); ok {
		return kept
	}
	kept, _ := p.memo.LoadOrStore(at{p.Operation, key}, create())
	return kept
}

// Kind is query, mutation or subscription.
func (p *Prepared) Kind() ast.Operation { return p.Operation.Operation }

// Preparer prepares operations. It is safe for concurrent use.
type Preparer struct {
	documents *otter.Cache[documentKey, *document]
	rules     []core.Rule
	bounds    Bounds
}

type documentKey struct {
	view string
	hash [sha256.Size]byte
}

// document is a valid document with what does not depend on who runs it, nor on variables.
type document struct {
	*ast.QueryDocument
	key         documentKey
	plans       map[*ast.OperationDefinition]*limit.Plan
	said        map[*ast.OperationDefinition]*statement
	fits        map[*ast.OperationDefinition]*fitting
	protected   protections
	introspects bool
	defers      bool
	textBytes   int
	memo        sync.Map
}

const (
	astFactor      = 64       // about how many bytes a validated document takes for each byte of its text
	splitTextBytes = 16 << 10 // how much longer a text would be that takes as much as the operations that one with @defer is split into
)

// weight is about how many bytes of memory a document takes.
func (d *document) weight() uint32 {
	n := d.textBytes
	if d.defers {
		n += splitTextBytes
	}
	return uint32(min(astFactor*n, 1<<31))
}

// NewPreparer makes a Preparer that keeps documents up to about so many bytes of memory, at least 1, and refuses requests
// beyond the bounds, each of which is at least 1.
func NewPreparer(cacheBytes uint64, bounds Bounds) (*Preparer, error) {
	if err := bounds.check(); err != nil {
		return nil, err
	}
	documents, err := otter.New(&otter.Options[documentKey, *document]{
		MaximumWeight: cacheBytes,
		Weigher:       func(_ documentKey, doc *document) uint32 { return doc.weight() },
	})
	if err != nil {
		return nil, fmt.Errorf("document cache: %w", err)
	}
	return &Preparer{documents, validationRules(bounds), bounds}, nil
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
	return p.prepare(view, req, coerceVariables)
}

// coercing gives the variables of an operation their values.
type coercing func(schema *ast.Schema, op *ast.OperationDefinition, given map[string]any) (map[string]any, *gqlerror.Error)

func (p *Preparer) prepare(view *View, req Request, coerce coercing) (*Prepared, gqlerror.List) {
	doc, errs := p.document(view, req.Query)
	if errs != nil {
		return nil, errs
	}
	op, err := choose(doc.QueryDocument, req.OperationName)
	if err != nil {
		return nil, gqlerror.List{err}
	}
	if err = p.bounds.variables(req.Variables); err != nil {
		return nil, gqlerror.List{err}
	}
	variables, err := coerce(view.Schema, op, req.Variables)
	if err != nil {
		return nil, gqlerror.List{err}
	}
	return &Prepared{
		View: view, Query: req.Query, Document: doc.QueryDocument, Operation: op, Variables: variables,
		Cost: doc.plans[op], key: doc.key, said: doc.said[op], fit: doc.fits[op], protected: doc.protected, introspects: doc.introspects, defers: doc.defers, memo: &doc.memo,
	}, nil
}

// Prepare is Preparer.Prepare, and tells Rejected of what is refused by the code of its first error, of which there are a fixed few.
func (p *Pipeline) Prepare(view *View, req Request) (*Prepared, gqlerror.List) {
	prepared, errs := p.Preparer.Prepare(view, req)
	if errs != nil && p.Rejected != nil {
		code, _ := errs[0].Extensions["code"].(string)
		p.Rejected(code)
	}
	return prepared, errs
}

// document parses and validates a text, or finds it done.
func (p *Preparer) document(view *View, text string) (*document, gqlerror.List) {
	key := documentKey{view.Name, sha256.Sum256([]byte(text))}
	if doc, ok := p.documents.GetIfPresent(key); ok {
		return doc, nil
	}
	doc, errs := p.parse(text)
	if errs != nil {
		return nil, errs
	}
	if errs := p.validate(view.Schema, doc); len(errs) > 0 {
		return nil, errs
	}
	plans, err := plan(view, doc)
	if err != nil {
		return nil, gqlerror.List{refuse(CodeTooManyFields, "the operation selects more fields than this server takes: split it")}
	}
	protected, introspects := view.protections.in(view.Schema, doc)
	valid := &document{
		QueryDocument: doc, key: key, plans: plans, said: map[*ast.OperationDefinition]*statement{}, fits: map[*ast.OperationDefinition]*fitting{},
		protected: protected, introspects: introspects, defers: defers(doc), textBytes: len(text),
	}
	for _, op := range doc.Operations {
		valid.said[op], valid.fits[op] = view.state(doc, op), view.fit(doc, op.SelectionSet)
	}
	view.widen(doc)
	p.documents.Set(key, valid)
	return valid, nil
}

// parse reads a text as a document within the bounds.
func (p *Preparer) parse(text string) (*ast.QueryDocument, gqlerror.List) {
	if !utf8.ValidString(text) {
		return nil, gqlerror.List{refuse(CodeParseFailed, "the document is not valid UTF-8")}
	}
	source := &ast.Source{Input: text}
	if refused := p.bounds.scan(source); refused != nil {
		return nil, gqlerror.List{refused}
	}
	doc, err := parser.ParseQuery(source)
	if err != nil {
		return nil, coded(CodeParseFailed, err)
	}
	if len(doc.Operations)+len(doc.Fragments) == 0 {
		return nil, gqlerror.List{refuse(CodeParseFailed, "the document is empty")}
	}
	if refused := p.bounds.count(doc); refused != nil {
		return nil, gqlerror.List{refused}
	}
	return doc, nil
}

// plan finds what the operations of a document cost.
func plan(view *View, doc *ast.QueryDocument) (map[*ast.OperationDefinition]*limit.Plan, error) {
	plans := make(map[*ast.OperationDefinition]*limit.Plan, len(doc.Operations))
	for _, op := range doc.Operations {
		var err error
		if plans[op], err = view.costs.Plan(doc, op); err != nil {
			return nil, err
		}
	}
	return plans, nil
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
		e.Message = shorten(e.Message)
		e.Extensions = map[string]any{"code": code}
	}
	return list
}

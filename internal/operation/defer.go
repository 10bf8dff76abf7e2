package operation

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// CodeDeferNotSupported is that of an operation with @defer where an answer has one part only.
const CodeDeferNotSupported = "DEFER_NOT_SUPPORTED"

// directiveDefer is that of https://github.com/graphql/graphql-wg/blob/main/rfcs/DeferStream.md, as gqlparser's prelude declares it.
const directiveDefer = "defer"

// maxDeferred is how many fragments of one operation are deferred, each at every place where it stands. One with more is answered whole
// in the first part, and so is one whose parts have more than maxPartFields fields together, fragments put in: each is planned and kept.
const (
	maxDeferred   = 16
	maxPartFields = 2_000
)

// Deferred says whether a @defer of the operation is active with its variables.
func (p *Prepared) Deferred() bool {
	return p.defers && deferredIn(p.Document, p.Operation, p.Variables)
}

// refuseDeferred refuses an operation that is to be answered in parts where it cannot be.
func refuseDeferred(op *Prepared) *Result {
	message := "@defer is answered in parts, which this way of asking does not have: send the operation by itself over HTTP with " +
		"Accept: multipart/mixed;deferSpec=20220824 or Accept: text/event-stream, or leave out @defer"
	if op.Kind() == ast.Subscription {
		message = "a subscription cannot have @defer: leave it out, or make it @defer(if: false)"
	}
	return &Result{Outcome: Refused, Errors: gqlerror.List{refuse(CodeDeferNotSupported, message)}}
}

// defers says whether a document has any @defer.
func defers(doc *ast.QueryDocument) bool {
	return slices.ContainsFunc(doc.Operations, func(op *ast.OperationDefinition) bool { return setDefers(op.SelectionSet) }) ||
		slices.ContainsFunc(doc.Fragments, func(f *ast.FragmentDefinition) bool { return setDefers(f.SelectionSet) })
}

func setDefers(set ast.SelectionSet) bool {
	return slices.ContainsFunc(set, func(selection ast.Selection) bool {
		switch s := selection.(type) {
		case *ast.Field:
			return setDefers(s.SelectionSet)
		case *ast.InlineFragment:
			return s.Directives.ForName(directiveDefer) != nil || setDefers(s.SelectionSet)
		case *ast.FragmentSpread:
			return s.Directives.ForName(directiveDefer) != nil
		}
		return false
	})
}

// deferredIn says whether a @defer that an operation reaches is active.
func deferredIn(doc *ast.QueryDocument, op *ast.OperationDefinition, vars map[string]any) bool {
	seen := map[string]bool{}
	var active func(set ast.SelectionSet) bool
	active = func(set ast.SelectionSet) bool {
		return slices.ContainsFunc(set, func(selection ast.Selection) bool {
			switch s := selection.(type) {
			case *ast.Field:
				return active(s.SelectionSet)
			case *ast.InlineFragment:
				return activeDefer(s.Directives, vars) || active(s.SelectionSet)
			case *ast.FragmentSpread:
				if activeDefer(s.Directives, vars) {
					return true
				}
				if seen[s.Name] {
					return false
				}
				seen[s.Name] = true
				return active(doc.Fragments.ForName(s.Name).SelectionSet)
			}
			return false
		})
	}
	return active(op.SelectionSet)
}

// activeDefer says whether directives defer their fragment. What is not given stands for true, and null for false.
func activeDefer(directives ast.DirectiveList, vars map[string]any) bool {
	directive := directives.ForName(directiveDefer)
	if directive == nil {
		return false
	}
	argument := directive.Arguments.ForName("if")
	if argument == nil {
		return true
	}
	if argument.Value.Kind != ast.Variable {
		return argument.Value.Raw == "true"
	}
	value, given := vars[argument.Value.Raw]
	if !given {
		return true
	}
	active, _ := value.(bool)
	return active
}

// deferRules are the three that the proposal adds to validation: no @defer among the root fields of what writes or subscribes, no label
// from a variable, and none twice. None is longer than a name, since it stands in the answer once for each object.
func deferRules(labelBytes int) core.RuleFunc {
	return func(observers *core.Events, addError core.AddErrFunc) {
		labels := map[string]*ast.Position{}
		observers.OnDirective(func(_ *core.Walker, directive *ast.Directive) {
			if directive.Name != directiveDefer {
				return
			}
			if object := directive.ParentDefinition; object != nil && (object.Name == "Mutation" || object.Name == "Subscription") {
				addError(core.Message("Defer directive cannot be used on root %s type %q.", object.Name, object.Name), core.At(directive.Position))
			}
			label := directive.Arguments.ForName("label")
			switch {
			case label == nil || label.Value.Kind == ast.NullValue:
			case label.Value.Kind == ast.Variable:
				addError(core.Message("Defer directive label argument must be a static string."), core.At(directive.Position))
			case len(label.Value.Raw) > labelBytes:
				addError(core.Message("Defer directive label argument must not be longer than %d bytes.", labelBytes), core.At(directive.Position))
			case labels[label.Value.Raw] == nil:
				labels[label.Value.Raw] = directive.Position
			case labels[label.Value.Raw] != directive.Position: // the walk meets a fragment wherever it is spread
				addError(core.Message("Defer directive label argument must be unique."), core.At(directive.Position))
			}
		})
	}
}

package operation

import (
	"errors"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// validationRules are gqlparser's, in a fixed order, but for those that take too long or are stood in for.
func validationRules(b Bounds) []core.Rule {
	set := rules.NewDefaultRules()
	set.ReplaceRule(rules.OverlappingFieldsCanBeMergedRule.Name, fieldsCanMerge)
	set.RemoveRule(rules.MaxIntrospectionDepth.Name) // is a bound
	set.RemoveRule(rules.NoFragmentCyclesRule.Name)  // is a bound
	// Its suggestions compare strings of any length with the values of an enum.
	set.ReplaceRule(rules.ValuesOfCorrectTypeRule.Name, rules.ValuesOfCorrectTypeRuleWithoutSuggestions.RuleFunc)
	set.AddRule("IntsInRange", intsInRange)
	set.AddRule("Defer", deferRules(b.NameBytes))
	var list []core.Rule
	for name, rule := range set.GetInner() {
		list = append(list, core.Rule{Name: name, RuleFunc: rule})
	}
	slices.SortFunc(list, func(a, b core.Rule) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// validate runs the rules over a document that is within the bounds, and stops when it has found enough.
func (p *Preparer) validate(schema *ast.Schema, doc *ast.QueryDocument) (errs gqlerror.List) {
	found := findings{most: p.bounds.Errors, seen: map[finding]bool{}}
	defer func() {
		switch value := recover(); value {
		case nil:
		case errEnough:
			errs = append(found.errors, refuse(CodeValidationFailed, "there are further errors: correct these first"))
		default:
			panic(value)
		}
	}()
	observers := &core.Events{}
	for _, rule := range p.rules {
		rule.RuleFunc(observers, found.add)
	}
	core.Walk(schema, doc, observers)
	return found.errors
}

// findings are errors that differ. The walk meets a fragment again in each fragment that spreads it.
type findings struct {
	most, met int
	bytes     int
	errors    gqlerror.List
	seen      map[finding]bool
}

type finding struct {
	message string
	at      gqlerror.Location
}

// errEnough ends the walk, which knows no other end than its own.
var errEnough = errors.New("enough errors")

const (
	repeats       = 5       // how often an error may come again, on average, before the walk ends
	maxFoundBytes = 1 << 16 // of messages; they may quote the document
	maxShownRunes = 300     // of one message
)

func (f *findings) add(options ...core.ErrorOption) {
	if f.met++; f.met > repeats*f.most || f.bytes > maxFoundBytes {
		panic(errEnough)
	}
	err := &gqlerror.Error{}
	for _, option := range options {
		option(err)
	}
	f.bytes += len(err.Message)
	err.Message = shorten(err.Message)
	err.Extensions = map[string]any{"code": CodeValidationFailed}
	key := finding{message: err.Message}
	if len(err.Locations) > 0 {
		key.at = err.Locations[len(err.Locations)-1]
	}
	if f.seen[key] {
		return
	}
	if len(f.errors) == f.most {
		panic(errEnough)
	}
	f.seen[key] = true
	f.errors = append(f.errors, err)
}

// shorten keeps the beginning of a long message.
func shorten(message string) string {
	message = strings.ToValidUTF8(message, "\uFFFD") // the lexer's quotations may end within a rune
	runes := 0
	for i := range message {
		if runes++; runes > maxShownRunes {
			return message[:i] + "…"
		}
	}
	return message
}

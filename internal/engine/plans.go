package engine

import (
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
)

// maxOutcomes bounds the plans of one operation: more than so many different values of @skip and @include are planned anew each time.
const maxOutcomes = 32

// Plans are the plans of one operation, made as they are needed. Whoever caches the document keeps them beside it. It is safe for
// concurrent use; the zero value is not, see NewPlans.
type Plans struct {
	tables     *Tables
	op         *ast.OperationDefinition
	conditions []string
	mu         sync.RWMutex
	plans      map[string]*Plan
}

// NewPlans prepares to plan an operation of a valid document, which must not be changed afterwards.
func NewPlans(t *Tables, op *ast.OperationDefinition) *Plans {
	return &Plans{tables: t, op: op, conditions: conditions(op), plans: map[string]*Plan{}}
}

// For is the plan for the values of these variables, which are coerced.
func (p *Plans) For(vars map[string]any) (*Plan, error) {
	var outcome [64]byte
	key := outcome[:0]
	for _, name := range p.conditions {
		value, _ := vars[name].(bool)
		key = append(key, map[bool]byte{false: '0', true: '1'}[value])
	}
	p.mu.RLock()
	plan := p.plans[string(key)]
	p.mu.RUnlock()
	if plan != nil {
		return plan, nil
	}
	plan, err := compile(p.tables, p.op, p.conditions, vars)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.plans) < maxOutcomes {
		p.plans[string(key)] = plan
	}
	return plan, nil
}

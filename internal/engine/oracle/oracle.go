// Package oracle compares two executors of operations: it draws valid operations from a schema, runs each on both, and makes
// an operation that tells them apart as small as it can. It is for tests, and knows no type of the domain.
package oracle

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/operation"
)

// Config is what operations are drawn from. Every function may be nil but Prepare.
type Config struct {
	Schema  *ast.Schema
	Prepare func(operation.Request) (*operation.Prepared, gqlerror.List) // judges what is drawn

	// Value gives a value for an argument or a member of an input object by its schema coordinate, such as "Query.user(id:)"
	// or "AuditFilter.actorId": nil, bool, int, float64, string (of enums too), []any or map[string]any. Where it is not ok
	// the value is drawn from the type.
	Value func(r *rand.Rand, coordinate string) (value any, ok bool)

	// Arguments names the optional arguments that a field is given, by its coordinate, such as "Query.users". Where it is
	// not ok any of them may be.
	Arguments func(r *rand.Rand, coordinate string) (names []string, ok bool)

	// Leave tells of fields that are never drawn, by coordinate: those whose answers differ from one run to the next.
	Leave func(coordinate string) bool

	MutationShare float64 // of the operations that are mutations, 0 to 1

	// Narrow are the only root fields that a share of the queries has: what an executor does for them alone is rare among all.
	Narrow      []string
	NarrowShare float64

	Depth  int // fields one inside the other; 0: 8
	Fields int // about how many an operation selects; 0: 40
}

// Generator draws operations. It is safe for concurrent use.
type Generator struct {
	Config
	types overlaps
}

// attempts bounds how often an operation is drawn again because Prepare refused it.
const attempts = 50

// NewGenerator makes a Generator.
func NewGenerator(c Config) *Generator {
	if c.Depth == 0 {
		c.Depth = 8
	}
	if c.Fields == 0 {
		c.Fields = 40
	}
	return &Generator{c, newOverlaps(c.Schema)}
}

// Drawn is an operation and where it comes from.
type Drawn struct {
	Seed     uint64
	Request  operation.Request
	Prepared *operation.Prepared
	Refused  gqlerror.List // why what was drawn before it was refused, one for each
}

// Draw gives the operation of a seed, the same one each time. The error says why nothing that was drawn could be prepared.
func (g *Generator) Draw(seed uint64) (*Drawn, error) {
	drawn := &Drawn{Seed: seed}
	for attempt := range uint64(attempts) {
		d := &draw{Generator: g, r: rand.New(rand.NewPCG(seed, attempt)), left: g.Fields, values: map[string]any{}}
		drawn.Request = d.operation()
		prepared, errs := g.Prepare(drawn.Request)
		if errs == nil {
			drawn.Prepared = prepared
			return drawn, nil
		}
		drawn.Refused = append(drawn.Refused, errs[0])
	}
	return nil, fmt.Errorf("seed %d: %d operations in a row were refused, the last with %w:\n%s", seed, attempts, drawn.Refused[attempts-1], Show(drawn.Request))
}

// Show is a request as one can read and repeat it.
func Show(r operation.Request) string {
	if len(r.Variables) == 0 {
		return r.Query
	}
	variables, err := json.Marshal(r.Variables)
	if err != nil {
		variables = fmt.Append(nil, r.Variables)
	}
	return r.Query + "variables: " + string(variables)
}

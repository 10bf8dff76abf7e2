package explain

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/engine"
	"tributary/internal/limit"
)

// Static is what can be told of an operation that has not run.
type Static struct {
	Operation *ast.OperationDefinition
	Plan      *engine.Description
	Cost      *limit.Plan
	Variables map[string]any // coerced, with what stands in for those that are missing
	Missing   []string       // variables that something stands in for
	Largest   int            // what stands in for a size
	MaxCost   int64          // of one operation, in points; 0: no bound
	Extents   []Extent
}

// Extent is how much of one of the server's bounds an operation takes up.
type Extent struct {
	What      string
	Has, Most int
}

// Totals are what an operation comes to at most; math.MaxInt64 stands for that many or any more.
type Totals struct {
	Calls   int64 // of resolvers
	Levels  int   // of fields with calls, each waiting for the one above, or in a mutation for the root field before
	Objects int64
}

// Totals adds up what Write prints.
func (s *Static) Totals() Totals {
	_, total := s.sketch()
	return total
}

func (s *Static) sketch() (twig, Totals) {
	k := sketch{serial: s.Plan.Serial}
	body := k.branch(s.Plan.Places, s.Cost.Sizes(s.Variables))
	return body, Totals{k.calls, body.levels, k.objects}
}

// Write prints the tree of places with what each comes to at most, then the cost and the bounds.
func (s *Static) Write(w io.Writer) error {
	body, total := s.sketch()
	head := strings.TrimSpace(string(s.Operation.Operation)+" "+s.Operation.Name) + ", without running it"
	if s.Operation.Operation == ast.Subscription {
		head += ": one event"
	}
	if _, err := fmt.Fprintf(w, "%s\nat most %s, %s, %s\n%s\n", head, many(total.Calls, "call of a resolver", "calls of resolvers"),
		many(int64(total.Levels), "level", "levels"), many(total.Objects, "object", "objects"), s.notes()); err != nil {
		return err
	}
	var tree bytes.Buffer
	table := tabwriter.NewWriter(&tree, 0, 0, 2, ' ', 0)
	body.write(table, "")
	if err := table.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(tree.String()) { // a type among others has nothing in the last column
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
	return s.writeBounds(w)
}

// notes says what the numbers rest on.
func (s *Static) notes() string {
	var text strings.Builder
	if len(s.Missing) > 0 {
		fmt.Fprintf(&text, "without a value: $%s; counted as %d where it is a size, and as selected by @skip and @include\n", strings.Join(s.Missing, ", $"), s.Largest)
	}
	if s.Plan.Cut {
		text.WriteString("there are more places than can be shown: the numbers above leave out the rest\n")
	}
	return text.String()
}

func (s *Static) writeBounds(w io.Writer) error {
	most := "any number"
	if s.MaxCost > 0 {
		most = fmt.Sprint(s.MaxCost)
	}
	points := s.Cost.Estimate(s.Variables)
	fmt.Fprintf(w, "\ncost: at most %s of %s\n", many(points, "point", "points"), most)
	if s.MaxCost > 0 && points > s.MaxCost {
		fmt.Fprintln(w, "that is more than one operation may cost: it is refused")
	}
	if err := writeFields(w, s.Cost.Fields(s.Variables)); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nbounds of the document")
	for _, extent := range s.Extents {
		if _, err := fmt.Fprintf(w, "%7d of %-6d %s\n", extent.Has, extent.Most, extent.What); err != nil {
			return err
		}
	}
	return nil
}

package limit

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// compiler makes a Plan. Selections that come to the same fields on the same type are compiled once, however many fragments
// lead to them, so that its work grows with the plan and not with what the plan expands to.
type compiler struct {
	model      *Model
	fragments  map[string]*ast.FragmentDefinition
	plan       *Plan
	visits     int
	conditions map[condition]conditionID

	fields  map[*ast.Field]uint64 // numbers them
	known   map[string]int32      // selections, by type, fields and sizes from above
	same    map[string]int32      // selections, by what they cost
	ownOf   map[costOf]int32
	owns    map[string]int32
	charges map[placeKey]int32
	sizes   map[sizeKey]int32
}

type costOf struct {
	field *ast.Field
	model *fieldModel
}

type placeKey struct {
	variable, typeName   string
	weight, fallbackCost milli
}

type sizeKey struct {
	field *ast.Field // nil for a size that does not vary
	from  *sizing
	fixed int64
}

// inherited is a size that a field above gives to a list below.
type inherited struct {
	path []string
	size int32
}

// Plan compiles an operation of a document that is valid in the model's schema. The error is ErrTooLarge for one that selects
// more than 20,000 times something, counted over the possible types of what it is selected on.
func (m *Model) Plan(doc *ast.QueryDocument, op *ast.OperationDefinition) (*Plan, error) {
	root := m.roots[op.Operation]
	if root == nil {
		root = &typeModel{}
	}
	c := &compiler{
		model: m, plan: &Plan{model: m, conditions: make([]condition, 1)}, conditions: map[condition]conditionID{},
		fragments: make(map[string]*ast.FragmentDefinition, len(doc.Fragments)), fields: map[*ast.Field]uint64{},
		known: map[string]int32{}, same: map[string]int32{}, ownOf: map[costOf]int32{}, owns: map[string]int32{},
		charges: map[placeKey]int32{}, sizes: map[sizeKey]int32{},
	}
	for _, fragment := range doc.Fragments {
		c.fragments[fragment.Name] = fragment
	}
	groups, err := c.collect(root, []source{{op.SelectionSet, alwaysHolds}})
	if err != nil {
		return nil, err
	}
	last, err := c.selection(root, groups, nil)
	if err != nil {
		return nil, err
	}
	return c.finish(last), nil
}

// finish cuts the plan at the operation's selection, which comes last: nothing holds the operation's own type deeper down but
// a selection that is the same.
func (c *compiler) finish(last int32) *Plan {
	p := c.plan
	p.selections = p.selections[:last+1]
	root := p.selections[last]
	p.rigid = !slices.ContainsFunc(p.steps[root.first:root.next], func(s step) bool { return s.varies })
	p.uncounted = !p.countable()
	varies := len(p.conditions) > 1 || len(p.variables) > 0
	for _, s := range p.sizes {
		varies = varies || len(s.sources) > 0
	}
	if !varies {
		p.still = p.evaluate(nil)
	}
	return p
}

// selection compiles what is selected on a concrete type, or finds it done.
func (c *compiler) selection(on *typeModel, groups []group, from []inherited) (int32, error) {
	key := c.selectionKey(on, groups, from)
	if id, ok := c.known[key]; ok {
		return id, nil
	}
	steps := make([]step, 0, len(groups))
	costly := on.weight > 0
	for _, group := range groups {
		s, err := c.step(on, group, from)
		if err != nil {
			return 0, err
		}
		costly = costly || s.varies || slices.ContainsFunc(s.choices, func(choice choice) bool { return c.plan.owns[choice.own].costs() })
		steps = append(steps, s)
	}
	content := contentKey(on.weight, steps)
	id, ok := c.same[content]
	if !ok {
		p := c.plan
		first := int32(len(p.steps))
		p.steps = append(p.steps, steps...)
		id = int32(len(p.selections))
		p.selections = append(p.selections, selection{on.weight, first, int32(len(p.steps)), costly})
		c.same[content] = id
	}
	c.known[key] = id
	return id, nil
}

// selectionKey is the same for what compiles to the same selection.
func (c *compiler) selectionKey(on *typeModel, groups []group, from []inherited) string {
	key := append([]byte(on.name), 0)
	for _, group := range groups {
		for _, occurrence := range group.occurrences {
			number, ok := c.fields[occurrence.field]
			if !ok {
				number = uint64(len(c.fields)) + 1
				c.fields[occurrence.field] = number
			}
			key = binary.AppendUvarint(key, number)
			key = binary.AppendUvarint(key, uint64(occurrence.under))
		}
		key = append(key, 0)
	}
	for _, size := range from {
		key = binary.AppendUvarint(key, uint64(size.size))
		key = append(append(key, strings.Join(size.path, ".")...), 0)
	}
	return string(key)
}

// contentKey is the same for selections that differ in nothing but the type they are on.
func contentKey(weight milli, steps []step) string {
	key := binary.AppendVarint(nil, int64(weight))
	for _, s := range steps {
		key = append(append(key, s.key...), 0)
		if s.typename {
			key = append(key, 1)
		}
		for _, n := range []int64{int64(s.leaf), int64(s.lists), int64(s.size), int64(len(s.choices)), int64(len(s.members))} {
			key = binary.AppendVarint(key, n)
		}
		for _, choice := range s.choices {
			key = binary.AppendVarint(key, int64(choice.under))
			key = binary.AppendVarint(key, int64(choice.own))
		}
		for _, member := range s.members {
			key = append(append(key, member.typeName...), 0)
			key = binary.AppendVarint(key, int64(member.selection))
		}
	}
	return string(key)
}

package engine

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// enter gives a call for many objects the context of its field, whose path has no list indexes.
func (st *step) enter(ctx context.Context) (context.Context, *graphql.FieldContext) {
	fc := st.context
	ctx = graphql.WithFieldContext(ctx, &fc)
	fc.Parent = st.context.Parent
	return ctx, &fc
}

// enter gives a call for one object the context of its field, with its whole path.
func (col *column) enter(ctx context.Context, place int, st *step) (context.Context, *graphql.FieldContext) {
	fc := st.context
	ctx = graphql.WithFieldContext(ctx, &fc)
	fc.Parent = col.trail(place)
	return ctx, &fc
}

// trail is the field context of an object, up to the root.
func (col *column) trail(place int) *graphql.FieldContext {
	if col.above == nil {
		return nil
	}
	parent := int(col.parents[place])
	fc := col.step.context
	fc.Parent = col.above.trail(parent)
	if col.indexes == nil {
		return &fc
	}
	index := int(col.indexes[place])
	return &graphql.FieldContext{Parent: &fc, Index: &index}
}

// element is the field context of one element of a list, which may be null.
func element(field *graphql.FieldContext, index int) *graphql.FieldContext {
	return &graphql.FieldContext{Parent: field, Index: &index}
}

type parentsKey struct{}

// parents is which objects a batch resolver is called for.
type parents struct{ col *column }

func withParents(ctx context.Context, col *column) context.Context {
	return context.WithValue(ctx, parentsKey{}, parents{col})
}

// ParentPath is the path of the field of ctx under the i-th of the parents that its batch resolver was called for; false when another
// executor called it.
func ParentPath(ctx context.Context, i int) (ast.Path, bool) {
	p, ok := ctx.Value(parentsKey{}).(parents)
	if !ok || i >= len(p.col.objs) {
		return nil, false
	}
	fc := *graphql.GetFieldContext(ctx)
	fc.Parent = p.col.trail(i)
	return fc.Path(), true
}

package engine

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
)

// errShort stands for values that cannot be told to belong to their parents.
var errShort = errors.New("a batch resolver gave another number of values than it was given parents")

// unlocated is an error that gqlgen reports without its place in the document: of arguments, and of panics.
type unlocated struct{ error }

// read reads a field that stands in its objects.
func (r *run) read(ctx context.Context, col *column, st *step) {
	r.each(ctx, col, st, st.field.Get, false)
}

// resolve calls the resolver of a field for all objects of a column: once when it takes many, else for one after the other.
func (r *run) resolve(ctx context.Context, col *column, st *step) {
	if st.field.Batch == nil {
		r.each(ctx, col, st, st.field.Resolve, true)
		return
	}
	res := &col.results[st.slot]
	in, fc := st.enter(ctx)
	args, err := r.prepare(in, st)
	if err != nil {
		res.errs = r.refused(ctx, col, st, err)
		return
	}
	fc.Args = args
	value, err := r.call(withParents(in, col), func(ctx context.Context) (any, error) {
		return st.field.Batch(ctx, col.objs, args)
	})
	values, _ := value.([]any)
	if list, ok := errors.AsType[graphql.BatchErrors](err); ok && len(list.Errors()) == len(col.objs) {
		res.errs, err = list.Errors(), nil
	}
	if err == nil && len(values) != len(col.objs) {
		err = errShort
	}
	if res.err = err; err != nil {
		return
	}
	for i, err := range res.errs {
		if err != nil {
			values[i] = nil // nothing is asked of a value that comes with an error
		}
	}
	r.keep(in, res, col, st, values)
}

// each calls something for one object after the other.
func (r *run) each(ctx context.Context, col *column, st *step, call func(context.Context, any, map[string]any) (any, error), around bool) {
	res := &col.results[st.slot]
	in := ctx
	if st.field.Args != nil {
		in, _ = st.enter(ctx)
	}
	args, err := r.prepare(in, st)
	if err != nil {
		res.errs = r.refused(ctx, col, st, err)
		return
	}
	values := make([]any, len(col.objs))
	for i, obj := range col.objs {
		in := ctx
		var err error
		if around {
			var fc *graphql.FieldContext
			in, fc = col.enter(ctx, i, st)
			fc.Args = args
			values[i], err = r.call(in, func(ctx context.Context) (any, error) { return call(ctx, obj, args) })
		} else {
			values[i], err = r.guard(in, func(ctx context.Context) (any, error) { return call(ctx, obj, args) })
		}
		if err != nil {
			if res.errs == nil {
				res.errs = make([]error, len(col.objs))
			}
			values[i], res.errs[i] = nil, err // nothing is asked of a value that comes with an error
		}
	}
	r.keep(ctx, res, col, st, values)
}

// prepare coerces the arguments of a field and then, in gqlgen's order, asks whether it may be read.
func (r *run) prepare(ctx context.Context, st *step) (args map[string]any, err error) {
	_, err = r.guard(ctx, func(ctx context.Context) (any, error) {
		if args, err = st.arguments(ctx, r.Vars); err == nil && r.Denied != nil {
			err = r.Denied(st.field.Object, st.field.Name)
		}
		return nil, err
	})
	return args, err
}

// refused is why a field cannot be called, for each place: errors of arguments have paths, which differ by place.
func (r *run) refused(ctx context.Context, col *column, st *step, why error) []error {
	errs := make([]error, len(col.objs))
	for i := range errs {
		in, _ := col.enter(ctx, i, st)
		if _, errs[i] = r.prepare(in, st); errs[i] == nil {
			errs[i] = why
		}
	}
	return errs
}

// call calls a resolver behind what stands around it.
func (r *run) call(ctx context.Context, resolver graphql.Resolver) (any, error) {
	if r.Around == nil {
		return r.guard(ctx, resolver)
	}
	return r.guard(ctx, func(ctx context.Context) (any, error) { return r.Around(ctx, resolver) })
}

// guard turns a panic into the error that stands for it.
func (r *run) guard(ctx context.Context, resolver graphql.Resolver) (value any, err error) {
	defer func() {
		if p := recover(); p != nil {
			value, err = nil, unlocated{graphql.GetOperationContext(ctx).RecoverFunc(ctx, p)}
		}
	}()
	return resolver(ctx)
}

// keep keeps the values of a field: those of a leaf as they are, objects in columns below.
func (r *run) keep(ctx context.Context, res *result, col *column, st *step, values []any) {
	if st.below == nil {
		res.values = values
		return
	}
	if _, err := r.guard(ctx, func(context.Context) (any, error) { bind(res, col, st, values); return nil, nil }); err != nil {
		*res = result{err: err}
	}
}

// maxRoom bounds the room that is made on the guess that all lists are as long as the first.
const maxRoom = 4096

func bind(res *result, col *column, st *step, values []any) {
	b := binder{res: res, col: col, st: st}
	if !st.field.List {
		res.refs = make([]ref, 0, len(values))
		b.room = len(values)
		for i, value := range values {
			b.bind(value, i, -1)
		}
		return
	}
	res.ends = make([]int32, len(values))
	var elements []any
	for i, value := range values {
		var some bool
		if value != nil {
			elements, some = st.field.Items(value, elements[:0])
		}
		if !some && !(st.field.NonNull && value != nil) {
			res.ends[i] = ^int32(len(res.refs))
			continue
		}
		if res.refs == nil && len(elements) > 0 {
			n := min(len(elements)*(len(values)-i), maxRoom)
			res.refs = make([]ref, 0, n)
			b.room = n
		}
		for at, element := range elements {
			b.bind(element, i, at)
		}
		res.ends[i] = int32(len(res.refs))
	}
}

// binder puts the objects of one field into columns by their types.
type binder struct {
	res  *result
	col  *column
	st   *step
	room int // objects that are expected
}

func (b *binder) bind(value any, parent, index int) {
	typ := b.st.field.Type
	if value != nil && typ.Of != nil {
		typ, value = typ.Of(value)
	}
	if value == nil || typ.hidden {
		b.res.refs = append(b.res.refs, ref{column: -1})
		return
	}
	number := b.column(typ)
	below := b.res.below[number]
	b.res.refs = append(b.res.refs, ref{int32(number), int32(len(below.objs))})
	below.objs = append(below.objs, value)
	below.parents = append(below.parents, int32(parent))
	if index >= 0 {
		below.indexes = append(below.indexes, int32(index))
	}
}

// column is the number of the column for objects of a type.
func (b *binder) column(typ *Type) int {
	for i, below := range b.res.below {
		if below.sel.typ == typ {
			return i
		}
	}
	sel := b.st.below.of(typ)
	below := &column{
		sel: sel, above: b.col, step: b.st, results: make([]result, sel.slots),
		objs: make([]any, 0, b.room), parents: make([]int32, 0, b.room),
	}
	if b.st.field.List {
		below.indexes = make([]int32, 0, b.room)
	}
	b.res.below = append(b.res.below, below)
	return len(b.res.below) - 1
}

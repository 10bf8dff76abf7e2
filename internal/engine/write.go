package engine

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// What gqlgen says of a null where the schema allows none.
var (
	errNullField   = errors.New("must not be null")
	errNullElement = errors.New("the requested element is null which the schema does not allow")
)

// answer writes the answer of one run: walks the columns once, in the order of the query, reports errors where the value would stand,
// and lets a null rise by cutting the buffer back to where its object began.
type answer struct {
	r   *run
	ctx context.Context
	b   []byte
	cut bool // a null rose, and not all that stands in columns is in the answer
}

// buffers are reused between answers, which are copied out of them.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

const maxKept = 1 << 20 // a larger buffer is left to the collector

func (r *run) write(ctx context.Context, root *column) []byte {
	buffer := buffers.Get().(*[]byte)
	a := answer{r: r, ctx: ctx, b: (*buffer)[:0]}
	if !a.object(root, 0) {
		a.b = append(a.b[:0], "null"...)
	}
	if r.Counts != nil && !a.cut {
		*r.Counts = count(root)
	}
	data := bytes.Clone(a.b)
	if cap(a.b) <= maxKept {
		*buffer = a.b
		buffers.Put(buffer)
	}
	return data
}

// object writes one object; false, and nothing written, when a null rises to it. What follows the null is walked all the same: its
// errors are errors of the answer too.
func (a *answer) object(col *column, place int) bool {
	start, whole := len(a.b), true
	a.b = append(a.b, '{')
	for i, st := range col.sel.steps {
		if i > 0 {
			a.b = append(a.b, ',')
		}
		a.b = append(a.b, st.key...)
		if !a.field(col, place, st) {
			whole = false
		}
	}
	if !whole {
		a.b, a.cut = a.b[:start], true
		return false
	}
	a.b = append(a.b, '}')
	return true
}

// field writes the value of a field; false when it is null and may not be.
func (a *answer) field(col *column, place int, st *step) bool {
	switch {
	case st.field == nil:
		a.b = append(a.b, st.literal...)
		return true
	case st.slot < 0:
		return a.leaf(col, place, st)
	}
	res := &col.results[st.slot]
	err := res.err
	if err == nil && res.errs != nil {
		err = res.errs[place]
	}
	if err != nil {
		a.fail(col, place, st, err)
		return a.null(st)
	}
	switch {
	case st.below == nil:
		return a.value(col, place, st, res.values[place])
	case st.field.List:
		return a.list(col, place, st, res)
	default:
		return a.one(col, place, st, res)
	}
}

func (a *answer) null(st *step) bool {
	if st.field.NonNull {
		return false
	}
	a.b = append(a.b, "null"...)
	return true
}

// leaf writes a leaf that stands in its object.
func (a *answer) leaf(col *column, place int, st *step) bool {
	if a.r.Denied != nil {
		if err := a.r.Denied(st.field.Object, st.field.Name); err != nil {
			a.fail(col, place, st, err)
			return a.null(st)
		}
	}
	ok := true
	if a.b, ok = st.field.Append(a.b, col.objs[place]); ok {
		return true
	}
	return a.missing(col, place, st, errNullElement)
}

// value writes a leaf that a resolver gave.
func (a *answer) value(col *column, place int, st *step, value any) bool {
	ok := value != nil
	if ok {
		if a.b, ok = st.field.Value(a.b, value); ok {
			return true
		}
	}
	return a.missing(col, place, st, errNullElement)
}

// missing writes a null that no error has explained.
func (a *answer) missing(col *column, place int, st *step, why error) bool {
	if st.field.NonNull {
		fc := st.context
		fc.Parent = col.trail(place)
		a.explain(&fc, why)
	}
	return a.null(st)
}

func (a *answer) one(col *column, place int, st *step, res *result) bool {
	to := res.refs[place]
	if to.column < 0 {
		why := errNullElement
		if st.field.Type.Of != nil {
			why = errNullField
		}
		return a.missing(col, place, st, why)
	}
	return a.object(res.below[to.column], int(to.place)) || a.null(st)
}

func (a *answer) list(col *column, place int, st *step, res *result) bool {
	end, begin := res.ends[place], int32(0)
	if end < 0 {
		return a.missing(col, place, st, errNullField)
	}
	if place > 0 {
		begin = max(res.ends[place-1], ^res.ends[place-1])
	}
	start, whole := len(a.b), true
	a.b = append(a.b, '[')
	for i, to := range res.refs[begin:end] {
		if i > 0 {
			a.b = append(a.b, ',')
		}
		if to.column >= 0 && a.object(res.below[to.column], int(to.place)) {
			continue
		}
		if !st.field.ElemNonNull {
			a.b = append(a.b, "null"...)
			continue
		}
		if whole = false; to.column < 0 {
			field := st.context
			field.Parent = col.trail(place)
			a.explain(element(&field, i), errNullElement)
		}
	}
	if !whole {
		a.b, a.cut = a.b[:start], true
		return a.null(st)
	}
	a.b = append(a.b, ']')
	return true
}

// fail reports the error of a field.
func (a *answer) fail(col *column, place int, st *step, err error) {
	ctx, _ := col.enter(a.ctx, place, st)
	plain, ok := err.(unlocated)
	if ok {
		err = plain.error
	}
	if shared, ok := err.(*gqlerror.Error); ok { // gqlgen notes the place in it, and one error may stand at many
		own := *shared
		err = &own
	}
	if !ok {
		err = graphql.AddFieldLocationToError(ctx, err)
	}
	graphql.AddError(ctx, err)
}

// explain reports a null that is not allowed, unless an error has been reported there.
func (a *answer) explain(fc *graphql.FieldContext, why error) {
	parent := fc.Parent
	ctx := graphql.WithFieldContext(a.ctx, fc)
	fc.Parent = parent
	if !graphql.HasFieldError(ctx, fc) {
		graphql.AddError(ctx, why)
	}
}

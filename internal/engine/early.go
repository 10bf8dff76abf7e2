package engine

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// early is what has begun of an object before the object is there. It runs on a column of its own, with a provisional object, in a
// context of its own. When the object comes, the results become those of its column; when it does not, nobody learns of them.
type early struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	col    *column // of the provisional object; the paths that lead through it are those of the real one's
	steps  []*step
	work   sync.WaitGroup
	kept   bool // the object came
	adopt  func(context.Context)
	mu     sync.Mutex
	errs   []heldError
}

// heldError is an error that a field has reported itself, with the field's context.
type heldError struct {
	ctx context.Context
	err error
}

// errDropped is why the context of an early start ends whose object does not exist.
var errDropped = errors.New("the object that this began for does not exist")

func dropped(ctx context.Context) bool {
	return ctx.Err() != nil && context.Cause(ctx) == errDropped
}

// ahead begins beside root fields what needs nothing of their objects but the keys, and notes it in their jobs. It does so for all that
// lead further or for none, see Plan.markEarly. Rights are checked before: what is denied never begins.
func (r *run) ahead(ctx context.Context, jobs []job) []*early {
	var all []*early
	for _, st := range r.plan.early {
		i := slices.IndexFunc(jobs, func(j job) bool { return j.st == st })
		e := r.provisional(ctx, jobs[i])
		if e == nil {
			for _, other := range all {
				other.cancel(nil)
			}
			return nil
		}
		all = append(all, e)
	}
	for n, st := range r.plan.early {
		i := slices.IndexFunc(jobs, func(j job) bool { return j.st == st })
		jobs[i].early = all[n]
	}
	for _, e := range all {
		r.gate.enter(len(e.steps))
		for _, st := range e.steps {
			e.work.Go(func() {
				r.do(job{ctx: e.ctx, col: e.col, st: st})
				r.gate.leave()
			})
		}
	}
	return all
}

// provisional makes ready what begins beside one field; nil when its object cannot be told or something of it could not begin with it.
func (r *run) provisional(ctx context.Context, j job) *early {
	var typ *Type
	var obj any
	in, _ := j.st.enter(ctx)
	if _, err := r.guard(in, func(ctx context.Context) (any, error) {
		args, err := r.prepare(ctx, j.st)
		if err != nil {
			return nil, err // which the field will meet again, and report
		}
		told, ok := j.st.field.Early(ctx, args)
		if typ = j.st.field.Type; ok && typ.Of != nil {
			typ, told = typ.Of(told)
		}
		if ok {
			obj = told
		}
		return nil, nil
	}); err != nil || obj == nil {
		return nil
	}
	sel := j.st.below.of(typ)
	if sel.late {
		return nil
	}
	e := &early{adopt: func(context.Context) {}}
	e.col = &column{sel: sel, above: j.col, step: j.st, objs: []any{obj}, parents: []int32{0}, results: make([]result, sel.slots)}
	for _, st := range sel.early {
		if r.Denied == nil || r.Denied(st.field.Object, st.field.Name) == nil {
			e.steps = append(e.steps, st)
		}
	}
	e.ctx, e.cancel = context.WithCancelCause(ctx)
	e.ctx = graphql.WithResponseContext(e.ctx, e.hold, graphql.GetOperationContext(ctx).RecoverFunc)
	if r.Fork != nil {
		e.ctx, e.adopt = r.Fork(e.ctx, obj)
	}
	return e
}

// hold keeps an error until it is known whether anybody is told. It stands in for the presenter.
func (e *early) hold(ctx context.Context, err error) *gqlerror.Error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.errs = append(e.errs, heldError{ctx, err})
	return nil
}

// settle goes on below a field beside which something has begun: takes that over if the object came, else ends it, and waits for it
// either way.
func (r *run) settle(j job) {
	e := j.early
	var jobs []job
	var real *column
	for _, below := range j.col.results[j.st.slot].below {
		if below.sel != e.col.sel {
			jobs = r.expand(j.ctx, below, jobs)
			continue
		}
		real = below
		for _, st := range below.sel.steps {
			if st.slot >= 0 && !slices.Contains(e.steps, st) {
				jobs = r.begin(j.ctx, below, st, jobs)
			}
		}
	}
	if real == nil {
		e.cancel(errDropped)
	}
	r.together(jobs)
	r.gate.Outside(e.work.Wait)
	if real != nil {
		e.kept = true
		for _, st := range e.steps {
			real.results[st.slot] = e.col.results[st.slot]
		}
	}
}

// release tells the response, when all of it is there, what the fields of an early start have reported themselves.
func (e *early) release(ctx context.Context) {
	e.cancel(nil)
	if !e.kept {
		return
	}
	e.adopt(ctx)
	for _, held := range e.errs {
		fc := *graphql.GetFieldContext(held.ctx)
		parent := fc.Parent
		in := graphql.WithFieldContext(ctx, &fc)
		fc.Parent = parent
		graphql.AddError(in, held.err)
	}
	told := graphql.GetExtensions(ctx)
	for name, value := range graphql.GetExtensions(e.ctx) {
		if _, ok := told[name]; !ok {
			graphql.RegisterExtension(ctx, name, value)
		}
	}
}

package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// Run is how one operation is run.
type Run struct {
	Vars   map[string]any
	Denied func(object, field string) error // why a field may not be read; nil: every field may
	// Delay is how long loaders wait for keys of fields that wait for something else.
	Delay time.Duration
	// Around stands around every call of a resolver; nil: nothing does.
	Around graphql.FieldMiddleware
	// Renew gives the fields below one root field of a mutation a context of their own; nil: they share one.
	Renew func(context.Context) context.Context
	// Fork gives the fields that begin before their object is there, with a provisional one, a context of their own, in which what they note
	// for the whole response is kept back: adopt notes it, once the object came. The context ends when it did not. nil: nothing is to be kept.
	Fork func(ctx context.Context, obj any) (own context.Context, adopt func(context.Context))
	// Counts takes how many objects the answer has; none when it has no object below its root, or a null rose. Nil: nobody asks.
	Counts *Counts
}

// run is one operation under way. Its context has gqlgen's operation and response contexts.
type run struct {
	Run
	plan *Plan
	gate *Gate
}

// column is all objects of one type that stand at one place of the query, over all lists.
type column struct {
	sel     *selection
	objs    []any
	above   *column // nil at the root
	step    *step   // of above, that led here
	parents []int32 // the place of each object's parent in above
	indexes []int32 // the place of each object in its parent's list; nil when there is no list
	results []result
}

// result is what one field of a column came to.
type result struct {
	err    error   // of the field as a whole: each of its places failed
	errs   []error // of each place, or nil
	values []any   // of a leaf
	refs   []ref   // of objects, in the order of the places, and of the lists there
	ends   []int32 // where the list of each place ends in refs, inverted when it is null; nil when there is no list
	below  []*column
}

// ref is where an object stands: in which of the columns below and at which place. A column below 0 is null.
type ref struct{ column, place int32 }

// job is a field whose value has to be waited for.
type job struct {
	ctx   context.Context
	col   *column
	st    *step
	early *early // what has begun beside it, or nil
}

// Execute runs a plan and returns the JSON of its data: an object, or null when a null rose to the top. It has no spaces and is safe within
// HTML, as json.Marshal writes it. A subscription is run for one event;
// data is nil when its resolver has none for it, or fails. Errors are added to the
// response context of ctx, where errors of a field stand under its path. ctx has gqlgen's operation context too. What panics in a
// resolver is recovered as gqlgen does it.
func (p *Plan) Execute(ctx context.Context, how Run) []byte {
	r := &run{Run: how, plan: p, gate: newGate(how.Delay)}
	root := &column{sel: p.root, objs: []any{nil}, results: make([]result, p.root.slots)}
	ctx = withGate(ctx, r.gate)
	if p.serial {
		for _, st := range p.root.steps {
			if st.slot >= 0 {
				r.together(r.begin(r.rootContext(ctx, st), root, st, nil))
			}
		}
	} else {
		jobs := r.expand(ctx, root, nil)
		begun := r.ahead(ctx, jobs)
		r.together(jobs)
		for _, e := range begun {
			e.release(ctx)
		}
	}
	if p.event && r.skips(ctx, root) {
		return nil
	}
	return r.write(ctx, root)
}

// skips says whether a subscription has nothing to tell of an event, and reports why if something failed.
func (r *run) skips(ctx context.Context, root *column) bool {
	i := slices.IndexFunc(root.sel.steps, func(st *step) bool { return st.slot >= 0 })
	if i < 0 { // all of it is skipped
		return true
	}
	st := root.sel.steps[i]
	res := &root.results[st.slot]
	err := res.err
	if err == nil && res.errs != nil {
		err = res.errs[0]
	}
	if err != nil && err != errNoEvent {
		(&answer{r: r, ctx: ctx}).fail(root, 0, st, err)
	}
	return err != nil
}

// errNoEvent says that a subscription's resolver has nothing to say.
var errNoEvent = errors.New("no event")

// Next is the next event of a subscription's resolver; it ends without one when the channel is closed or ctx ends.
func Next[T any](ctx context.Context, events <-chan *T) (any, error) {
	select {
	case event, ok := <-events:
		if !ok {
			return nil, errNoEvent
		}
		return Pointer(event, nil)
	case <-ctx.Done():
		return nil, errNoEvent
	}
}

// rootContext is the context of one root field of a mutation.
func (r *run) rootContext(ctx context.Context, st *step) context.Context {
	ctx = graphql.WithRootFieldContext(ctx, &graphql.RootFieldContext{Object: st.context.Object, Field: st.context.Field})
	if r.Renew != nil {
		ctx = r.Renew(ctx)
	}
	return ctx
}

// expand reads what stands in the objects of a column, down to where something has to be waited for, and adds those fields to jobs.
func (r *run) expand(ctx context.Context, col *column, jobs []job) []job {
	for _, st := range col.sel.steps {
		if st.slot >= 0 {
			jobs = r.begin(ctx, col, st, jobs)
		}
	}
	return jobs
}

func (r *run) begin(ctx context.Context, col *column, st *step, jobs []job) []job {
	if st.field.Get == nil {
		return append(jobs, job{ctx: ctx, col: col, st: st})
	}
	r.read(ctx, col, st)
	for _, below := range col.results[st.slot].below {
		jobs = r.expand(ctx, below, jobs)
	}
	return jobs
}

// together does jobs side by side, and what follows from each as soon as it is done: one goroutine for each field, none for each
// object. The last one needs none.
func (r *run) together(jobs []job) {
	if len(jobs) == 0 {
		return
	}
	var others sync.WaitGroup
	r.gate.enter(len(jobs) - 1)
	for _, j := range jobs[:len(jobs)-1] {
		others.Go(func() {
			r.do(j)
			r.gate.leave()
		})
	}
	r.do(jobs[len(jobs)-1])
	r.gate.Outside(others.Wait)
}

func (r *run) do(j job) {
	r.resolve(j.ctx, j.col, j.st)
	switch {
	case j.early != nil:
		r.settle(j)
		return
	case dropped(j.ctx):
		return
	}
	var jobs []job
	for _, below := range j.col.results[j.st.slot].below {
		jobs = r.expand(j.ctx, below, jobs)
	}
	r.together(jobs)
}

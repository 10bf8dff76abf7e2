package operation

import (
	"context"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/auth"
	"tributary/internal/engine"
	"tributary/internal/limit"
)

// Part is one of the parts of an answer, as https://github.com/graphql/graphql-wg/blob/main/rfcs/DeferStream.md had them on 2022-08-24.
type Part struct {
	First      *Result        // of the first part; nil for later ones
	Increments []Increment    // of a later part; the last may have none
	Extensions map[string]any // of the last part, when it is not the first: what the operation cost
	HasNext    bool
}

// Increment is what a deferred fragment gives for one object. Data is JSON, null where a null rose out of the fragment.
type Increment struct {
	Label      string
	Path       ast.Path
	Data       json.RawMessage
	Finished   bool // as Result has it
	Errors     gqlerror.List
	Extensions map[string]any
}

// RunDeferred runs an operation with an active @defer, as Run does without, and gives its parts to send, one after the other: what is not
// deferred, and then each fragment as soon as it is there. All parts together are one operation: one price, one deadline, one bound of
// bytes and errors. An error of send ends it. The result is nil after the last part; any other is that of an operation that
// did not run, of which nothing was sent.
func (p *Pipeline) RunDeferred(ctx context.Context, op *Prepared, call Call, send func(*Part) error) *Result {
	bill, start := p.open(op, call), time.Now()
	result := p.forbid(op, call.Viewer)
	if result == nil && op.Kind() == ast.Subscription {
		result = refuseDeferred(op)
	}
	var s *split
	if result == nil {
		s = op.split()
		bill.inParts(s.parts)
		result = bill.admit(ctx)
	}
	if result != nil {
		op.tell(result)
		p.Observe(ctx, op, result, time.Since(start))
		return result
	}
	ctx = engine.WithParts(limit.WithCharge(p.Enter(auth.WithViewer(ctx, call.Viewer), call), bill.charge()), s.ways)
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	d := &delivery{
		pipeline: p, bill: bill, ctx: ctx, cancel: cancel, send: send, denied: op.protected.denied(call.Viewer),
		done: make(chan finished, len(s.parts)), bytesLeft: p.MaxResponseBytes, errorsLeft: p.MaxErrors,
	}
	d.run(s)
	p.noteDeprecated(op, call)
	p.Observe(ctx, op, &d.whole, time.Since(start))
	return nil
}

// delivery is one operation that is answered in parts.
type delivery struct {
	pipeline *Pipeline
	bill     *bill
	ctx      context.Context
	cancel   context.CancelFunc
	send     func(*Part) error
	denied   Denied

	running sync.WaitGroup
	pending int           // parts that are not sent yet
	done    chan finished // has room for all there are: who runs a part never waits for the client

	whole                 Result // what all parts come to, with the data of the first, for who observes
	actual                int64  // points, of the parts that have run
	settled               bool
	bytesLeft, errorsLeft int // of the bounds that there are
}

// finished is a part that has been run.
type finished struct {
	*deferral
	known  []place // its objects that the client has
	result *Result
	kept   *recording
}

// run answers in parts, and returns when nothing works for the answer any more.
func (d *delivery) run(s *split) {
	defer d.running.Wait()
	defer d.cancel()
	kept := &recording{}
	first := d.execute(s.first, kept)
	d.whole.Data = first.Data
	d.actual = d.bill.actual(s.first.Cost, first)
	d.whole.Errors = append(d.whole.Errors, first.Errors...)
	d.pipeline.bound(first)
	d.bytesLeft -= len(first.Data)
	d.errorsLeft -= len(first.Errors)
	d.begin(s.below, []place{{nil, first.Data}}, 0, kept)
	if d.pending == 0 {
		d.settle()
		first.Cost, first.Header, first.Extensions = d.whole.Cost, d.whole.Header, join(first.Extensions, d.whole.Extensions)
	} else {
		d.bill.tell(first, nil)
	}
	d.bill.op.tell(first)
	d.give(&Part{First: first, HasNext: d.pending > 0})
	for d.pending > 0 {
		d.next()
	}
	d.settle()
}

// next takes a part that is done, begins those inside of it and sends it. Of what has no object nothing is sent, unless it is the last.
func (d *delivery) next() {
	f := <-d.done
	d.pending--
	d.actual += d.bill.actual(f.op.Cost, f.result)
	all, objects := increments(f.deferral, f.known, f.result)
	part := &Part{Increments: d.bounded(all)}
	if d.tooLarge() {
		d.stop()
	} else {
		d.begin(f.below, objects, len(f.keys), f.kept)
	}
	if part.HasNext = d.pending > 0; !part.HasNext {
		d.settle()
		part.Extensions = d.whole.Extensions
	}
	if len(part.Increments) > 0 || !part.HasNext {
		d.give(part)
	}
}

// begin runs the deferred fragments whose objects stand in what the client gets now, each on its own goroutine.
func (d *delivery) begin(all []*deferral, above []place, depth int, kept *recording) {
	for _, below := range all {
		var known []place
		for _, object := range above {
			known = append(known, places(object.raw, below.keys[depth:], object.path).objects...)
		}
		if len(known) == 0 {
			continue
		}
		d.pending++
		d.running.Go(func() {
			own := &recording{above: kept}
			d.done <- finished{below, known, d.execute(below.op, own), own}
		})
	}
}

func (d *delivery) execute(op *Prepared, kept *recording) *Result {
	return d.pipeline.Executor.Execute(withRecording(d.ctx, kept), op.given(d.bill.op.Variables), d.denied)
}

// give sends a part. Who cannot be told more is not worked for.
func (d *delivery) give(part *Part) {
	if d.send(part) != nil {
		d.stop()
	}
}

// stop ends the parts under way. What they come to is nobody's.
func (d *delivery) stop() {
	d.cancel()
	for ; d.pending > 0; d.pending-- {
		<-d.done
	}
}

// settle writes the bill over all parts, once.
func (d *delivery) settle() {
	if d.settled {
		return
	}
	d.settled = true
	if d.ctx.Err() != nil {
		d.actual = d.bill.requested // as with any operation that was cancelled
	}
	d.bill.refund(&d.whole, d.actual)
}

func (d *delivery) tooLarge() bool { return d.pipeline.MaxResponseBytes > 0 && d.bytesLeft < 0 }

// bounded leaves out what is beyond the bounds of the whole answer. Behind what is too large comes nothing.
func (d *delivery) bounded(all []Increment) []Increment {
	for i := range all {
		d.whole.Errors = append(d.whole.Errors, all[i].Errors...)
		d.bound(&all[i])
		if d.tooLarge() {
			return all[:i+1]
		}
	}
	return all
}

func (d *delivery) bound(each *Increment) {
	d.bytesLeft -= len(each.Data) + len(each.Label) + len(each.Path.String())
	if d.tooLarge() {
		each.Data = json.RawMessage("null")
		each.Errors = gqlerror.List{refuse(CodeResponseTooLarge, "the answer is larger than this server sends: ask for less at a time")}
		return
	}
	n := len(each.Errors)
	if d.pipeline.MaxErrors == 0 || n == 0 {
		return
	}
	if left := max(0, d.errorsLeft); n > left {
		each.Errors = each.Errors[:left:left]
		if d.errorsLeft >= 0 { // once for all parts
			last := refuse(CodeTooManyErrors, "further errors are left out")
			last.Extensions["omitted"] = n - left
			each.Errors = append(each.Errors, last)
		}
	}
	d.errorsLeft -= n
}

// join is both, of which the second counts where they have the same name.
func join(one, two map[string]any) map[string]any {
	joined := make(map[string]any, len(one)+len(two))
	maps.Copy(joined, one)
	maps.Copy(joined, two)
	return joined
}

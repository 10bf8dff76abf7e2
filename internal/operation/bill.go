package operation

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/limit"
)

// bill is what one operation costs and who pays for it.
type bill struct {
	pipeline  *Pipeline
	op        *Prepared
	parts     []*Prepared // what runs in its place, each at its own price; nil: it runs itself
	call      Call
	requested int64
	decision  *limit.Decision // nil where nothing is limited
}

// costReport is extensions.cost.
type costReport struct {
	Requested      int64             `json:"requested"`
	Actual         *int64            `json:"actual,omitempty"` // none before it ran
	ThrottleStatus throttleStatus    `json:"throttleStatus,omitzero"`
	Fields         []limit.FieldCost `json:"fields,omitempty"`
}

// throttleStatus is the state of the tightest bucket, in points.
type throttleStatus struct {
	Name               string  `json:"name"`
	MaximumAvailable   int64   `json:"maximumAvailable"`
	CurrentlyAvailable int64   `json:"currentlyAvailable"`
	RestoreRate        float64 `json:"restoreRate"` // a second
}

// open writes the estimate on a new bill.
func (p *Pipeline) open(op *Prepared, call Call) *bill {
	return &bill{pipeline: p, op: op, call: call, requested: op.Cost.Estimate(op.Variables)}
}

// inParts has the bill be that of several operations that run in place of one.
func (b *bill) inParts(parts []*Prepared) {
	b.parts, b.requested = parts, 0
	for _, part := range parts {
		b.requested += part.Cost.Estimate(b.op.Variables)
	}
}

func (b *bill) payer() limit.Caller {
	return limit.Caller{UserID: b.call.Viewer.UserID, KeyID: b.call.Viewer.KeyID, IP: b.call.IP}
}

// charge is what resolvers may know of the bill.
func (b *bill) charge() limit.Charge {
	return limit.Charge{Requested: b.requested, Decision: b.decision}
}

// admit debits the estimate. It returns the answer of an operation that is not to run, else nil; then what its caller has written
// through other replicas is known here.
func (b *bill) admit(ctx context.Context) *Result {
	p := b.pipeline
	if b.call.CostDebug == CostDebugDryRun {
		if p.Limiter != nil {
			b.decision = p.Limiter.Admit(ctx, b.payer(), 0) // the question counts as a request
			if !b.decision.Allowed {
				return b.throttled()
			}
		}
		return b.answer(Ran)
	}
	if p.MaxCost > 0 && b.requested > p.MaxCost {
		return b.tooDear(p.MaxCost)
	}
	if p.Limiter == nil {
		return nil
	}
	b.decision = p.Limiter.Admit(ctx, b.payer(), b.requested)
	switch {
	case b.decision.TooDear:
		return b.tooDear(b.decision.Tightest().Size)
	case !b.decision.Allowed:
		return b.throttled()
	}
	if p.Recent != nil && len(b.decision.Writes) > 0 {
		p.Recent(ctx, b.decision.Writes)
	}
	return nil
}

func (b *bill) tooDear(most int64) *Result {
	err := refuse(CodeCostLimitExceeded, fmt.Sprintf("the operation may cost %d points and at most %d are allowed: ask for shorter lists or fewer levels", b.requested, most))
	err.Extensions["cost"], err.Extensions["limit"] = b.requested, most
	result := b.answer(Refused)
	result.Errors = gqlerror.List{err}
	return result
}

func (b *bill) throttled() *Result {
	wait := b.decision.RetryAfter
	err := refuse(CodeThrottled, "too much was asked for in a short time: come back after retryAfterMs")
	err.Extensions["retryAfterMs"] = (wait + time.Millisecond - 1).Milliseconds()
	result := b.answer(Throttled)
	result.Errors = gqlerror.List{err}
	result.Header = append(result.Header, Field{"Retry-After", fmt.Sprint(int64((wait + time.Second - 1) / time.Second))})
	return result
}

// answer is a result without data that tells the cost.
func (b *bill) answer(outcome Outcome) *Result {
	result := &Result{Outcome: outcome}
	b.tell(result, nil)
	return result
}

// settle takes back what the operation turned out not to cost and tells the caller. What was cancelled or ran out of time, late, keeps
// its estimate: its work was done.
func (b *bill) settle(result *Result, late bool) {
	actual := b.requested
	if !late {
		actual = b.actual(b.op.Cost, result)
	}
	b.refund(result, actual)
}

// refund takes back what an operation did not cost and tells the caller.
func (b *bill) refund(result *Result, actual int64) {
	if b.decision != nil {
		b.pipeline.Limiter.Refund(b.decision, b.requested-actual)
	}
	b.tell(result, &actual)
}

// actual is what an operation of this plan did cost. Where nothing failed, counts tell as much as the answer's bytes, and need not be looked for.
func (b *bill) actual(plan *limit.Plan, result *Result) int64 {
	if counts := result.Counts; len(result.Errors) == 0 && counts != nil {
		cost, ok := plan.Counted(b.op.Variables, len(counts), func(i int) limit.Place {
			c := counts[i]
			return limit.Place{Above: c.Above(), Key: c.Key(), Type: c.Type(), Objects: c.Objects()}
		})
		if ok {
			return cost
		}
	}
	return plan.Actual(b.op.Variables, result.Data, b.failures(result.Errors))
}

func (b *bill) failures(errors gqlerror.List) []limit.Failure {
	if len(errors) == 0 {
		return nil
	}
	failures := make([]limit.Failure, len(errors))
	for i, err := range errors {
		failures[i] = limit.Failure{Path: err.Path, Free: b.pipeline.Free != nil && b.pipeline.Free(err)}
	}
	return failures
}

// fields tells the estimate field by field, one part after the other.
func (b *bill) fields() []limit.FieldCost {
	if b.parts == nil {
		return b.op.Cost.Fields(b.op.Variables)
	}
	var all []limit.FieldCost
	for _, part := range b.parts {
		all = append(all, part.Cost.Fields(b.op.Variables)...)
	}
	return all
}

// tell puts the cost into the extensions, and the state of the buckets into the header.
func (b *bill) tell(result *Result, actual *int64) {
	report := costReport{Requested: b.requested, Actual: actual}
	result.Cost.Requested = b.requested
	if actual != nil {
		result.Cost.Actual = *actual
	}
	if b.call.CostDebug != CostDebugOff {
		report.Fields = b.fields()
	}
	if b.decision != nil {
		if tightest := b.decision.Tightest(); tightest != nil {
			back := int64(0)
			if actual != nil {
				back = max(0, b.requested-*actual)
			}
			report.ThrottleStatus = throttleStatus{
				Name: tightest.Name, MaximumAvailable: tightest.Size,
				CurrentlyAvailable: min(tightest.Size, tightest.Available+back), RestoreRate: tightest.RestoreRate,
			}
		}
		header := b.decision.Header()
		result.Header = slices.Grow(result.Header, len(header)+1) // Retry-After may follow
		for _, field := range header {
			result.Header = append(result.Header, Field(field))
		}
	}
	if result.Extensions == nil {
		result.Extensions = map[string]any{}
	}
	result.Extensions["cost"] = report.encoded()
}

// encoded is the report as JSON or, where it is more than a few whole numbers, what JSON is made of.
func (r costReport) encoded() any {
	status := &r.ThrottleStatus
	rate := int64(status.RestoreRate)
	if len(r.Fields) > 0 || status.RestoreRate != float64(rate) {
		return r
	}
	raw := make([]byte, 0, 192)
	raw = strconv.AppendInt(append(raw, `{"requested":`...), r.Requested, 10)
	if r.Actual != nil {
		raw = strconv.AppendInt(append(raw, `,"actual":`...), *r.Actual, 10)
	}
	if *status != (throttleStatus{}) {
		raw = append(append(append(raw, `,"throttleStatus":{"name":"`...), status.Name...), '"') // a name of ours
		raw = strconv.AppendInt(append(raw, `,"maximumAvailable":`...), status.MaximumAvailable, 10)
		raw = strconv.AppendInt(append(raw, `,"currentlyAvailable":`...), status.CurrentlyAvailable, 10)
		raw = append(strconv.AppendInt(append(raw, `,"restoreRate":`...), rate, 10), '}')
	}
	return json.RawMessage(append(raw, '}'))
}

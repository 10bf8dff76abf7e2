package wire

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/operation"
)

// wsOperation is one operation of a connection. As a member of a stream it puts the stream's payloads behind its own id.
type wsOperation struct {
	conn   *wsConn
	id     string
	quoted []byte // the id as JSON

	mu     sync.Mutex
	done   bool               // nothing more is sent
	cancel context.CancelFunc // ends its work; nil once that is done, as it is for a member of a stream
	sub    *operation.Subscription
}

// What stands before and behind the id and the payload of a message.
var (
	beforeID   = []byte(`{"id":`)
	behindNext = []byte(`,"type":"next","payload":`)
	bracket    = []byte("}")
)

// subscribe starts an operation.
func (c *wsConn) subscribe(m message) {
	req, refused := readOne(m.Payload)
	if refused != nil && refused.code == CodeBadRequest || refused == nil && req.Query == "" && !req.named.Named() {
		c.close(closeInvalid, "Invalid message: payload must have a string query, and may have operationName, variables, extensions")
		return
	}
	quoted, _ := json.Marshal(m.ID) // a string
	op := &wsOperation{conn: c, id: m.ID, quoted: quoted}
	c.mu.Lock()
	duplicate := slices.ContainsFunc(c.operations, func(other *wsOperation) bool { return other.id == m.ID })
	full := len(c.operations) >= c.ws.maxOperations()
	closing := c.closing
	if !closing && !duplicate && !full {
		c.operations = append(c.operations, op)
	}
	c.mu.Unlock()
	switch {
	case closing:
	case duplicate:
		c.close(closeDuplicate, "Subscriber for "+m.ID+" already exists")
	case full:
		op.refuse(&refusal{code: CodeTooManyOperations, message: "too many operations run on this connection: complete some"})
	case refused != nil:
		op.refuse(refused)
	default:
		c.working.Go(func() { op.work(req) })
	}
}

// stop ends the operation with an id because the client asks for it. One that is not there has ended already.
func (c *wsConn) stop(id string) {
	c.mu.Lock()
	i := slices.IndexFunc(c.operations, func(op *wsOperation) bool { return op.id == id })
	if i < 0 {
		c.mu.Unlock()
		return
	}
	op := c.operations[i]
	c.operations = slices.Delete(c.operations, i, i+1)
	c.mu.Unlock()
	op.stop()
}

// forget makes room for another operation, also with the same id.
func (c *wsConn) forget(op *wsOperation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.operations, op); i >= 0 {
		c.operations = slices.Delete(c.operations, i, i+1)
	}
}

// work runs the operation in a context that ends with that.
func (op *wsOperation) work(req request) {
	ctx, cancel := context.WithCancel(op.conn.ws.Connections.ctx)
	defer cancel()
	op.mu.Lock()
	op.cancel = cancel
	done := op.done
	op.mu.Unlock()
	if done || op.conn.ends() { // before there was anything to interrupt
		return
	}
	if !op.conn.ws.Connections.guard(func() { op.run(ctx, req) }) {
		op.refuse(&refusal{code: CodeInternal, message: internalMessage})
	}
	op.mu.Lock()
	op.cancel = nil
	op.mu.Unlock()
}

// interrupt ends the work of the operation.
func (op *wsOperation) interrupt() {
	op.mu.Lock()
	cancel := op.cancel
	op.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// run prepares the operation and has it run, or joins its stream.
func (op *wsOperation) run(ctx context.Context, req request) {
	h, call := op.conn.ws.HTTP, op.conn.call
	if !h.Overload.enter() {
		op.refuse(&overloaded)
		return
	}
	defer h.Overload.leave()                                // also for a subscription once it has begun
	if ended := h.Views.Ended(op.conn.view); ended != nil { // since the connection began
		op.refuse(&refusal{code: ended.Code, message: ended.Message})
		return
	}
	registration, refused := h.Persisted.Resolve(ctx, &req.Request, req.named, h.FreeDocuments != nil && h.FreeDocuments(call.Viewer))
	if refused != nil {
		op.refuse(refused)
		return
	}
	prepared, errs := h.Pipeline.Prepare(op.conn.view, req.Request)
	if errs != nil {
		op.fail(errs)
		return
	}
	h.Persisted.Accept(ctx, registration)
	if prepared.Kind() == ast.Subscription {
		op.join(ctx, prepared, call)
		return
	}
	result := h.Pipeline.Run(ctx, prepared, call)
	switch {
	case ctx.Err() != nil: // nobody waits for it
		op.end()
	case result.Outcome != operation.Ran:
		op.fail(result.Errors)
	default:
		op.answer(result)
	}
}

// join makes the operation a member of its stream.
func (op *wsOperation) join(ctx context.Context, prepared *operation.Prepared, call operation.Call) {
	sub, result := op.conn.ws.HTTP.Pipeline.Subscribe(ctx, prepared, call, op)
	if result != nil {
		op.fail(result.Errors)
		return
	}
	op.mu.Lock()
	op.sub = sub
	done := op.done
	op.mu.Unlock()
	if done { // the client was faster, or the stream has ended
		sub.Close()
	}
}

// answer sends the one result that there is.
func (op *wsOperation) answer(result *operation.Result) {
	h := op.conn.ws.HTTP
	framed := answer{ran: true, response: response{Errors: result.Errors, Data: result.Data, Extensions: result.Extensions, finished: result.Finished}}
	answers := &op.conn.ws.Connections.scratches
	answer := answers.get()
	defer answers.put(answer)
	_, raw := encode(framed, h.maxResponseBytes(), *answer)
	*answer = raw
	if !op.end() {
		return
	}
	frames := appendFrame(nil, opcodeText, beforeID, op.quoted, behindNext, raw, bracket)
	frames = appendFrame(frames, opcodeText, typed(op.quoted, "complete"))
	_ = op.conn.queue.sendWaiting(frames, maxQueuedBytes) // it fails when the connection has ended
}

// Deliver sends a payload; see operation.Member.
func (op *wsOperation) Deliver(p operation.Payload) bool {
	op.mu.Lock()
	defer op.mu.Unlock()
	if op.done {
		return true
	}
	frames := &op.conn.ws.Connections.scratches
	frame := frames.get()
	*frame = appendFrame(*frame, opcodeText, beforeID, op.quoted, behindNext, p.JSON, bracket)
	err := op.conn.queue.send(*frame, maxQueuedBytes)
	frames.put(frame)
	return !errors.Is(err, errNoRoom)
}

// End tells the client why there is no more; see operation.Member.
func (op *wsOperation) End(e operation.End) {
	switch e.Reason {
	case operation.EndUnauthenticated:
		op.conn.close(closeForbidden, "Forbidden: the token has expired")
	case operation.EndDraining:
		op.conn.drain()
	case operation.EndComplete:
		if op.end() {
			op.conn.say(typed(op.quoted, "complete"))
		}
	default:
		op.fail(endErrors(e))
	}
}

// endErrors are the errors of an end, with its cursor.
func endErrors(e operation.End) gqlerror.List {
	errs := e.Errors
	if len(errs) == 0 {
		errs = gqlerror.List{{Message: "the subscription ended: " + string(e.Reason), Extensions: map[string]any{"code": CodeInternal}}}
		if e.Cursor != "" {
			errs[0].Extensions["cursor"] = e.Cursor
		}
	}
	return errs
}

// refuse says why the operation does not run.
func (op *wsOperation) refuse(refused *refusal) { op.fail(refusalResponse(refused).Errors) }

// fail ends the operation with errors, and the connection if they do not go out.
func (op *wsOperation) fail(errs gqlerror.List) {
	if !op.end() {
		return
	}
	raw, err := json.Marshal(errs)
	if err != nil { // extensions are ours
		raw, _ = json.Marshal(refusalResponse(&refusal{code: CodeInternal, message: internalMessage}).Errors)
	}
	op.conn.say(beforePayload(op.quoted, "error"), raw, bracket)
}

// end has nothing more be sent. It says whether it was the first to do so, who may send the last message.
func (op *wsOperation) end() (first bool) {
	op.mu.Lock()
	first, op.done = !op.done, true
	op.mu.Unlock()
	if first {
		op.conn.forget(op)
	}
	return first
}

// stop ends the operation without a word. When it returns, nothing more is sent.
func (op *wsOperation) stop() {
	op.mu.Lock()
	op.done = true
	sub := op.sub
	op.mu.Unlock()
	op.interrupt()
	if sub != nil {
		sub.Close()
	}
}

func (op *wsOperation) bookmark() string {
	op.mu.Lock()
	sub := op.sub
	op.mu.Unlock()
	if sub == nil {
		return ""
	}
	return sub.Bookmark()
}

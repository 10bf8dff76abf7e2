package wire

import (
	"encoding/json"
	"errors"
	"math"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/operation"
)

// mediaMultipart is the media type of answers in parts: https://github.com/graphql/graphql-over-http/blob/main/rfcs/IncrementalDelivery.md.
// What is in the parts is the format of deferSpec=20220824.
const mediaMultipart = "multipart/mixed"

const deferSpec = "20220824"

// multipart is the weight that Accept fields give to parts in our format; 0 when the client does not name it. Whoever asks for the format of
// another day, or for subscriptions in parts, asks for something else.
func multipart(accept []string) (quality float64) {
	for _, field := range accept {
		if field == mediaGraphQL || field == mediaJSON || field == "*/*" {
			continue // what most clients send needs no reading
		}
		for part := range splitList(field) {
			name, params, err := mime.ParseMediaType(part)
			if err != nil || name != mediaMultipart || params["subscriptionspec"] != "" || params["deferspec"] != "" && params["deferspec"] != deferSpec {
				continue
			}
			if q, valid := weight(params); valid {
				quality = max(quality, q)
			}
		}
	}
	return quality
}

// single answers a request of one operation.
func (x *exchange) single(req request, call operation.Call) *refusal {
	if x.events != eventsNot {
		call.After = x.r.Header.Get("Last-Event-ID")
	}
	prepared, refused := x.prepare(req, call)
	switch {
	case refused != nil:
		x.replyEvents(*refused)
	case prepared.Kind() == ast.Subscription && x.events != eventsNot:
		return x.subscribe(prepared, call)
	case prepared.Deferred() && (x.multipart > 0 || x.events != eventsNot):
		x.replyInParts(prepared, call)
	case x.onlyMultipart:
		x.replyOnePart(x.runPrepared(prepared, call))
	default:
		x.replyEvents(x.runPrepared(prepared, call))
	}
	return nil
}

// replyInParts answers an operation with @defer, in the kind of parts that the client likes better.
func (x *exchange) replyInParts(prepared *operation.Prepared, call operation.Call) {
	parts := x.newParts()
	defer parts.close()
	if result := x.Pipeline.RunDeferred(x.r.Context(), prepared, call, parts.send); result != nil {
		x.replyEvents(x.framed(result))
	}
}

// replyOnePart answers a client that takes nothing but parts.
func (x *exchange) replyOnePart(a answer) {
	if !a.ran {
		x.reply(a)
		return
	}
	parts := x.newParts()
	defer parts.close()
	_ = parts.sendFirst(a, false) // the client has gone: nobody is left to tell
}

// parts is an answer under way. What has been sent is with the client: nothing is packed or kept for later.
type parts struct {
	*exchange
	events  bool // in an event stream, else in multipart/mixed
	begun   bool
	left    int64 // of the bytes that an answer may have
	control *http.ResponseController
	stall   time.Duration // how long a client may take nothing of what there is
}

func (x *exchange) newParts() *parts {
	p := &parts{exchange: x, left: x.maxResponseBytes(), control: http.NewResponseController(x.w), stall: DefaultStallTimeout}
	p.events = x.multipart == 0 || qualities(strings.Join(x.r.Header["Accept"], ","))[mediaEvents] > x.multipart
	if x.Connections != nil {
		p.stall = x.Connections.config.StallTimeout
	}
	return p
}

// errPartTooLarge ends an answer whose parts are too many bytes.
var errPartTooLarge = errors.New("the answer is larger than this server sends")

// send sends a part of an operation.
func (p *parts) send(part *operation.Part) error {
	if part.First != nil {
		return p.sendFirst(p.framed(part.First), part.HasNext)
	}
	raw, err := appendIncrements(nil, part, p.left)
	if len(part.Increments) > 0 && (err != nil || int64(len(raw)) > p.left) {
		tooLarge := operation.Increment{Path: part.Increments[0].Path, Data: json.RawMessage("null"), Errors: partTooLarge()}
		raw, _ = appendIncrements(nil, &operation.Part{Increments: []operation.Increment{tooLarge}}, math.MaxInt64)
		_ = p.write(raw, false) // the operation ends either way
		return errPartTooLarge
	}
	return p.write(raw, part.HasNext)
}

func partTooLarge() gqlerror.List {
	return refusalResponse(&refusal{code: CodeResponseTooLarge, message: "the answer is larger than this server sends: ask for less at a time"}).Errors
}

func (p *parts) sendFirst(a answer, hasNext bool) error {
	setFields(p.w.Header(), a.header)
	raw, err := a.appendTo(nil)
	if err != nil || int64(len(raw)) > p.left {
		raw = marshal(response{Data: json.RawMessage("null"), Errors: partTooLarge()})
		_ = p.write(appendHasNext(raw, false), false) // the operation ends either way
		return errPartTooLarge
	}
	return p.write(appendHasNext(raw, hasNext), hasNext)
}

// appendHasNext says in an object of at least one member whether it is the last.
func appendHasNext(raw []byte, hasNext bool) []byte {
	raw = append(raw[:len(raw)-1], `,"hasNext":`...)
	if hasNext {
		return append(raw, "true}"...)
	}
	return append(raw, "false}"...)
}

// appendIncrements writes a part that is not the first. It gives up behind the increment with which it has become larger than may be.
func appendIncrements(b []byte, part *operation.Part, most int64) (_ []byte, err error) {
	b = append(b, '{')
	if len(part.Increments) > 0 {
		b = append(b, `"incremental":[`...)
		for i := range part.Increments {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendIncrement(b, &part.Increments[i]); err != nil {
				return nil, err
			}
			if int64(len(b)) > most {
				return nil, errPartTooLarge
			}
		}
		b = append(b, "],"...)
	}
	if len(part.Extensions) > 0 {
		if b, err = appendExtensions(append(b, `"extensions":`...), part.Extensions); err != nil {
			return nil, err
		}
		b = append(b, ',')
	}
	if part.HasNext {
		return append(b, `"hasNext":true}`...), nil
	}
	return append(b, `"hasNext":false}`...), nil
}

func appendIncrement(b []byte, each *operation.Increment) (_ []byte, err error) {
	r := response{Errors: each.Errors, Data: each.Data, Extensions: each.Extensions, finished: each.Finished}
	if b, err = r.appendTo(b); err != nil {
		return nil, err
	}
	path := each.Path
	if path == nil {
		path = ast.Path{}
	}
	if b, err = appendValue(append(b[:len(b)-1], `,"path":`...), path); err != nil {
		return nil, err
	}
	if each.Label != "" {
		if b, err = appendValue(append(b, `,"label":`...), each.Label); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// write sends one part in its frame, at once. A client that takes nothing for too long is left.
func (p *parts) write(raw []byte, hasNext bool) error {
	p.left -= int64(len(raw))
	var frame []byte
	switch {
	case p.events:
		frame = appendEvent(nil, "", raw)
		if !hasNext {
			frame = append(frame, completeEvent...)
		}
	default:
		frame = appendPart(nil, raw, !p.begun, hasNext)
	}
	if !p.begun {
		p.begun = true
		p.begin()
	}
	for chunk := range slices.Chunk(frame, flushBytes) {
		_ = p.control.SetWriteDeadline(time.Now().Add(p.stall)) // what has no deadlines is no connection
		if _, err := p.w.Write(chunk); err != nil {
			return err
		}
		if err := p.control.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (p *parts) begin() {
	header := p.w.Header()
	setEventFields(header)
	if !p.events {
		header.Set("Content-Type", mediaMultipart+`; boundary="-"; deferSpec=`+deferSpec)
	}
	p.w.WriteHeader(http.StatusOK)
}

// appendPart appends a part with the delimiter behind it, which tells the client at once that the part has ended.
func appendPart(to, raw []byte, first, hasNext bool) []byte {
	if first {
		to = append(to, "\r\n---\r\n"...)
	}
	to = append(append(to, "Content-Type: application/json; charset=utf-8\r\n\r\n"...), raw...)
	if hasNext {
		return append(to, "\r\n---\r\n"...)
	}
	return append(to, "\r\n-----\r\n"...)
}

// close gives the connection its time back for the next request.
func (p *parts) close() { _ = p.control.SetWriteDeadline(time.Time{}) }

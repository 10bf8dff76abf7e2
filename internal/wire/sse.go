package wire

import (
	"context"
	"net/http"
	"net/netip"

	"tributary/internal/auth"
	"tributary/internal/operation"
)

// mediaEvents is the media type of event streams: https://html.spec.whatwg.org/multipage/server-sent-events.html. What is in them is the
// distinct connections mode of https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md.
const mediaEvents = "text/event-stream"

// headerStreamToken belongs to the single connection mode of that protocol.
const headerStreamToken = "X-Graphql-Event-Stream-Token"

// events says whether a client takes an event stream.
type events int

const (
	eventsNot       events = iota // a range such as */* does not mean it
	eventsToo                     // for subscriptions: what has one answer is answered in JSON
	eventsPreferred               // for everything
)

// negotiateEvents reads the weights of the Accept fields of a request.
func negotiateEvents(quality map[string]float64) events {
	streamed := quality[mediaEvents]
	graphql, _ := qualityOf(mediaGraphQL, quality)
	plain, _ := qualityOf(mediaJSON, quality)
	switch {
	case streamed == 0:
		return eventsNot
	case streamed > max(graphql, plain):
		return eventsPreferred
	}
	return eventsToo
}

// refuseSingleConnection tells clients of the single connection mode apart from those that merely sent a wrong request.
func (x *exchange) refuseSingleConnection() *refusal {
	if x.r.Header.Get(headerStreamToken) == "" {
		return nil
	}
	return &refusal{http.StatusNotAcceptable, CodeNotAcceptable, "there is no single connection mode: ask for the stream of each operation by itself"}
}

// who tells who calls. A ticket in the URL stands for the credentials of an event stream.
func (x *exchange) who() (auth.Viewer, netip.Addr, error) {
	viewer, ip, err := x.Identify(x.r)
	if x.Tickets == nil || x.events == eventsNot || x.r.Method != http.MethodGet {
		return viewer, ip, err
	}
	ticket := x.r.URL.Query().Get("ticket")
	if ticket == "" {
		return viewer, ip, err
	}
	viewer, err = x.Tickets.Redeem(x.r.Context(), ticket)
	return viewer, ip, err
}

// replyEvents sends the one answer there is, as a stream where the client prefers that. The protocol has the errors of a document
// be events: EventSource tells its page nothing of any other answer. What is not about GraphQL keeps its status.
func (x *exchange) replyEvents(a answer) {
	if x.events != eventsPreferred || a.status != http.StatusOK {
		x.reply(a)
		return
	}
	setFields(x.w.Header(), a.header)
	_, raw := encode(a, x.maxResponseBytes(), nil)
	header := x.w.Header()
	setEventFields(header)
	_, _ = x.w.Write(append(appendEvent(nil, "", raw), completeEvent...)) // the client has gone: nobody is left to tell
}

// subscribe turns the connection into an event stream, unless the subscription is refused.
func (x *exchange) subscribe(prepared *operation.Prepared, call operation.Call) *refusal {
	if x.Connections == nil {
		return &refusal{http.StatusNotAcceptable, CodeNotAcceptable, "this server has no event streams"}
	}
	caller := callerKey(call.Viewer, call.IP)
	if refused := x.Connections.take(caller); refused != nil {
		x.w.Header().Set("Retry-After", "5")
		return refused
	}
	setFields(x.w.Header(), prepared.Header())
	stream := newSSEStream(x.Connections, caller)
	ctx, cancel := context.WithCancel(x.Connections.ctx) // of the beginning alone: streams are many, and hold no context
	defer cancel()
	sub, result := x.Pipeline.Subscribe(ctx, prepared, call, stream)
	if result != nil {
		x.Connections.give(caller)
		x.replyEvents(x.framed(result))
		return nil
	}
	stream.sub = sub
	conn, _, err := hijack(x.w)
	if err != nil {
		stream.leave()
		return &refusal{http.StatusHTTPVersionNotSupported, CodeNotAcceptable, "event streams need HTTP/1.1"}
	}
	stream.open(conn, x.w.Header())
	return nil
}

// setEventFields sets the fields of an event stream, one of them for proxies that would gather what comes.
func setEventFields(header http.Header) {
	header.Set("Content-Type", mediaEvents+"; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no")
}

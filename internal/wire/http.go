// Package wire frames operations for the protocols that clients speak. It decides nothing about what an operation may do.
package wire

import (
	"cmp"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"tributary/internal/auth"
	"tributary/internal/operation"
)

// The codes of requests that never become an operation, and of answers that do not go out.
const (
	CodeBadRequest           = "BAD_REQUEST"
	CodeBodyTooLarge         = "BODY_TOO_LARGE"
	CodeURITooLong           = "URI_TOO_LONG"
	CodeJSONTooDeep          = "JSON_TOO_DEEP"
	CodeJSONTooLarge         = "JSON_TOO_LARGE"
	CodeRequestTimeout       = "REQUEST_TIMEOUT"
	CodeBatchingDisabled     = "BATCHING_DISABLED"
	CodeTooManyOperations    = operation.CodeTooManyOperations
	CodeResponseTooLarge     = operation.CodeResponseTooLarge
	CodeMethodNotAllowed     = "METHOD_NOT_ALLOWED"
	CodeNotAcceptable        = "NOT_ACCEPTABLE"
	CodeUnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE"
	CodeUnauthenticated      = "UNAUTHENTICATED"
	CodeServiceUnavailable   = "SERVICE_UNAVAILABLE"
	CodeCSRFRefused          = "CSRF_REFUSED"
	CodeMisdirected          = "MISDIRECTED_REQUEST"
	CodeInternal             = "INTERNAL"
)

// The bounds of an HTTP that names none of its own.
const (
	DefaultMaxBodyBytes     = 1 << 20
	DefaultMaxURLBytes      = 16 << 10
	DefaultMaxResponseBytes = 16 << 20
	DefaultMaxJSONDepth     = 64
	DefaultMaxJSONValues    = 100_000
	DefaultBodyTimeout      = 10 * time.Second
)

// HTTP answers queries and mutations over HTTP as https://graphql.github.io/graphql-over-http describes it, and subscriptions as
// event streams, see sse.go. Pipeline, Views and Identify are needed; a bound of 0 takes its default. It must not be copied or changed once it serves, and is safe for
// concurrent use.
type HTTP struct {
	Pipeline *operation.Pipeline
	Views    *operation.Views
	// Identify tells who calls and from where. An auth.ErrUnavailable says that nobody can tell now, any other error that the
	// credentials are not good.
	Identify      func(*http.Request) (auth.Viewer, netip.Addr, error)
	Persisted     *Persisted             // documents that requests name; nil: none
	FreeDocuments func(auth.Viewer) bool // whose documents need not be among the trusted ones; nil: nobody's
	Origins       *Origins               // whose pages may use the graph from a browser; nil: those of this server
	Connections   *Connections           // of event streams; they have to run; nil: there are none
	Tickets       Tickets                // what event streams may show in place of credentials; nil: nothing
	Overload      *Overload              // refuses requests while there is too much to do; it has to run; nil: nothing is refused

	MaxBodyBytes     int64         // of a request
	MaxURLBytes      int           // of the path and the query string
	MaxJSONDepth     int           // of brackets in a request
	MaxJSONValues    int           // of a request: values, and names of members
	BodyTimeout      time.Duration // for a whole body to arrive
	MaxBatch         int           // operations in one request; 0: batches are refused
	MaxResponseBytes int64         // of an answer before it is packed; in a batch, of all of them

	packers sync.Pool // of *packer
	answers scratches
}

// exchange is one request under way with its answer.
type exchange struct {
	*HTTP
	w             http.ResponseWriter
	r             *http.Request
	media         string          // of the answer
	events        events          // whether the client takes an event stream
	multipart     float64         // the weight of answers in parts, see defer.go
	onlyMultipart bool            // the client takes nothing else
	view          *operation.View // set once it is known who calls
}

// ServeHTTP answers one request: a POST of JSON, a GET with a query, or a browser's question by OPTIONS.
func (h *HTTP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	media, acceptable, streamed := negotiate(r.Header["Accept"])
	x := &exchange{HTTP: h, w: w, r: r, media: cmp.Or(media, mediaJSON), events: streamed, multipart: multipart(r.Header["Accept"])}
	w.Header().Set("Vary", "Origin, Accept, Accept-Encoding, Api-Version")
	x.expectBody()
	if refused := x.serve(acceptable); refused != nil {
		x.refuse(refused)
	}
}

func (x *exchange) serve(acceptable bool) *refusal {
	if refused := x.Origins.admit(x.w.Header(), x.r); refused != nil {
		return refused
	}
	if x.r.Method == http.MethodOptions {
		x.w.Header().Set("Allow", allowedMethods)
		x.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if x.onlyMultipart = !acceptable && x.events == eventsNot; x.onlyMultipart && x.multipart == 0 {
		return &refusal{http.StatusNotAcceptable, CodeNotAcceptable, "only " + mediaGraphQL + ", " + mediaJSON + ", " + mediaMultipart + " and " + mediaEvents + " can be answered"}
	}
	if refused := x.refuseSingleConnection(); refused != nil {
		return refused
	}
	if !x.Overload.enter() {
		x.shed()
		return nil
	}
	defer x.Overload.leave()
	asked, refused := x.read()
	if refused != nil {
		return refused
	}
	call, refused := x.identify()
	if refused != nil {
		return refused
	}
	if refused := x.choose(call.Viewer); refused != nil {
		return refused
	}
	if asked.batch {
		x.runBatch(asked.requests, call)
		return nil
	}
	return x.single(asked.requests[0], call)
}

// reply sends the answer to the one operation of the request.
func (x *exchange) reply(a answer) {
	setFields(x.w.Header(), a.header)
	x.sendAnswer(a)
}

func (x *exchange) refuse(refused *refusal) { x.sendAnswer(x.refusalAnswer(refused)) }

// sendAnswer sends an answer from a buffer that the next one has again: who writes it keeps nothing of it.
func (x *exchange) sendAnswer(a answer) {
	buffer := x.answers.get()
	defer x.answers.put(buffer)
	status, raw := encode(a, x.maxResponseBytes(), *buffer)
	*buffer = raw
	x.send(status, raw)
}

func (h *HTTP) maxResponseBytes() int64 { return cmp.Or(h.MaxResponseBytes, DefaultMaxResponseBytes) }

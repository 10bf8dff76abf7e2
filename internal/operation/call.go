package operation

import (
	"net/netip"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/auth"
	"tributary/internal/engine"
)

// CostDebug is what a caller wants to know of the cost beside the answer.
type CostDebug string

// The ways to look at the cost of an operation.
const (
	CostDebugOff    CostDebug = ""
	CostDebugFields CostDebug = "fields"  // what each field costs, beside the answer
	CostDebugDryRun CostDebug = "dry-run" // what each field costs, and the operation does not run
)

// Call is who asked, and how a request can be told from others.
type Call struct {
	Viewer         auth.Viewer
	IP             netip.Addr // of the client; the zero value is not limited
	Client         string     // what the client calls itself, as it was sent; empty when it does not
	ClientVersion  string     // what it calls its version
	RequestID      string
	IdempotencyKey string // of a mutation; empty when the caller gave none
	CostDebug      CostDebug
	After          string // cursor behind which a subscription goes on, where the transport has one (Last-Event-ID); an argument of the operation wins
}

// Outcome is what became of an operation as a whole.
type Outcome int

// The outcomes. Only an operation that ran has data.
const (
	Ran       Outcome = iota
	Refused           // it would never run as it is
	Throttled         // it may run later
	Skipped           // an event that this subscription says nothing of
)

// Cost is what an operation was estimated to cost and what it did cost, in points; the latter is 0 for one that did not run.
type Cost struct{ Requested, Actual int64 }

// Field is a field for the header of the answer, where the transport has one.
type Field struct{ Name, Value string }

// Result is the answer to an operation. Data is JSON; nil means that it did not run, "null" that it came to nothing. Nobody changes Data,
// or a single error: other callers may have the same.
type Result struct {
	Outcome    Outcome
	Cost       Cost
	Header     []Field
	Data       []byte
	Finished   bool          // data is valid and compact JSON, safe within HTML: as json.Marshal leaves it
	Counts     engine.Counts // of the objects in data; nil where nobody counted
	Errors     gqlerror.List
	Extensions map[string]any
}

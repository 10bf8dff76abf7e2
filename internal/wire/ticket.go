package wire

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"tributary/internal/auth"
)

// CodeTooManyTickets is the code of a ticket that is not given out.
const CodeTooManyTickets = "TOO_MANY_TICKETS"

const (
	ticketLife        = 30 * time.Second
	maxTickets        = 10_000
	maxTicketsOfOne   = 20
	ticketMethods     = "OPTIONS, POST"
	ticketUnavailable = "as many tickets are out as this server gives: use one, or wait until they expire"
)

// ErrTooManyTickets is the error of a ticket that is not given out because as many are as may be, by its caller or by all.
var ErrTooManyTickets = errors.New("too many tickets are out")

// Tickets let a client show in a URL, once and within 30 seconds, who it is: EventSource in browsers cannot send Authorization. What
// is kept of a ticket is its hash, which is no ticket. They are safe for concurrent use.
type Tickets interface {
	// Issue gives out a ticket that is as good as the viewer's credentials. The error is ErrTooManyTickets or wraps auth.ErrUnavailable.
	Issue(ctx context.Context, viewer auth.Viewer) (ticket string, err error)
	// Redeem gives the viewer of a ticket and takes it back. The error wraps auth.ErrInvalidToken for one that is unknown, used or too
	// old, or whose credentials have expired, and auth.ErrUnavailable where that cannot be told.
	Redeem(ctx context.Context, ticket string) (auth.Viewer, error)
}

// ticketBounds are how long a ticket is good, and how many are out at a time.
type ticketBounds struct {
	life       time.Duration
	all, ofOne int
}

func defaultTicketBounds() ticketBounds { return ticketBounds{ticketLife, maxTickets, maxTicketsOfOne} }

var errTicket = fmt.Errorf("%w: the ticket is used, expired or unknown", auth.ErrInvalidToken)

func newTicket() (ticket string, hash [sha256.Size]byte) {
	ticket = rand.Text()
	return ticket, sha256.Sum256([]byte(ticket))
}

// ticketOwner is whose share of the tickets one is of.
func ticketOwner(v auth.Viewer) string { return callerKey(v, netip.Addr{}) }

// unexpired gives a ticket's viewer unless the credentials behind it have expired.
func unexpired(v auth.Viewer, now time.Time) (auth.Viewer, error) {
	if !v.Expires.IsZero() && !now.Before(v.Expires) {
		return auth.Viewer{}, errTicket
	}
	return v, nil
}

// StreamTicket answers POST by those who show credentials with {"ticket":"…","expiresIn":30}: see Tickets, which must be there.
func (h *HTTP) StreamTicket() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{HTTP: h, w: w, r: r, media: mediaJSON}
		w.Header().Set("Vary", "Origin")
		x.expectBody()
		if refused := x.issueTicket(); refused != nil {
			x.refuse(refused)
		}
	})
}

func (x *exchange) issueTicket() *refusal {
	if refused := x.Origins.admit(x.w.Header(), x.r); refused != nil {
		return refused
	}
	switch x.r.Method {
	case http.MethodPost:
	case http.MethodOptions:
		x.w.Header().Set("Allow", ticketMethods)
		x.w.WriteHeader(http.StatusNoContent)
		return nil
	default:
		x.w.Header().Set("Allow", ticketMethods)
		return &refusal{http.StatusMethodNotAllowed, CodeMethodNotAllowed, "ask for a ticket by POST"}
	}
	call, refused := x.identify()
	if refused != nil {
		return refused
	}
	if call.Viewer.Anonymous() {
		x.w.Header().Set("WWW-Authenticate", "Bearer")
		return &refusal{http.StatusUnauthorized, CodeUnauthenticated, "a ticket needs a token or key; without either a stream needs no ticket"}
	}
	ticket, err := x.Tickets.Issue(x.r.Context(), call.Viewer)
	switch {
	case errors.Is(err, ErrTooManyTickets):
		x.w.Header().Set("Retry-After", "30")
		return &refusal{http.StatusTooManyRequests, CodeTooManyTickets, ticketUnavailable}
	case err != nil:
		x.w.Header().Set("Retry-After", "1")
		return &refusal{http.StatusServiceUnavailable, CodeServiceUnavailable, "tickets cannot be given out now: come back in a moment"}
	}
	raw, _ := json.Marshal(map[string]any{"ticket": ticket, "expiresIn": int(ticketLife.Seconds())}) // a string and a number
	write(x.w, mediaJSON, http.StatusOK, raw)
	return nil
}

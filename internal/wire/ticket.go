package wire

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/netip"
	"sync"
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

// Tickets let a client show in a URL, once and within 30 seconds, who it is: EventSource in browsers cannot send Authorization. They
// are kept in memory, so that a ticket is good at the replica that gave it. They are safe for concurrent use.
type Tickets struct {
	now func() time.Time

	mu     sync.Mutex
	live   map[[sha256.Size]byte]auth.Viewer
	of     map[string]int // by caller
	issued []issuedTicket // by age
}

type issuedTicket struct {
	hash    [sha256.Size]byte
	expires time.Time
}

// NewTickets makes Tickets that go by a clock.
func NewTickets(now func() time.Time) *Tickets {
	return &Tickets{now: now, live: map[[sha256.Size]byte]auth.Viewer{}, of: map[string]int{}}
}

// Issue gives out a ticket that is as good as the viewer's credentials. ok is false when as many are out as may be.
func (t *Tickets) Issue(viewer auth.Viewer) (ticket string, ok bool) {
	owner := callerKey(viewer, netip.Addr{})
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expireLocked()
	if len(t.issued) >= maxTickets || t.of[owner] >= maxTicketsOfOne {
		return "", false
	}
	ticket = rand.Text()
	hash := sha256.Sum256([]byte(ticket))
	t.live[hash] = viewer
	t.of[owner]++
	t.issued = append(t.issued, issuedTicket{hash, t.now().Add(ticketLife)})
	return ticket, true
}

// Redeem gives the viewer of a ticket and takes it back. ok is false for one that is unknown, used or too old.
func (t *Tickets) Redeem(ticket string) (viewer auth.Viewer, ok bool) {
	hash := sha256.Sum256([]byte(ticket))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expireLocked()
	viewer, ok = t.live[hash]
	t.forgetLocked(hash)
	if ok && !viewer.Expires.IsZero() && !t.now().Before(viewer.Expires) {
		return auth.Viewer{}, false
	}
	return viewer, ok
}

func (t *Tickets) expireLocked() {
	n := 0
	for ; n < len(t.issued) && !t.now().Before(t.issued[n].expires); n++ {
		t.forgetLocked(t.issued[n].hash)
	}
	t.issued = append(t.issued[:0], t.issued[n:]...)
}

func (t *Tickets) forgetLocked(hash [sha256.Size]byte) {
	viewer, ok := t.live[hash]
	if !ok {
		return
	}
	delete(t.live, hash)
	owner := callerKey(viewer, netip.Addr{})
	if t.of[owner]--; t.of[owner] <= 0 {
		delete(t.of, owner)
	}
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
	ticket, ok := x.Tickets.Issue(call.Viewer)
	if !ok {
		x.w.Header().Set("Retry-After", "30")
		return &refusal{http.StatusTooManyRequests, CodeTooManyTickets, ticketUnavailable}
	}
	raw, _ := json.Marshal(map[string]any{"ticket": ticket, "expiresIn": int(ticketLife.Seconds())}) // a string and a number
	write(x.w, mediaJSON, http.StatusOK, raw)
	return nil
}

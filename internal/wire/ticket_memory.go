package wire

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"tributary/internal/auth"
)

// MemoryTickets are the Tickets of a single replica.
type MemoryTickets struct {
	now    func() time.Time
	bounds ticketBounds

	mu     sync.Mutex
	live   map[[sha256.Size]byte]auth.Viewer
	of     map[string]int // by owner
	issued []issuedTicket // by age
}

type issuedTicket struct {
	hash    [sha256.Size]byte
	expires time.Time
}

// NewMemoryTickets makes MemoryTickets that go by a clock.
func NewMemoryTickets(now func() time.Time) *MemoryTickets {
	return &MemoryTickets{now: now, bounds: defaultTicketBounds(), live: map[[sha256.Size]byte]auth.Viewer{}, of: map[string]int{}}
}

// Issue implements Tickets.
func (t *MemoryTickets) Issue(_ context.Context, viewer auth.Viewer) (string, error) {
	owner := ticketOwner(viewer)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expireLocked()
	if len(t.live) >= t.bounds.all || t.of[owner] >= t.bounds.ofOne {
		return "", ErrTooManyTickets
	}
	ticket, hash := newTicket()
	t.live[hash] = viewer
	t.of[owner]++
	t.issued = append(t.issued, issuedTicket{hash, t.now().Add(t.bounds.life)})
	return ticket, nil
}

// Redeem implements Tickets.
func (t *MemoryTickets) Redeem(_ context.Context, ticket string) (auth.Viewer, error) {
	hash := sha256.Sum256([]byte(ticket))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expireLocked()
	viewer, ok := t.live[hash]
	if !ok {
		return auth.Viewer{}, errTicket
	}
	t.forgetLocked(hash)
	t.issued = slices.DeleteFunc(t.issued, func(i issuedTicket) bool { return i.hash == hash }) // a used one takes no place
	return unexpired(viewer, t.now())
}

func (t *MemoryTickets) expireLocked() {
	n := 0
	for ; n < len(t.issued) && !t.now().Before(t.issued[n].expires); n++ {
		t.forgetLocked(t.issued[n].hash)
	}
	t.issued = append(t.issued[:0], t.issued[n:]...)
}

func (t *MemoryTickets) forgetLocked(hash [sha256.Size]byte) {
	viewer, ok := t.live[hash]
	if !ok {
		return
	}
	delete(t.live, hash)
	owner := ticketOwner(viewer)
	if t.of[owner]--; t.of[owner] <= 0 {
		delete(t.of, owner)
	}
}

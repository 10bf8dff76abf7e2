package dispatch

import "sync"

// news is where the log ends, as far as is known, for those who wait for more of it.
type news struct {
	mu      sync.Mutex
	last    int64
	changed chan struct{} // closed and replaced whenever last changes
}

// tell says that the log goes up to a position at least.
func (n *news) tell(position int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if position > n.last {
		n.set(position)
	}
}

// reset says that the log ends at a position, be it before what was known.
func (n *news) reset(position int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if position != n.last {
		n.set(position)
	}
}

func (n *news) set(position int64) {
	n.last = position
	close(n.changed)
	n.changed = make(chan struct{})
}

// read returns the end of the log and a channel that is closed once it is elsewhere.
func (n *news) read() (int64, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.last, n.changed
}

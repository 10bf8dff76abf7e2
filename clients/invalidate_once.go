package clients

import "sync"

// applied remembers which changes have been applied, the latest ones. Its zero value is ready. Safe for concurrent use.
type applied struct {
	mu            sync.Mutex
	recent, older map[appliedKey]struct{}
}

type appliedKey struct {
	kind, id, mark string
	version        int
}

// appliedBound is how many changes each half of the memory may hold.
const appliedBound = 1 << 12

// once applies a change unless that has been done. Whoever asks meanwhile for the same change waits until it has.
func (a *applied) once(change Change, apply func(Change)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := change.key()
	_, recently := a.recent[k]
	_, before := a.older[k]
	if recently || before {
		return
	}
	apply(change)
	a.note(change)
}

// add remembers a change that has been applied.
func (a *applied) add(change Change) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.note(change)
}

func (a *applied) note(change Change) {
	if change.Version == 0 && change.Mark == "" {
		return
	}
	if a.recent == nil || len(a.recent) >= appliedBound {
		a.recent, a.older = make(map[appliedKey]struct{}), a.recent
	}
	a.recent[change.key()] = struct{}{}
}

func (c *Change) key() appliedKey { return appliedKey{c.Kind, c.ID, c.Mark, c.Version} }

package front

import (
	"sync"
	"time"
)

// turns has calls be answered at even distances, in the order of their coming: a service that can do only so many. A caller that
// leaves before its turn has used it up all the same. The zero value makes nobody wait; it is safe for concurrent use.
type turns struct {
	mu    sync.Mutex
	every time.Duration // 0: no distance
	next  time.Time
}

// set allows so many calls a second, 0 any number.
func (t *turns) set(calls int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.every = 0
	if calls > 0 {
		t.every = time.Second / time.Duration(calls)
	}
}

// take gives how long a call that comes now has to wait.
func (t *turns) take(now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.every == 0 {
		return 0
	}
	if t.next.Before(now) {
		t.next = now
	}
	wait := t.next.Sub(now)
	t.next = t.next.Add(t.every)
	return wait
}

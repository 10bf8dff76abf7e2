package webhook

import "sync"

// maxByHand is how many pings and repetitions of one owner may be under way in this process: each may wait for a receiver for as long
// as a delivery may take, and all owners share the dispatcher's few.
const maxByHand = 4

// turns are the deliveries by hand that are under way, by owner. The zero value is ready. It is safe for concurrent use.
type turns struct {
	mu    sync.Mutex
	taken map[string]int // without those that have none
}

// take says whether an owner may begin one more. If so, leave is to be called.
func (t *turns) take(owner string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken[owner] >= maxByHand {
		return false
	}
	if t.taken == nil {
		t.taken = map[string]int{}
	}
	t.taken[owner]++
	return true
}

func (t *turns) leave(owner string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken[owner]--; t.taken[owner] == 0 {
		delete(t.taken, owner)
	}
}

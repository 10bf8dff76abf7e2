package dispatchtest

import (
	"fmt"
	"sync"
	"time"
)

func leases(s *store) {
	s.mustMake("a", "b", "c")
	s.mustLease("h", time.Minute, nil)
	s.mustLease("h", time.Minute, []string{"b", "a"}, "b", "none", "a")
	s.mustLease("other", time.Minute, []string{"c"}, "a", "b", "c")
	s.mustLease("h", time.Minute, []string{"a", "b"}, "a", "b", "c")
	s.mustLease("other", 0, nil, "a", "c") // only what is its own
	s.mustLease("h", time.Minute, []string{"a", "b", "c"}, "a", "b", "c")
	s.mustLease("h", 0, nil, "b")
	s.mustLease("other", time.Minute, []string{"b"}, "a", "b", "c")
}

// leasesExpire sees that a lease runs out, and that renewing keeps it.
func leasesExpire(s *store) {
	s.mustMake("a", "b")
	const ttl = 150 * time.Millisecond
	start := time.Now()
	s.mustLease("h", ttl, []string{"a", "b"}, "a", "b")
	s.mustLease("h", time.Minute, []string{"b"}, "b")
	for {
		before := time.Since(start)
		held, err := s.Lease(s.Context(), "other", []string{"a", "b"}, time.Minute)
		if err != nil {
			s.Fatal(err)
		}
		if len(held) == 0 {
			if before > 20*ttl {
				s.Fatal("the lease does not run out")
			}
			continue
		}
		if fmt.Sprint(held) != "[a]" || time.Since(start) < ttl-2*time.Millisecond {
			s.Errorf("%v after %v", held, time.Since(start))
		}
		break
	}
	s.mustLease("h", time.Minute, []string{"b"}, "a", "b")
}

func leasesMany(s *store) {
	var ids []string
	for i := range 200 {
		ids = append(ids, fmt.Sprint("c", i))
	}
	s.mustMake(ids...)
	s.mustLease("h", time.Minute, ids, ids...)
	s.mustLease("other", time.Minute, nil, ids...)
}

// leasesOnce has many ask at once.
func leasesOnce(s *store) {
	s.mustMake("a")
	other := s.open(s.T)
	var all sync.WaitGroup
	var mu sync.Mutex
	holders := map[string]bool{}
	for i := range 8 {
		from := s.Store
		if i%2 == 1 {
			from = other
		}
		all.Go(func() {
			holder := fmt.Sprint("h", i)
			held, err := from.Lease(s.Context(), holder, []string{"a"}, time.Minute)
			if err != nil {
				s.Error(err)
			}
			if len(held) > 0 {
				mu.Lock()
				defer mu.Unlock()
				holders[holder] = true
			}
		})
	}
	all.Wait()
	if len(holders) != 1 {
		s.Error("held by", holders)
	}
}

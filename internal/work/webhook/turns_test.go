package webhook_test

import (
	"net/http"
	"sync"
	"testing"

	"tributary/internal/work/dispatch"
	"tributary/internal/work/webhook"
)

// One owner whose receivers do not answer leaves the others their pings.
func TestPingsOfOneOwnerHoldNobodyUp(t *testing.T) {
	b := newBench(t, nil)
	release, reached := make(chan struct{}), make(chan struct{}, 40)
	hanging := receive(t, func(w http.ResponseWriter, _ *http.Request) { reached <- struct{}{}; <-release })
	well := receive(t, nil)
	slow, quick := b.create(ann, hanging.URL), b.create(bob, well.URL)
	var pings sync.WaitGroup
	var mu sync.Mutex
	busy := 0
	for range 20 {
		pings.Go(func() {
			_, err := b.Ping(t.Context(), ann, slow.ID)
			if refusal, ok := err.(*webhook.Error); ok && refusal.Code == webhook.CodeBusy {
				mu.Lock()
				defer mu.Unlock()
				busy++
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	for range 4 {
		<-reached
	}
	b.until("refused", func() bool { mu.Lock(); defer mu.Unlock(); return busy == 16 })
	if d, err := b.Ping(t.Context(), bob, quick.ID); err != nil || d.Outcome != dispatch.Delivered {
		t.Errorf("%+v, %v", d, err)
	}
	_, err := b.Redeliver(t.Context(), ann, slow.ID, 1)
	refused(t, err, "delivery", webhook.CodeNotFound) // none was written down so far
	close(release)
	pings.Wait()
	if _, err := b.Ping(t.Context(), ann, slow.ID); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

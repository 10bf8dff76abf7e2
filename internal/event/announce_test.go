package event_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"tributary/internal/event"
)

// Announcements of one subject that meet each other all find a place, and a repeated one finds the place it has.
func TestAnnouncementsFindTheirPlace(t *testing.T) {
	log, err := event.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "events.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for range 2 { // the second time it is known
				e := event.Event{ID: fmt.Sprint("e", i), Type: "saga.progressed", Subject: "saga/1", Time: time.Now().UTC(), Data: []byte(`{"n":1}`)}
				if err := event.Announce(t.Context(), log, e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	told, err := log.ReadSubject(t.Context(), "saga/1", 0, 0, 10, false)
	if err != nil || len(told) != 4 {
		t.Fatalf("%d events, %v", len(told), err)
	}
	seen := map[string]bool{}
	for i, e := range told {
		if e.Version != int64(i)+1 || e.Source != event.SourceGateway || seen[e.ID] {
			t.Errorf("event %d: %+v", i, e)
		}
		seen[e.ID] = true
	}
}

package work

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// large is a store that takes a second to list what has not ended.
type large struct {
	Store
	listed int
}

func (s *large) List(ctx context.Context, filter Filter, _ string, _ int) ([]Record, error) {
	if filter.openOnly() {
		s.listed++
		time.Sleep(time.Second)
	}
	return nil, ctx.Err()
}

// However much waits for its time, looking at it takes a small part of a core.
func TestSweepsOfMuchWorkRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &large{}
		e, err := New(Options{Store: store, File: "unused", Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		(&run{Engine: e, ctx: ctx}).sweep(func(context.Context, time.Time) error { return nil })
		if store.listed < 20 || store.listed > 30 {
			t.Errorf("swept for %d s of 600", store.listed)
		}
	})
}

package demo

import (
	"context"
	"log/slog"
	"testing"
	"time"
)

// TestFoldingWaitsForItsTurn folds the WAL while a transaction goes on, which has to reach its connections.
func TestFoldingWaitsForItsTurn(t *testing.T) {
	s, err := openStore(t.Context(), t.TempDir(), userDefinition())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	_, done, err := s.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	folded := make(chan struct{})
	go func() {
		defer close(folded)
		s.foldWAL(context.Background(), slog.New(slog.DiscardHandler))
	}()
	select {
	case <-folded:
		t.Error("it did not wait for the transaction")
	case <-time.After(50 * time.Millisecond):
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	stmt, err := s.write.PrepareContext(ctx, "SELECT 1")
	if err != nil {
		t.Error("the transaction cannot prepare a statement:", err)
	} else {
		stmt.Close()
	}
	done()
	<-folded
}

package config

import (
	"io"
	"strings"
	"testing"

	"tributary/internal/tuning"
)

func TestTheHeadroomIsThatOfTheBenchmark(t *testing.T) {
	cfg, _, err := Parse([]string{"serve"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Serve.Runtime; got != (Runtime{GCHeadroom: tuning.DefaultHeadroom}) {
		t.Errorf("defaults %+v", got)
	}
}

func TestNoHeapThatIsNeverCollected(t *testing.T) {
	if _, _, err := Parse([]string{"serve", "--gc-percent=0", "--memory-limit=0"}, io.Discard); err == nil || !strings.HasPrefix(err.Error(), "--gc-percent: ") {
		t.Errorf("got %v", err)
	}
	cfg, _, err := Parse([]string{"serve", "--gc-percent=0", "--memory-limit=1000000"}, io.Discard)
	if err != nil || *cfg.Serve.GCPercent != 0 || *cfg.Serve.MemoryLimit != 1000000 {
		t.Errorf("got %+v, %v", cfg.Serve.Runtime, err)
	}
}

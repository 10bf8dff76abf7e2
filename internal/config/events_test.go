package config

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestRetention(t *testing.T) {
	for _, c := range []struct {
		events, history string
		want            string // flag and words of the error; nothing: taken
	}{
		{"", "", ""}, {"24h", "", ""}, {"0", "", ""}, {"", "168h", ""}, {"48h", "8760h", ""}, {"0", "0", ""},
		{"23h59m", "", "--events-retention: want 0 or at least 24h"}, {"-1h", "", "--events-retention"}, {"", "-1s", "--history-retention: want 0 or more"},
		{"", "167h", "--history-retention: want 0 or no less than --events-retention"}, {"0", "8760h", "--history-retention: goes with --events-retention"},
		{"soon", "", "--events-retention"}, {"", "7d", "--history-retention"},
	} {
		args := []string{"serve"}
		for flag, value := range map[string]string{"--events-retention=": c.events, "--history-retention=": c.history} {
			if value != "" {
				args = append(args, flag+value)
			}
		}
		cfg, _, err := Parse(args, io.Discard)
		switch {
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)), c.want == "" && err != nil:
			t.Errorf("%v: %v, want %q", args, err, c.want)
		case c.events == "" && c.history == "" && (cfg.Serve.Events.Retention != 168*time.Hour || cfg.Serve.HistoryRetention != 0):
			t.Errorf("by default %v and %v", cfg.Serve.Events.Retention, cfg.Serve.HistoryRetention)
		}
	}
}

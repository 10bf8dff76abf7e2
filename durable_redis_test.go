package main

import (
	"log/slog"
	"strings"
	"testing"

	"tributary/internal/redisclient/redistest"
)

// A Redis that may lose durable work is refused, unless that is wanted; one that is not there is waited for.
func TestRedisHasToKeepWhatItIsTold(t *testing.T) {
	good, forgetful := redistest.Start(t), redistest.Start(t, "--appendonly", "no")
	evicting := redistest.Start(t, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
	cluster := redistest.StartCluster(t)
	gone := redistest.Start(t)
	gone.Kill()
	for name, c := range map[string]struct{ url, wrong string }{
		"good": {good.URL(), ""}, "forgetful": {forgetful.URL(), "appendonly is no"}, "evicting": {evicting.URL(), "evicts"},
		"cluster": {cluster, ""}, "gone": {gone.URL(), ""},
	} {
		client := redistest.Client(t, c.url)
		err := checkDurability(t.Context(), client, false, slog.New(slog.DiscardHandler))
		if (c.wrong == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: %v", name, err)
		}
		if err := checkDurability(t.Context(), client, true, slog.New(slog.DiscardHandler)); err != nil {
			t.Errorf("%s, as is wanted: %v", name, err)
		}
	}
}

package telemetry

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

func TestMetricsTellWhatHappened(t *testing.T) {
	m := New()
	m.Watch("user")
	if text := scrape(t, m); !strings.Contains(text, `tributary_breaker_state{service="user",state="closed"} 1`) {
		t.Error("no breaker before anything happened")
	}
	m.Operation("query", true, false, time.Millisecond)
	m.Operation("query", true, true, time.Millisecond)
	m.Operation("mutation", false, true, time.Millisecond)
	m.Attempt("user", "GET", "/users", "ok", 3*time.Millisecond)
	m.Retry("user")
	m.Hedge("user")
	m.Breaker("user", "closed", "open")
	m.Hits("user", 3)
	m.Misses("user", 2)
	m.Evicted("user")
	m.Joined("user")
	m.Shared()
	m.Stale("user", 4)
	m.Unasked("user", 5)
	m.Overload(func() int { return 3 }, func() int { return 2048 }, func() time.Duration { return 20 * time.Millisecond })
	text := scrape(t, m)
	for _, want := range []string{
		`tributary_operation_duration_seconds_count{outcome="ok",type="query"} 1`,
		`tributary_operation_duration_seconds_count{outcome="partial",type="query"} 1`,
		`tributary_operation_duration_seconds_count{outcome="failed",type="mutation"} 1`,
		`tributary_upstream_duration_seconds_bucket{endpoint="/users",method="GET",outcome="ok",service="user",le="0.005"} 1`,
		`tributary_upstream_retries_total{service="user"} 1`,
		`tributary_upstream_hedges_total{service="user"} 1`,
		`tributary_breaker_state{service="user",state="closed"} 0`,
		`tributary_breaker_state{service="user",state="open"} 1`,
		`tributary_breaker_transitions_total{service="user",state="open"} 1`,
		`tributary_cache_keys_total{result="hit",service="user"} 3`,
		`tributary_cache_keys_total{result="miss",service="user"} 2`,
		`tributary_cache_evictions_total{service="user"} 1`,
		`tributary_upstream_coalesced_total{service="user"} 1`,
		"tributary_operations_coalesced_total 1\n",
		`tributary_stale_keys_total{service="user"} 4`,
		`tributary_upstream_ignored_total{service="user"} 5`,
		"tributary_requests_under_way 3", "tributary_requests_limit 2048", "tributary_scheduling_delay_seconds 0.02",
		"go_goroutines ", "process_resident_memory_bytes ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestLoggerRefusesWhatItCannotDo(t *testing.T) {
	for _, c := range [][2]string{{"loud", "json"}, {"info", "xml"}} {
		if _, err := NewLogger(&bytes.Buffer{}, c[0], c[1]); err == nil {
			t.Errorf("%v was taken", c)
		}
	}
	var out bytes.Buffer
	log, err := NewLogger(&out, "warn", "json")
	if err != nil {
		t.Fatal(err)
	}
	log.Info("quiet")
	log.Warn("loud", "key", "value")
	if text := out.String(); strings.Contains(text, "quiet") || !strings.Contains(text, `"key":"value"`) {
		t.Error(text)
	}
}

package clients

import (
	"net/http"
	"testing"
	"time"
)

// A write to everything of a user has a time of its own, longer than that of other calls.
func TestBulkWritesMayTakeLonger(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(150 * time.Millisecond):
			reply(w, http.StatusOK, object{"affected": 1})
		case <-r.Context().Done():
		}
	}
	up := newUpstream(t, slow)
	impatient := each(func(s *ServiceConfig) { s.Timeout, s.Budget, s.Retries = 30*time.Millisecond, 30*time.Millisecond, 0 })
	c := clientsOf(t, up.URL, impatient)
	if n, err := c.Posts.HideByAuthor(t.Context(), "u1", BulkOptions{Key: "k1"}); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := c.Users.Freeze(t.Context(), "u1", BulkOptions{Key: "k2"}); kind(err) != KindUnknownOutcome {
		t.Errorf("a write to one entity has taken as long: %v", err)
	}
	short := clientsOf(t, up.URL, each(func(s *ServiceConfig) { s.Bulk, s.Retries = 30*time.Millisecond, 0 }))
	if _, err := short.Posts.HideByAuthor(t.Context(), "u1", BulkOptions{Key: "k3"}); kind(err) != KindUnknownOutcome {
		t.Errorf("it has no bound: %v", err)
	}
}

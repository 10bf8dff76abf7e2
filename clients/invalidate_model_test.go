package clients

import (
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestNothingOldIsEverShown drives one post through any history, with a service whose replicas lag and fail, events that
// come late, and events that cease. What is shown as fresh is never older than the last event, nor than the last answer;
// what stands in for a failed answer is never older than when the post was last gone.
func TestNothingOldIsEverShown(t *testing.T) {
	type state struct{ gone, absent bool }
	rapid.Check(t, func(r *rapid.T) {
		history := []state{{absent: true}} // by version
		told, least, gone := 0, 0, 0       // versions: of the last event, shown last, and gone last
		var answer int                     // version that the service's replica has come to
		failing := false
		u := newUpstream(t, func(w http.ResponseWriter, req *http.Request) {
			switch now := history[answer]; {
			case failing:
				problem(w, 503, "UNAVAILABLE", nil)
			case now.absent:
				reply(w, 200, items[*Post]())
			default:
				reply(w, 200, items(post("a", "u1", answer)))
			}
		})
		defer u.Close()
		now := newClock()
		c := clientsOf(t, u.URL, now.set, each(func(s *ServiceConfig) { s.Retries, s.Breaker.MinCalls = 0, 1000 }))
		defer c.Close()
		c.Posts.svc.pause = 0
		r.Repeat(map[string]func(*rapid.T){
			"change": func(r *rapid.T) {
				next := state{gone: rapid.Bool().Draw(r, "gone")}
				next.absent = next.gone && rapid.Bool().Draw(r, "deleted")
				history = append(history, next)
			},
			"tell": func(r *rapid.T) {
				if told == len(history)-1 {
					r.Skip("nothing to tell")
				}
				told++
				change := postEvent("restored", told, history[told].gone)
				c.Apply([]Change{change})
				if change.Gone {
					gone = told
				}
			},
			"live": func(r *rapid.T) { c.SetLive("post", rapid.Bool().Draw(r, "live")) },
			"wait": func(r *rapid.T) { now.add(time.Duration(rapid.IntRange(1, 3000).Draw(r, "ms")) * time.Millisecond) },
			"read": func(r *rapid.T) {
				answer = rapid.IntRange(max(0, len(history)-3), len(history)-1).Draw(r, "answer")
				failing = rapid.IntRange(0, 3).Draw(r, "outage") == 0
				a, ok := c.Posts.ByIDs(t.Context(), []PostID{"a"})["a"]
				switch {
				case !ok || a.Err != nil:
				case a.Stale != nil && a.Value.Version < gone:
					r.Fatalf("version %d stands in, gone in %d", a.Value.Version, gone)
				case a.Stale == nil && a.Value.Version < max(told, least):
					r.Fatalf("version %d is shown; told of %d, shown %d", a.Value.Version, told, least)
				case a.Stale == nil:
					least = a.Value.Version
				}
			},
		})
	})
}

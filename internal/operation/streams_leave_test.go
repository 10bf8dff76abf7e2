package operation

import (
	"testing"
	"time"
)

// TestNothingIsLeftOfWhoLeavesEarly has a member go before it has caught up with the group that was made for it.
func TestNothingIsLeftOfWhoLeavesEarly(t *testing.T) {
	r := startRadio(t, nil, 1000)
	r.channel.say(50)
	l := newListener(3)
	if _, result := r.join(t, Call{After: "1"}, l, tick, nil); result != nil {
		t.Fatal(result.Errors)
	}
	if end := l.ends(t); end.Reason != EndSlow {
		t.Errorf("it ends with %+v", end)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		r.mu.Lock()
		groups := len(r.groups)
		r.mu.Unlock()
		r.channel.mu.Lock()
		feeds := len(r.channel.feeds)
		r.channel.mu.Unlock()
		if groups == 0 && feeds == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d groups and %d feeds are left", groups, feeds)
		}
	}
}

// TestAVersionEndsForItsSubscribers holds that a subscription ends with its version of the schema.
func TestAVersionEndsForItsSubscribers(t *testing.T) {
	r := startRadio(t, nil, 10)
	newer, err := NewView("newer", r.view.Schema, nil)
	if err != nil {
		t.Fatal(err)
	}
	older, listeners := r.view, map[*View]*listener{r.view: newListener(1), newer: newListener(1)}
	for view, l := range listeners {
		r.view = view
		if _, refused := r.join(t, Call{}, l, tick, nil); refused != nil {
			t.Fatal(refused.Errors)
		}
	}
	r.mu.Lock() // as whoever looks at it does
	older.Version.Sunset = time.Now().Add(-time.Hour)
	r.mu.Unlock()
	if end := listeners[older].ends(t); end.Reason != EndError || end.Errors[0].Extensions["code"] != CodeVersionSunset {
		t.Errorf("it ends with %+v", end)
	}
	if len(listeners[newer].end) > 0 {
		t.Error("who uses another version is ended too")
	}
}

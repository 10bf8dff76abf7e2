package clients

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestEntriesStayFreshWhileEventsArrive(t *testing.T) {
	u, now := newUpstream(t, usersAsked), newClock()
	var told []string
	c := clientsOf(t, u.URL, now.set, func(cfg *Config) {
		cfg.Observer.Live = func(service string, live bool) { told = append(told, fmt.Sprint(service, live)) }
	})
	wantAsked := func(when string, asked bool) {
		t.Helper()
		before := len(u.requests())
		c.Users.ByIDs(t.Context(), []UserID{"a"})
		if got := len(u.requests()) > before; got != asked {
			t.Errorf("%s: asked: %v", when, got)
		}
	}
	wantAsked("at first", true)
	now.add(500 * time.Millisecond)
	c.SetLive("post", true)
	now.add(500 * time.Millisecond)
	wantAsked("while another service is live", true)
	c.SetLive("user", true)
	now.add(999 * time.Millisecond)
	wantAsked("within Fresh", false)
	c.SetLive("user", true)
	now.add(time.Minute - time.Second)
	wantAsked("within FreshLive", false)
	now.add(time.Millisecond)
	wantAsked("after FreshLive", true)
	now.add(time.Second)
	c.SetLive("user", false)
	wantAsked("as soon as events have ceased", true)
	now.add(500 * time.Millisecond)
	c.SetLive("user", true)
	now.add(400 * time.Millisecond)
	wantAsked("within Fresh", false)
	now.add(100 * time.Millisecond)
	wantAsked("read before events arrived again", true)
	c.SetLive("no such", true)
	if want := []string{"posttrue", "usertrue", "userfalse", "usertrue"}; !slices.Equal(told, want) {
		t.Errorf("told %q", told)
	}
}

func TestFreshLiveHasItsBounds(t *testing.T) {
	for _, tc := range []struct{ fresh, live, keep, want time.Duration }{
		{time.Second, time.Minute, time.Hour, time.Minute},
		{2 * time.Minute, time.Minute, time.Hour, 2 * time.Minute},
		{time.Second, 0, time.Hour, time.Second},
		{time.Second, time.Minute, 10 * time.Second, 10 * time.Second},
	} {
		c, err := newCache(CacheConfig{Bytes: 1, Fresh: tc.fresh, FreshLive: tc.live, Keep: tc.keep}, time.Now)
		if err != nil || c.freshLive != tc.want {
			t.Errorf("%+v: %v, %v", tc, c.freshLive, err)
		}
	}
	if err := (&CacheConfig{Bytes: 1, FreshLive: -1}).validate(); err == nil {
		t.Error("an age below 0 is accepted")
	}
}

package clients

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"
)

// BenchmarkByIDs reads 100 users out of the cache, and from a service in the same process without one.
func BenchmarkByIDs(b *testing.B) {
	ids := make([]UserID, 100)
	users := make([]*User, len(ids))
	for i := range ids {
		ids[i] = UserID(fmt.Sprint("u", i))
		users[i] = user(ids[i], 1)
	}
	body, err := json.Marshal(items(users...))
	if err != nil {
		b.Fatal(err)
	}
	u := newUpstream(b, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
	now := newClock()
	for name, change := range map[string]func(*Config){"cached": now.set, "uncached": uncached} {
		b.Run(name, func(b *testing.B) {
			c := clientsOf(b, u.URL, change)
			c.Users.ByIDs(b.Context(), ids)
			b.ReportAllocs()
			for b.Loop() {
				if got := c.Users.ByIDs(b.Context(), ids); len(got) != len(ids) || got["u7"].Err != nil {
					b.Fatal(got["u7"].Err)
				}
			}
		})
	}
}

// BenchmarkDecodeUsers decodes the answer to a batch read of 100 users.
func BenchmarkDecodeUsers(b *testing.B) {
	users := make([]*User, 100)
	for i := range users {
		users[i] = user(UserID(fmt.Sprint("u", i)), 1)
	}
	body, err := json.Marshal(items(users...))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if got, err := decodeItems(body, readUser); err != nil || len(got) != len(users) {
			b.Fatal(err)
		}
	}
}

// BenchmarkApply is the price of an event whose post is cached, and of reading a feed of 500 authors from the cache.
func BenchmarkApply(b *testing.B) {
	u := newUpstream(b, emptyWorld)
	c := clientsOf(b, u.URL, newClock().set)
	b.Run("event", func(b *testing.B) {
		b.ReportAllocs()
		c.Posts.ByIDs(b.Context(), []PostID{"p1"})
		for i := range b.N {
			c.Apply([]Change{postEvent("published", i+1, false)})
		}
	})
	b.Run("feed", func(b *testing.B) {
		b.ReportAllocs()
		authors := make([]UserID, 500)
		for i := range authors {
			authors[i] = UserID(strconv.Itoa(i))
		}
		for b.Loop() {
			c.Posts.List(b.Context(), authors, VisibilityPublic, anyPage)
		}
	})
}

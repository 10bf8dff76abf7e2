package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tributary/internal/auth"
	"tributary/internal/redisclient/redistest"
)

// ticketStore is one of the Tickets as the conformance suite sees it: open gives them as another replica has them.
type ticketStore struct {
	open    func(t *testing.T, bounds ticketBounds) Tickets
	advance func(time.Duration) // lets so much time pass, at least
}

// ticketClock is a clock that stands still unless it is moved.
type ticketClock struct{ offset atomic.Int64 }

var ticketNoon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func (c *ticketClock) now() time.Time          { return ticketNoon.Add(time.Duration(c.offset.Load())) }
func (c *ticketClock) advance(d time.Duration) { c.offset.Add(int64(d)) }

func eachTickets(t *testing.T, test func(t *testing.T, s ticketStore)) {
	t.Run("memory", func(t *testing.T) {
		var clock ticketClock
		tickets := NewMemoryTickets(clock.now)
		test(t, ticketStore{func(_ *testing.T, b ticketBounds) Tickets { tickets.bounds = b; return tickets }, clock.advance})
	})
	shared := func(url string) func(*testing.T) {
		return func(t *testing.T) {
			var clock ticketClock
			test(t, ticketStore{
				func(t *testing.T, b ticketBounds) Tickets {
					tickets := NewRedisTickets(redistest.Client(t, url), clock.now)
					tickets.bounds = b
					return tickets
				},
				func(d time.Duration) { clock.advance(d); time.Sleep(d + time.Millisecond) }, // Redis has a clock of its own
			})
		}
	}
	t.Run("redis", func(t *testing.T) { shared(redistest.Start(t).URL())(t) })
	t.Run("cluster", func(t *testing.T) { shared(redistest.StartCluster(t))(t) })
}

func TestTicketsConformance(t *testing.T) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, ticketStore)
	}{{"restore the viewer", ticketsRestore}, {"once", ticketsOnce}, {"age", ticketsAge}, {"bounds", ticketsBounds}} {
		t.Run(tt.name, func(t *testing.T) { eachTickets(t, tt.test) })
	}
}

func issued(t *testing.T, tickets Tickets, v auth.Viewer) string {
	t.Helper()
	ticket, err := tickets.Issue(t.Context(), v)
	if err != nil || len(ticket) < 26 {
		t.Fatalf("ticket %q, %v", ticket, err)
	}
	return ticket
}

func ticketsRestore(t *testing.T, s ticketStore) {
	here, there := s.open(t, defaultTicketBounds()), s.open(t, defaultTicketBounds())
	for _, v := range []auth.Viewer{
		{UserID: "ann"}, {UserID: "ann", Scopes: []string{"admin", "x"}, Expires: ticketNoon.Add(time.Hour + time.Nanosecond)},
		{KeyID: "k", KeyName: "name", Version: 2, Scopes: []string{"x"}}, {UserID: "ünï \"🙂\"", KeyID: "k2", Expires: ticketNoon.Add(time.Nanosecond)},
	} {
		got, err := there.Redeem(t.Context(), issued(t, here, v))
		if err != nil || !got.Expires.Equal(v.Expires) {
			t.Fatalf("%v: %v, %v", v, got, err)
		}
		if got.Expires = v.Expires; !reflect.DeepEqual(got, v) {
			t.Errorf("issued for %v, redeemed %v", v, got)
		}
	}
}

func ticketsOnce(t *testing.T, s ticketStore) {
	here, there := s.open(t, defaultTicketBounds()), s.open(t, defaultTicketBounds())
	ticket := issued(t, here, auth.Viewer{UserID: "ann"})
	var redeemed atomic.Int64
	var callers sync.WaitGroup
	for i := range 16 {
		callers.Go(func() {
			v, err := []Tickets{here, there}[i%2].Redeem(t.Context(), ticket)
			switch {
			case err == nil && v.UserID == "ann":
				redeemed.Add(1)
			case !errors.Is(err, auth.ErrInvalidToken) || !v.Anonymous():
				t.Errorf("%v, %v", v, err)
			}
		})
	}
	callers.Wait()
	if n := redeemed.Load(); n != 1 {
		t.Errorf("redeemed %d times", n)
	}
	hash := sha256.Sum256([]byte(issued(t, here, auth.Viewer{UserID: "ann"})))
	for name, ticket := range map[string]string{"unknown": "x", "empty": "", "what is stored": hex.EncodeToString(hash[:]), "those out": "out", "long": strings.Repeat("x", 1<<16)} {
		if v, err := there.Redeem(t.Context(), ticket); !errors.Is(err, auth.ErrInvalidToken) || !v.Anonymous() {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
}

func ticketsAge(t *testing.T, s ticketStore) {
	const life = 200 * time.Millisecond
	tickets := s.open(t, ticketBounds{life, 100, 1})
	old := issued(t, tickets, auth.Viewer{UserID: "ann"})
	ofKey := issued(t, tickets, auth.Viewer{KeyID: "k", Expires: ticketNoon.Add(time.Millisecond)})
	s.advance(time.Millisecond)
	if v, err := tickets.Redeem(t.Context(), ofKey); !errors.Is(err, auth.ErrInvalidToken) || !v.Anonymous() {
		t.Errorf("it outlived its key: %v, %v", v, err)
	}
	s.advance(life)
	if v, err := tickets.Redeem(t.Context(), old); !errors.Is(err, auth.ErrInvalidToken) || !v.Anonymous() {
		t.Errorf("it outlived its time: %v, %v", v, err)
	}
	issued(t, tickets, auth.Viewer{UserID: "ann"}) // the old one takes no place
}

func ticketsBounds(t *testing.T, s ticketStore) {
	here, there := s.open(t, ticketBounds{time.Minute, 5, 2}), s.open(t, ticketBounds{time.Minute, 5, 2})
	ann := auth.Viewer{UserID: "ann"}
	full := func(v auth.Viewer) {
		t.Helper()
		if ticket, err := there.Issue(t.Context(), v); !errors.Is(err, ErrTooManyTickets) || ticket != "" {
			t.Errorf("%v got %q, %v", v, ticket, err)
		}
	}
	first := issued(t, here, ann)
	issued(t, there, ann)
	full(ann)
	if _, err := there.Redeem(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	first = issued(t, there, ann) // a used one takes no place
	for i := range 3 {
		issued(t, here, auth.Viewer{KeyID: fmt.Sprint(i)})
	}
	full(auth.Viewer{UserID: "bob"})
	if _, err := here.Redeem(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	issued(t, here, auth.Viewer{UserID: "bob"})
	full(auth.Viewer{UserID: "carl"})
}

func TestMemoryTicketsAreGoodForHalfAMinute(t *testing.T) {
	var clock ticketClock
	tickets := NewMemoryTickets(clock.now)
	soon, late := issued(t, tickets, auth.Viewer{UserID: "ann"}), issued(t, tickets, auth.Viewer{UserID: "ann"})
	clock.advance(30*time.Second - 1)
	if _, err := tickets.Redeem(t.Context(), soon); err != nil {
		t.Error(err)
	}
	clock.advance(1)
	if _, err := tickets.Redeem(t.Context(), late); !errors.Is(err, auth.ErrInvalidToken) {
		t.Error(err)
	}
	if b := tickets.bounds; b.all != 10_000 || b.ofOne != 20 || len(tickets.issued)+len(tickets.live)+len(tickets.of) > 0 {
		t.Errorf("bounds %v, %d issued, %d live, %d owners", b, len(tickets.issued), len(tickets.live), len(tickets.of))
	}
}

func TestRedisTicketsAreGoodForHalfAMinute(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client()
	tickets := NewRedisTickets(client, time.Now)
	ticket := issued(t, tickets, auth.Viewer{UserID: "ann"})
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) != 3 {
		t.Fatalf("%v, %v", keys, err)
	}
	for _, key := range keys {
		if left := client.PTTL(t.Context(), key).Val(); left > 30*time.Second || left < 20*time.Second {
			t.Errorf("%s lives for %v", key, left)
		}
		if strings.Contains(key, ticket) || !strings.HasPrefix(key, ticketKeys) {
			t.Errorf("key %s", key)
		}
	}
	for _, poison := range []string{"", "null", "{}", "[1]", `{"userId":7}`} {
		hash := sha256.Sum256([]byte("poison"))
		if err := client.Set(t.Context(), ticketKeys+hex.EncodeToString(hash[:]), poison, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if v, err := tickets.Redeem(t.Context(), "poison"); !errors.Is(err, auth.ErrInvalidToken) || !v.Anonymous() {
			t.Errorf("%q: %v, %v", poison, v, err)
		}
	}
}

func TestRedisTicketsWithoutRedis(t *testing.T) {
	server := redistest.Start(t)
	tickets := NewRedisTickets(server.Client(), time.Now)
	ticket := issued(t, tickets, auth.Viewer{UserID: "ann"})
	unavailable := func(how string) {
		t.Helper()
		start := time.Now()
		_, issue := tickets.Issue(t.Context(), auth.Viewer{UserID: "ann"})
		_, redeem := tickets.Redeem(t.Context(), ticket)
		if !errors.Is(issue, auth.ErrUnavailable) || !errors.Is(redeem, auth.ErrUnavailable) {
			t.Errorf("%s: %v, %v", how, issue, redeem)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: it took %v", how, took)
		}
	}
	if err := server.Client().Do(t.Context(), "CLIENT", "PAUSE", "60000", "ALL").Err(); err != nil {
		t.Fatal(err)
	}
	unavailable("slow")
	server.Kill()
	unavailable("down")
	server.Restart()
	issued(t, tickets, auth.Viewer{UserID: "bob"})
}

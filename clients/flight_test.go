package clients

import (
	"context"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// barrier holds requests until it is told how to answer them, in the order they came.
type barrier struct {
	arrived chan *held
}

type held struct {
	r    *http.Request
	then chan http.HandlerFunc
}

func newBarrier() *barrier { return &barrier{arrived: make(chan *held)} }

func (b *barrier) hold(w http.ResponseWriter, r *http.Request) {
	h := &held{r, make(chan http.HandlerFunc)}
	select {
	case b.arrived <- h:
	case <-r.Context().Done():
		return
	}
	select {
	case then := <-h.then:
		then(w, r)
	case <-r.Context().Done():
	}
}

// waiters waits until so many readers wait for flights of a service.
func waiters(t *testing.T, s *service, want int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		s.flights.mu.Lock()
		n := 0
		for _, f := range s.flights.m {
			n += f.waiters
		}
		s.flights.mu.Unlock()
		if n == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d readers wait, want %d", n, want)
		}
	}
}

func TestIdenticalReadsAreOne(t *testing.T) {
	b := newBarrier()
	u := newUpstream(t, b.hold)
	var joined atomic.Int32
	c := clientsOf(t, u.URL, func(cfg *Config) { cfg.Observer.Joined = func(string) { joined.Add(1) } })
	var readers sync.WaitGroup
	const n = 50
	for i := range n {
		ids := []UserID{"a", "b", "c"}
		if i%2 == 1 {
			ids = []UserID{"c", "b", "a", "c"}
		}
		readers.Go(func() {
			got := c.Users.ByIDs(t.Context(), ids)
			if len(got) != 3 || got["a"].Value == nil {
				t.Errorf("got %v", got)
			}
			delete(got, "a") // everyone has a map of their own
		})
	}
	waiters(t, c.Users.svc, n)
	(<-b.arrived).then <- usersAsked
	readers.Wait()
	u.wantTargets(t, "GET /users?ids=a,b,c")
	if len(c.Users.svc.flights.m) != 0 || joined.Load() != n-1 {
		t.Errorf("%d flights left, %d readers joined", len(c.Users.svc.flights.m), joined.Load())
	}
}

func TestJoinedReadsAreReported(t *testing.T) {
	b := newBarrier()
	u := newUpstream(t, b.hold)
	c := clientsOf(t, u.URL)
	var mu sync.Mutex
	calls := make(map[string][]Call)
	read := func(name string) {
		ctx := WithRecorder(t.Context(), func(call Call) {
			mu.Lock()
			defer mu.Unlock()
			calls[name] = append(calls[name], call)
		})
		c.Users.ByIDs(ctx, []UserID{"a"})
	}
	var readers sync.WaitGroup
	readers.Go(func() { read("first") })
	waiters(t, c.Users.svc, 1)
	readers.Go(func() { read("second") })
	waiters(t, c.Users.svc, 2)
	(<-b.arrived).then <- usersAsked
	readers.Wait()
	read("third")
	if got := calls["first"]; len(got) != 1 || got[0].Status != 200 || got[0].Attempt != 1 || got[0].Keys != 1 ||
		got[0].Target != "/users?ids=a" || got[0].Endpoint != "/users" || got[0].Bytes == 0 || got[0].Method != "GET" {
		t.Errorf("first: %+v", got)
	}
	if got := calls["second"]; len(got) != 1 || !got[0].Joined || got[0].Status != 0 || got[0].Keys != 1 {
		t.Errorf("second: %+v", got)
	}
	if got := calls["third"]; len(got) != 1 || !got[0].Cached || got[0].Keys != 1 {
		t.Errorf("third: %+v", got)
	}
}

// TestAFlightOutlivesItsFirstReader has the first of two readers leave, then the second.
func TestAFlightOutlivesItsFirstReader(t *testing.T) {
	b := newBarrier()
	u := newUpstream(t, b.hold)
	c := clientsOf(t, u.URL)
	read := func(ctx context.Context) chan error {
		done := make(chan error, 1)
		go func() { done <- ask(ctx, c) }()
		return done
	}
	ctx1, leave1 := context.WithCancel(t.Context())
	first := read(ctx1)
	request := <-b.arrived
	second := read(t.Context())
	waiters(t, c.Users.svc, 2)
	leave1()
	if err := <-first; err != context.Canceled {
		t.Errorf("who left got %v", err)
	}
	request.then <- usersAsked
	if err := <-second; err != nil {
		t.Errorf("who stayed got %v", err)
	}

	ctx1, leave1 = context.WithCancel(t.Context())
	ctx2, leave2 := context.WithCancel(t.Context())
	c.Users.svc.gens.invalidateAll()
	first = read(ctx1)
	request = <-b.arrived
	second = read(ctx2)
	waiters(t, c.Users.svc, 2)
	leave1()
	<-first
	leave2()
	<-second
	<-request.r.Context().Done() // nobody waits, so the call is over
	third := read(t.Context())
	(<-b.arrived).then <- usersAsked // and nobody joins it any more
	if err := <-third; err != nil {
		t.Error(err)
	}
}

// TestNobodyJoinsAnAbandonedFlight, even while its read has not noticed yet.
func TestNobodyJoinsAnAbandonedFlight(t *testing.T) {
	u := newUpstream(t, usersAsked)
	s := clientsOf(t, u.URL).Users.svc
	key, started, release := flightKey{target: "x"}, make(chan struct{}), make(chan struct{})
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, _, err := fly(ctx, s, key, func(own context.Context) int {
			close(started)
			<-own.Done()
			<-release
			return 1
		})
		done <- err
	}()
	<-started
	leave()
	if err := <-done; err != context.Canceled {
		t.Errorf("got %v", err)
	}
	if n, joined, err := fly(t.Context(), s, key, func(context.Context) int { return 2 }); n != 2 || joined || err != nil {
		t.Errorf("got %d, %v, %v", n, joined, err)
	}
	close(release)
}

func TestDeadlineEndsAWait(t *testing.T) {
	u := newUpstream(t, hang)
	c := clientsOf(t, u.URL)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := ask(ctx, c); err != context.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
}

func TestCloseWaitsAndRefuses(t *testing.T) {
	b := newBarrier()
	u := newUpstream(t, b.hold)
	c := clientsOf(t, u.URL)
	read := make(chan error, 1)
	go func() { read <- ask(t.Context(), c) }()
	request := <-b.arrived
	closed := make(chan struct{})
	go func() {
		c.Close()
		close(closed)
	}()
	for !c.Users.svc.isClosed() {
		runtime.Gosched()
	}
	select {
	case <-closed:
		t.Error("closed with a call under way")
	default:
	}
	request.then <- usersAsked
	if err := <-read; err != nil {
		t.Errorf("the call under way: %v", err)
	}
	<-closed
	if err := ask(t.Context(), c); err != nil {
		t.Errorf("what is cached: %v", err)
	}
	if err := c.Users.ByIDs(t.Context(), []UserID{"b"})["b"].Err; kind(err) != KindInternal || !strings.Contains(err.Error(), "closed") {
		t.Errorf("a read after: %v", err)
	}
	if _, err := c.Users.Create(t.Context(), NewUser{Handle: "abc"}); kind(err) != KindInternal {
		t.Errorf("a write after: %v", err)
	}
	c.Close()
}

func (s *service) isClosed() bool {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	return s.gate.closed
}

func TestAPanicIsAnError(t *testing.T) {
	u := newUpstream(t, usersAsked)
	c := clientsOf(t, u.URL)
	_, err := call(t.Context(), c.Users.svc, &request{method: "GET", endpoint: "/users", target: "/users?ids=a"},
		func(answer) (int, error) { panic("decoder") }, nil)
	if kind(err) != KindInternal || !strings.Contains(err.Error(), "decoder") {
		t.Errorf("in a decoder: %v", err)
	}
	_, _, err = fly(t.Context(), c.Users.svc, flightKey{target: "x"}, func(context.Context) int { panic("flight") })
	if kind(err) != KindInternal || !strings.Contains(err.Error(), "flight") {
		t.Errorf("in a flight: %v", err)
	}
	if s := c.States()[0]; s.InFlight != 0 || len(c.Users.svc.flights.m) != 0 {
		t.Errorf("left over: %+v", s)
	}
}

func TestAnswersAreNotMixedUp(t *testing.T) {
	u := newUpstream(t, usersAsked)
	c := clientsOf(t, u.URL)
	var readers sync.WaitGroup
	for i := range 20 {
		readers.Go(func() {
			id := UserID("u" + strings.Repeat("x", i%5))
			want := map[UserID]Answer[*User]{id: {Value: user(id, 1)}}
			if got := c.Users.ByIDs(t.Context(), []UserID{id}); !reflect.DeepEqual(got, want) {
				t.Errorf("got %v", got)
			}
		})
	}
	readers.Wait()
}

package operation

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gqlparser "github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/auth"
	"tributary/internal/limit"
)

const streamSDL = `
directive @cost(weight: String!) on FIELD_DEFINITION | OBJECT
type Query { a: Int }
type Tick @cost(weight: "1") { n: Int }
type Subscription { tick(after: String, kind: String): Tick }
`

// channel is a source of numbered events; feeds that are open hear of each.
type channel struct {
	mu    sync.Mutex
	last  int64
	feeds map[chan int64]bool
}

type numberKey struct{}

func (c *channel) say(n int) {
	for range n {
		c.mu.Lock()
		c.last++
		for feed := range c.feeds {
			feed <- c.last
		}
		c.mu.Unlock()
	}
}

func (c *channel) source() Source {
	return Source{Opening: func(ctx context.Context) (context.Context, func(context.Context, bool, string) (Feed, error)) {
		return ctx, func(_ context.Context, resume bool, after string) (Feed, error) { return c.open(resume, after) }
	}}
}

func (c *channel) open(resume bool, after string) (Feed, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	feed, taken, busy := make(chan int64, 10_000), atomic.Int64{}, atomic.Bool{}
	taken.Store(c.last)
	if resume && after != "" {
		var from int64
		if _, err := fmt.Sscan(after, &from); err != nil || from > c.last {
			return Feed{}, ErrCursor
		}
		taken.Store(from)
		for n := from + 1; n <= c.last; n++ {
			feed <- n
		}
	}
	c.feeds[feed] = true
	return Feed{
		Next: func(ctx context.Context) (Item, error) {
			busy.Store(false)
			select {
			case n := <-feed:
				busy.Store(true)
				taken.Store(n)
				return Item{Position: n, Cursor: fmt.Sprint(n), Enter: func(ctx context.Context) context.Context { return context.WithValue(ctx, numberKey{}, n) }}, nil
			case <-ctx.Done():
				return Item{}, ctx.Err()
			}
		},
		Position: func() (int64, string) {
			c.mu.Lock()
			defer c.mu.Unlock()
			position := taken.Load()
			if len(feed) == 0 {
				position = c.last
			}
			return position, fmt.Sprint(position)
		},
		Settled: func() (int64, string, bool) {
			position := taken.Load() // before busy is read
			return position, fmt.Sprint(position), !busy.Load()
		},
		Close: func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			delete(c.feeds, feed)
		},
	}, nil
}

// counting answers the number of the event, of multiples of ten nothing.
type counting struct{ runs atomic.Int64 }

func (c *counting) Execute(ctx context.Context, _ *Prepared, _ Denied) *Result {
	n, ok := ctx.Value(numberKey{}).(int64)
	if !ok || n%10 == 0 {
		return &Result{Outcome: Skipped}
	}
	c.runs.Add(1)
	return &Result{Data: []byte(fmt.Sprintf(`{"tick":{"n":%d}}`, n))}
}

// listener is a member that writes down what it gets, up to a bound.
type listener struct {
	mu      sync.Mutex
	got     []string
	most    int
	end     chan End
	changed chan struct{}
}

func newListener(most int) *listener {
	return &listener{most: most, end: make(chan End, 1), changed: make(chan struct{}, 100_000)}
}

func (l *listener) Deliver(p Payload) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.got) == l.most {
		return false
	}
	l.got = append(l.got, p.Cursor)
	l.changed <- struct{}{}
	return true
}

func (l *listener) End(e End) { l.end <- e }

func (l *listener) await(t *testing.T, n int) []string {
	t.Helper()
	for {
		l.mu.Lock()
		got := slices.Clone(l.got)
		l.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-l.changed:
		case <-time.After(20 * time.Second):
			t.Fatalf("%d payloads have come, want %d", len(got), n)
		}
	}
}

func (l *listener) ends(t *testing.T) End {
	t.Helper()
	select {
	case e := <-l.end:
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("it does not end")
	}
	return End{}
}

// radio is streams over a channel, running.
type radio struct {
	*Streams
	channel  *channel
	executor *counting
	view     *View
	stop     func()
}

func startRadio(t *testing.T, limiter *limit.Limiter, most int) *radio {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "test", Input: streamSDL})
	if err != nil {
		t.Fatal(err)
	}
	r := &radio{channel: &channel{feeds: map[chan int64]bool{}}, executor: &counting{}}
	if r.view, err = NewView("test", schema, nil); err != nil {
		t.Fatal(err)
	}
	pipeline := &Pipeline{
		Preparer: testPreparer(t), Executor: r.executor, Limiter: limiter, Timeout: time.Minute,
		Enter:   func(ctx context.Context, _ Call) context.Context { return ctx },
		Observe: func(context.Context, *Prepared, *Result, time.Duration) {},
	}
	r.Streams = NewStreams(pipeline, r.channel.source(), most, StreamObserver{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

func (r *radio) join(t *testing.T, call Call, l *listener, query string, variables map[string]any) (*Subscription, *Result) {
	t.Helper()
	op, errs := r.pipeline.Prepare(r.view, Request{Query: query, Variables: variables})
	if errs != nil {
		t.Fatal(errs)
	}
	return r.Subscribe(t.Context(), op, call, l)
}

// settled waits until so many members belong to groups, so that what is said next runs once for each group.
func (r *radio) settled(t *testing.T, members int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		n := 0
		r.mu.Lock()
		for _, g := range r.groups {
			g.mu.Lock()
			n += len(g.members)
			g.mu.Unlock()
		}
		r.mu.Unlock()
		if n == members {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d members belong to groups, want %d", n, members)
		}
	}
}

const tick = `subscription ($after: String) { tick(after: $after) { n } }`

func TestEqualSubscriptionsRunOnce(t *testing.T) {
	r := startRadio(t, nil, 1000)
	const members = 600 // enough for several shards
	var all []*listener
	for i := range members {
		l := newListener(100)
		all = append(all, l)
		variables := map[string]any{}
		if i%2 == 1 {
			variables["after"] = "0" // a cursor is nothing that tells members apart
		}
		if _, result := r.join(t, Call{Viewer: auth.Viewer{UserID: fmt.Sprint(i % 3)}}, l, tick, variables); result != nil {
			t.Fatal(result.Errors)
		}
	}
	r.settled(t, members)
	r.channel.say(12)
	want := []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "11", "12"}
	for _, l := range all {
		if got := l.await(t, len(want)); !slices.Equal(got, want) {
			t.Fatalf("a member got %v", got)
		}
	}
	if runs := r.executor.runs.Load(); runs != 3*int64(len(want)) {
		t.Errorf("%d events for callers of three kinds ran %d times", len(want), runs)
	}
}

func TestWhoMissedSomethingCatchesUp(t *testing.T) {
	r := startRadio(t, nil, 1000)
	first := newListener(1000)
	if _, result := r.join(t, Call{}, first, tick, nil); result != nil {
		t.Fatal(result.Errors)
	}
	r.settled(t, 1)
	r.channel.say(50)
	first.await(t, 45)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.channel.say(200)
	}()
	late := newListener(1000)
	sub, result := r.join(t, Call{After: "20"}, late, tick, nil)
	if result != nil {
		t.Fatal(result.Errors)
	}
	<-done
	got := late.await(t, 207) // 21 to 250 without the multiples of ten
	for i, n := 0, 21; n <= 250; n++ {
		if n%10 != 0 {
			if got[i] != fmt.Sprint(n) {
				t.Fatalf("payload %d is %s, want %d", i, got[i], n)
			}
			i++
		}
	}
	r.settled(t, 2)
	if sub.Bookmark() != "250" {
		t.Errorf("the bookmark is %s", sub.Bookmark())
	}
	if _, result := r.join(t, Call{After: "999"}, newListener(1), tick, nil); result == nil || result.Errors[0].Extensions["code"] != CodeCursorExpired {
		t.Errorf("a cursor of the future: %+v", result)
	}
}

func TestTheSlowAreEndedAndOthersAreNot(t *testing.T) {
	r := startRadio(t, nil, 1000)
	slow, quick := newListener(3), newListener(1000)
	for _, l := range []*listener{slow, quick} {
		if _, result := r.join(t, Call{}, l, tick, nil); result != nil {
			t.Fatal(result.Errors)
		}
	}
	r.settled(t, 2)
	r.channel.say(9)
	if end := slow.ends(t); end.Reason != EndSlow || end.Cursor != "3" || end.Errors[0].Extensions["cursor"] != "3" {
		t.Errorf("the slow one ends with %+v", end)
	}
	quick.await(t, 9)
}

func TestSubscribersPayForEvents(t *testing.T) {
	limiter := limit.New(limit.Config{User: limit.Limits{Points: limit.Rate{Size: 25, Restore: 0.001}}}, nil)
	r := startRadio(t, limiter, 1000)
	l := newListener(1000)
	if _, result := r.join(t, Call{Viewer: auth.Viewer{UserID: "u"}}, l, tick, nil); result != nil {
		t.Fatal(result.Errors)
	}
	r.settled(t, 1)
	r.channel.say(40)
	end := l.ends(t)
	if len(l.await(t, 25)) != 25 || end.Reason != EndThrottled || end.Errors[0].Extensions["retryAfterMs"].(int64) <= 0 || end.Cursor == "" {
		t.Errorf("after %d payloads it ends with %+v", len(l.got), end)
	}
	if left := limiter.Look(t.Context(), limit.Caller{UserID: "u"}).Tightest().Available; left != 0 {
		t.Errorf("%d points are left", left)
	}
}

func TestWhatIsLeasedAndNotUsedComesBack(t *testing.T) {
	limiter := limit.New(limit.Config{User: limit.Limits{Points: limit.Rate{Size: 100, Restore: 0.001}}}, nil)
	r := startRadio(t, limiter, 1000)
	l := newListener(1000)
	sub, result := r.join(t, Call{Viewer: auth.Viewer{UserID: "u"}}, l, tick, nil)
	if result != nil {
		t.Fatal(result.Errors)
	}
	r.settled(t, 1)
	r.channel.say(5)
	l.await(t, 5)
	sub.Close()
	sub.Close()
	if left := limiter.Look(t.Context(), limit.Caller{UserID: "u"}).Tightest().Available; left != 95 {
		t.Errorf("%d of 100 points are left after five events", left)
	}
	r.channel.say(3)
	if n := len(l.await(t, 5)); n != 5 {
		t.Errorf("after Close %d payloads came", n-5)
	}
}

func TestTokensEndAndServersStop(t *testing.T) {
	r := startRadio(t, nil, 2)
	short, long := newListener(10), newListener(10)
	expiring := Call{Viewer: auth.Viewer{UserID: "u", Expires: time.Now().Add(50 * time.Millisecond)}}
	for l, call := range map[*listener]Call{short: expiring, long: {}} {
		if _, result := r.join(t, call, l, tick, nil); result != nil {
			t.Fatal(result.Errors)
		}
	}
	if _, result := r.join(t, Call{}, newListener(1), tick, nil); result == nil || result.Outcome != Throttled || result.Errors[0].Extensions["code"] != CodeStreamsFull {
		t.Errorf("one too many: %+v", result)
	}
	if end := short.ends(t); end.Reason != EndUnauthenticated {
		t.Errorf("an expired token ends with %+v", end)
	}
	r.stop()
	if end := long.ends(t); end.Reason != EndDraining {
		t.Errorf("a server that stops ends with %+v", end)
	}
	if _, result := r.join(t, Call{}, newListener(1), tick, nil); result == nil {
		t.Error("a server that has stopped takes a subscription")
	}
}

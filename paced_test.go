package main

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"tributary/internal/event"
)

const (
	pace    = 5 * time.Millisecond // between writes: 200 a second
	backlog = 4000                 // writes that are due while somebody is dead
	callers = 32
)

// paced is writes at a steady rate, whether those before are done or not, each repeated under its key until it is acknowledged. One
// caller beside them edits the same post again and again, so that there is a subject whose events have an order.
type paced struct {
	url     string
	client  *http.Client
	tokens  []string
	due     chan int
	stopped chan struct{}
	running sync.WaitGroup

	mu           sync.Mutex
	acknowledged map[string]bool
	edits        []string // marks, in the order in which they were acknowledged
	late         int      // writes that nobody came to start
	phases       []phase
}

// phase is a time in which everybody was alive.
type phase struct {
	writes int
	took   time.Duration
}

func (p phase) rate() float64 { return float64(p.writes) / p.took.Seconds() }

// startPaced writes to a gateway until stop, at the latest at the end of the test.
func startPaced(t *testing.T, url string, tokens []string) *paced {
	t.Helper()
	p := &paced{
		url: url, tokens: tokens, due: make(chan int, backlog), stopped: make(chan struct{}), acknowledged: map[string]bool{},
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}, Timeout: 10 * time.Second},
	}
	p.running.Go(p.tick)
	for range callers {
		p.running.Go(func() { p.write(t) })
	}
	p.running.Go(func() { p.edit(t) })
	t.Cleanup(func() { p.stop(t) })
	return p
}

// tick says when the next write is due.
func (p *paced) tick() {
	defer close(p.due)
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for i := 0; ; i++ {
		select {
		case <-p.stopped:
			return
		case <-ticker.C:
		}
		select {
		case p.due <- i:
		default:
			p.mu.Lock()
			p.late++
			p.mu.Unlock()
		}
	}
}

func (p *paced) write(t *testing.T) {
	for i := range p.due {
		w := newWrite(fmt.Sprintf("mark-%d-end", i), p.tokens[i%len(p.tokens)], i)
		if !p.insist(t, w) {
			return
		}
		p.mu.Lock()
		p.acknowledged[w.mark] = true
		p.mu.Unlock()
	}
}

func (p *paced) edit(t *testing.T) {
	for i := 0; ; i++ {
		mark := fmt.Sprintf("edit-%d-end", i)
		w := &sentWrite{mark: mark, token: p.tokens[0], query: `mutation { x: updatePost(input: {id: "post_p1", title: "` + mark + `"}) { userErrors { code } } }`}
		if !p.insist(t, w) {
			return
		}
		p.mu.Lock()
		p.edits = append(p.edits, mark)
		p.mu.Unlock()
		select {
		case <-time.After(10 * pace):
		case <-p.stopped:
		}
	}
}

// insist sends a write until it is acknowledged, or nobody wants it any more.
func (p *paced) insist(t *testing.T, w *sentWrite) bool {
	for {
		select {
		case <-p.stopped:
			return false
		default:
		}
		if done, _ := w.send(t.Context(), p.client, p.url); done {
			return true
		}
		time.Sleep(20 * time.Millisecond) // until whoever is dead is back
	}
}

func (p *paced) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.acknowledged)
}

// alive waits for so many acknowledged writes while everybody is alive, and notes how long they took.
func (p *paced) alive(t *testing.T, n int) {
	t.Helper()
	before, began := p.count(), time.Now()
	for p.count() < before+n {
		if time.Since(began) > time.Minute {
			t.Fatal("nobody is served")
		}
		time.Sleep(5 * time.Millisecond)
	}
	p.phases = append(p.phases, phase{p.count() - before, time.Since(began)})
}

// stop ends the writing and gives the marks of what was acknowledged. A second call does nothing else.
func (p *paced) stop(*testing.T) (acknowledged map[string]bool, edits []string) {
	select {
	case <-p.stopped:
	default:
		close(p.stopped)
	}
	p.running.Wait()
	p.client.CloseIdleConnections()
	return maps.Clone(p.acknowledged), slices.Clone(p.edits)
}

// rate tells what was reached. The long run demands 150 a second, from a machine that had more before the first kill.
func (p *paced) rate(t *testing.T) string {
	t.Helper()
	var all phase
	for _, one := range p.phases {
		all.writes, all.took = all.writes+one.writes, all.took+one.took
	}
	said := fmt.Sprintf("%.0f/s of 200 before the first kill, %.0f/s over %.1f s with everybody alive, %d not begun",
		p.phases[0].rate(), all.rate(), all.took.Seconds(), p.late)
	if os.Getenv("TORTURE") == "long" && p.phases[0].rate() >= 190 && all.rate() < 150 {
		t.Errorf("the writes are too slow: %s", said)
	}
	return said
}

var markOf = regexp.MustCompile(`(?:mark|edit)-[0-9-]+-end`)

// logHolds holds that every acknowledged write is in the log once, and that the events of each subject are in the order of their
// versions, the edits in that in which they were acknowledged.
func logHolds(t *testing.T, log []event.Event, acknowledged map[string]bool, edits []string) {
	t.Helper()
	times, versions := map[string]int{}, map[string]int64{}
	var edited []string
	for _, e := range log {
		if before, known := versions[e.Subject]; known && e.Version != before+1 {
			t.Errorf("%s: version %d comes after %d", e.Subject, e.Version, before)
		}
		versions[e.Subject] = e.Version
		mark := markOf.FindString(string(e.Data))
		if times[mark]++; e.Subject == "post/p1" && e.Type == "post.updated" {
			edited = append(edited, mark)
		}
	}
	for mark := range acknowledged {
		if times[mark] != 1 {
			t.Errorf("%s stands in the log %d times", mark, times[mark])
		}
	}
	if len(edited) < len(edits) || !slices.Equal(edited[:len(edits)], edits) {
		t.Errorf("the log has %d edits %v, acknowledged were %d %v", len(edited), edited, len(edits), edits)
	}
}

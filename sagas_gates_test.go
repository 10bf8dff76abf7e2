package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// verdict is what a gate does with a request.
type verdict string

const (
	before  verdict = "before"  // it is held, and goes on its way only at the very end
	stray   verdict = "stray"   // so too, and the service is down from when the gates are opened: it comes behind what took it back
	after   verdict = "after"   // it is carried out, and its answer held
	paused  verdict = "paused"  // it is held until the gates are opened, and then goes on its way if anybody still waits for it
	down    verdict = "down"    // it is refused by a service that is down
	outage  verdict = "outage"  // it is refused so until the gates are opened
	lost    verdict = "lost"    // it is carried out, and its answer lost
	unheard verdict = "unheard" // its answer is lost so until the gates are opened
)

// point is where a saga is disturbed: a write of one service about one account, such as "user freeze".
type point struct {
	account, write string
	how            verdict
}

// gates stand in front of the services. They know a write by the service, the account in its path and what comes last there.
type gates struct {
	urls      map[string]string
	transport *http.Transport
	ended     chan struct{}
	opened    chan struct{}

	mu    sync.Mutex
	rules map[[2]string]verdict // by account and write
	held  map[[2]string]bool
	late  []func() (status int)
	cut   []string // accounts whose paused requests nobody waited for any more
}

func startGates(t *testing.T, services map[string]string) *gates {
	t.Helper()
	g := &gates{urls: map[string]string{}, transport: &http.Transport{MaxIdleConnsPerHost: 16}, ended: make(chan struct{}), opened: make(chan struct{}), rules: map[[2]string]verdict{}, held: map[[2]string]bool{}}
	t.Cleanup(g.transport.CloseIdleConnections)
	for name, target := range services {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.pass(w, r, name, target) }))
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		server.Start()
		t.Cleanup(server.Close)
		g.urls[name] = server.URL
	}
	t.Cleanup(sync.OnceFunc(func() { close(g.ended) })) // before the servers, which wait for what they hold
	return g
}

// set disturbs sagas.
func (g *gates) set(points ...point) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range points {
		g.rules[[2]string{p.account, p.write}] = p.how
	}
}

// open lets everything pass from now on but for what is down for good. What is held stays so. It is called once.
func (g *gates) open() {
	close(g.opened)
	g.mu.Lock()
	defer g.mu.Unlock()
	for at, how := range g.rules {
		switch how {
		case stray:
			g.rules[at] = down
		case down, lost:
		default:
			delete(g.rules, at)
		}
	}
}

// holds says whether a point was reached.
func (g *gates) holds(p point) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.held[[2]string{p.account, p.write}]
}

// release sends what was held in front of the services on its way, long after anybody waits for it.
func (g *gates) release() (statuses []int) {
	g.mu.Lock()
	late := g.late
	g.late = nil
	g.mu.Unlock()
	for _, send := range late {
		statuses = append(statuses, send())
	}
	return statuses
}

func (g *gates) pass(w http.ResponseWriter, r *http.Request, service, target string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	send := func(ctx context.Context, to http.ResponseWriter) int { return g.forward(ctx, to, r, target, body) }
	at := [2]string{}
	if r.Method != http.MethodGet {
		at = writeOf(service, r)
	}
	g.mu.Lock()
	how := g.rules[at]
	first := !g.held[at]
	if how == before || how == stray || how == paused {
		g.held[at] = true
		if first && how != paused {
			g.late = append(g.late, func() int { return send(context.Background(), httptest.NewRecorder()) })
		}
	}
	g.mu.Unlock()
	switch how {
	case before, stray:
		g.wait(r)
	case paused:
		if g.pause(r, at) {
			send(r.Context(), w)
		}
	case after, lost, unheard:
		send(context.Background(), httptest.NewRecorder())
		g.mu.Lock()
		g.held[at] = true
		g.mu.Unlock()
		if how == after {
			g.wait(r)
		}
		panic(http.ErrAbortHandler)
	case down, outage:
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		send(r.Context(), w)
	}
}

// wait holds a request until whoever sent it is gone.
func (g *gates) wait(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-g.ended:
	}
}

// pause holds a request until the gates are opened, and says whether anybody waits for it then.
func (g *gates) pause(r *http.Request, at [2]string) bool {
	select {
	case <-g.opened:
		return true
	case <-g.ended:
	case <-r.Context().Done():
		g.mu.Lock()
		g.cut = append(g.cut, at[0])
		g.mu.Unlock()
	}
	return false
}

// abandoned are the accounts whose paused requests nobody waits for any more.
func (g *gates) abandoned() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.cut)
}

// writeOf names the account and the write of a request such as POST /posts/by-author/u1/hide or DELETE /users/u1.
func writeOf(service string, r *http.Request) [2]string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if r.Method == http.MethodDelete {
		return [2]string{parts[len(parts)-1], service + " delete"}
	}
	return [2]string{parts[max(0, len(parts)-2)], service + " " + parts[len(parts)-1]}
}

// forward passes a request on and the answer back; 0 if there is none.
func (g *gates) forward(ctx context.Context, w http.ResponseWriter, r *http.Request, target string, body []byte) (status int) {
	request, _ := http.NewRequestWithContext(ctx, r.Method, target+r.URL.RequestURI(), bytes.NewReader(body))
	request.Header = r.Header.Clone()
	response, err := g.transport.RoundTrip(request)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return 0
	}
	defer response.Body.Close()
	maps.Copy(w.Header(), response.Header)
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(w, response.Body)
	return response.StatusCode
}

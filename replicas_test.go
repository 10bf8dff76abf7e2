package main

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tributary/internal/demo"
	"tributary/internal/redisclient/redistest"
)

// startReplicas runs programs over one demo and one Redis.
func startReplicas(t *testing.T, redis string, n int, args ...string) []*program {
	t.Helper()
	d := startDemo(t, seededDir(t))
	all := append([]string{"--addr", "127.0.0.1:0", "--redis-url", redis, "--replicas", "2", "--log-level", "error"}, args...)
	for _, service := range demo.Services() {
		all = append(all, "--"+service+"-url", d.URL(service))
	}
	var programs []*program
	for range n {
		programs = append(programs, start(t, append(all, "--data-dir", t.TempDir())...))
	}
	return programs
}

// TestReplicasShareLimitsAndKeys spends one bucket through two programs.
func TestReplicasShareLimitsAndKeys(t *testing.T) {
	p := startReplicas(t, redistest.Start(t).URL(), 2, "--limit-ip-points", "105", "--limit-ip-restore", "0.001", "--limit-redis-wait", "1s")
	admitted := 0
	for i := range 14 { // 21 points each
		if r := p[i%2].send(t, `{ posts(first: 10) { nodes { title author { name } } } }`); r.status == http.StatusOK {
			admitted++
		}
	}
	if admitted != 5 {
		t.Errorf("two replicas admitted %d operations of 21 points out of a bucket of 105", admitted)
	}
	if r := p[0].send(t, `{ __typename }`); r.status != http.StatusOK {
		t.Error("what costs nothing has to wait: " + r.raw)
	}
}

// TestRedisDiesUnderLoad kills Redis and starts it again while callers ask: nobody notices, and a second later limits are
// shared again.
func TestRedisDiesUnderLoad(t *testing.T) {
	redis := redistest.Start(t)
	p := startReplicas(t, redis.URL(), 1, "--limit-ip-points", "1000000000", "--limit-ip-requests", "0", "--limit-redis-wait", "100ms")[0] // a busy machine is no dead Redis
	var asked atomic.Int64
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if r := p.send(t, `{ posts(first: 1) { nodes { id } } }`); r.status != http.StatusOK || len(r.Errors) > 0 {
					t.Errorf("%d %s", r.status, r.raw)
					return
				}
				asked.Add(1)
			}
		})
	}
	more := func(n int64) {
		t.Helper()
		until, deadline := asked.Load()+n, time.Now().Add(20*time.Second)
		for asked.Load() < until {
			if time.Now().After(deadline) {
				t.Fatal("nobody is answered")
			}
			time.Sleep(time.Millisecond)
		}
	}
	more(50)
	redis.Kill()
	more(100)
	if p.local(t) == 0 {
		t.Error("nothing was decided without Redis, although it is down")
	}
	redis.Restart()
	time.Sleep(time.Second) // within which limits have to be shared again
	before := p.local(t)
	more(100)
	close(stop)
	callers.Wait()
	if after := p.local(t); after > before {
		t.Errorf("%v decisions without Redis a second after it is back", after-before)
	}
}

// local reads how many operations were decided without Redis.
func (p *program) local(t *testing.T) float64 { return p.counted(t, "tributary_limit_local_total{") }

// counted adds up the metrics that begin so.
func (p *program) counted(t *testing.T, prefix string) (n float64) {
	t.Helper()
	_, _, metrics := p.get(t, "/metrics", nil)
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, prefix) {
			words := strings.Fields(line)
			value, err := strconv.ParseFloat(words[len(words)-1], 64)
			if err != nil {
				t.Fatal(err)
			}
			n += value
		}
	}
	return n
}

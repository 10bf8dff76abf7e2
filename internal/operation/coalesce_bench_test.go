package operation

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkZipf has callers with a connection each ask in a closed loop for one of a thousand things, drawn by Zipf, over one processor that
// callers and server share. Each run takes as much of it as the warm profile of bench/ does, and never waits. What it shows is runs/op.
func BenchmarkZipf(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, callers := range []int{1, 16, 64} {
		for _, coalesced := range []bool{false, true} {
			b.Run(fmt.Sprintf("callers=%d/coalesced=%t", callers, coalesced), func(b *testing.B) { zipf(b, callers, coalesced) })
		}
	}
}

func zipf(b *testing.B, callers int, coalesced bool) {
	var runs atomic.Int64
	p := &Pipeline{
		Preparer: testPreparer(b), Timeout: time.Minute,
		Enter:   func(ctx context.Context, _ Call) context.Context { return ctx },
		Observe: func(context.Context, *Prepared, *Result, time.Duration) {},
		Executor: executes(func() *Result {
			runs.Add(1)
			data := make([]byte, 8<<10)
			for range 100_000 {
				data[0] ^= data[len(data)-1] + 1
			}
			return &Result{Data: data}
		}),
	}
	if coalesced {
		p.Coalescing = &Coalescing{Version: func() uint64 { return 1 }}
	}
	view := testView(b, "test")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		op, errs := p.Prepare(view, Request{Query: "query($id: ID) { echo(id: $id) }", Variables: map[string]any{"id": r.URL.Path}})
		if errs != nil {
			panic(errs)
		}
		_, _ = w.Write(p.Run(r.Context(), op, Call{}).Data)
	}))
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}}
	defer client.CloseIdleConnections()
	var left atomic.Int64
	left.Store(int64(b.N))
	var running sync.WaitGroup
	b.ResetTimer()
	for caller := range callers {
		running.Go(func() {
			ids := rand.NewZipf(rand.New(rand.NewPCG(1, uint64(caller))), 1.1, 1, 999)
			for left.Add(-1) >= 0 {
				response, err := client.Get(fmt.Sprintf("%s/%d", server.URL, ids.Uint64()))
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		})
	}
	running.Wait()
	b.StopTimer()
	b.ReportMetric(float64(runs.Load())/float64(b.N), "runs/op")
}

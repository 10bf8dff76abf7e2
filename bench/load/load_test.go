package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// target is a server that answers every request with its own body, and tells of itself what Meters read.
type target struct {
	*httptest.Server
	asked, readings atomic.Int64
	bodies          map[string]*atomic.Int64
}

// What the target claims to allocate, and to call upstream.
const (
	perRequest, perReading, callsPerRequest = 7, 1000, 3
)

func startTarget(t *testing.T, requests []Request, answer http.HandlerFunc) *target {
	t.Helper()
	s := &target{bodies: map[string]*atomic.Int64{}}
	for _, r := range requests {
		s.bodies[string(r.Body)] = new(atomic.Int64)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /graphql", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if count := s.bodies[string(body)]; err != nil || count == nil {
			t.Errorf("the server got %q, %v", body, err)
		} else {
			count.Add(1)
		}
		s.asked.Add(1)
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer(w, r)
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		n := perRequest*s.asked.Load() + perReading*s.readings.Add(1)
		fmt.Fprintf(w, "# HELP go_memstats_mallocs_total x\ngo_memstats_mallocs_total %e\ngo_memstats_alloc_bytes_total %d\n", float64(n), 16*n)
	})
	mux.HandleFunc("GET /calls", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, callsPerRequest*s.asked.Load())
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *target) spec(requests []Request) Spec {
	return Spec{
		URL: s.URL + "/graphql", Requests: requests, Connections: 4, WarmUp: 20 * time.Millisecond, Window: 50 * time.Millisecond,
		Meters: Meters{ServerPID: os.Getpid(), MetricsURL: s.URL + "/metrics", UpstreamURL: s.URL + "/calls"},
	}
}

// echo answers with the request's body, in one piece or in chunks.
func echo(chunks bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for {
			_, err := io.CopyN(w, r.Body, 1000)
			if err != nil {
				return
			}
			if chunks {
				w.(http.Flusher).Flush()
			}
		}
	}
}

func echoed(bodies ...string) []Request {
	requests := make([]Request, len(bodies))
	for i, body := range bodies {
		requests[i] = Request{Body: []byte(body), Length: len(body), Checksum: Checksum([]byte(body))}
	}
	return requests
}

func TestRunCountsWhatItMeasures(t *testing.T) {
	for _, chunks := range []bool{false, true} {
		requests := echoed("first", strings.Repeat("second ", 20_000), "third")
		server := startTarget(t, requests, echo(chunks))
		result, err := Run(t.Context(), server.spec(requests))
		if err != nil {
			t.Fatal(err)
		}
		n := float64(result.Requests)
		if result.Mallocs != perRequest*n || result.AllocBytes != 16*perRequest*n || result.UpstreamCalls != callsPerRequest*n {
			t.Errorf("%v requests: %v allocations of %v bytes and %v calls: want only those of the requests measured", n, result.Mallocs, result.AllocBytes, result.UpstreamCalls)
		}
		if asked := server.asked.Load(); n >= float64(asked) || n < 4 {
			t.Errorf("%v requests were measured, %d asked in all: want a warm-up and a request for each connection", n, asked)
		}
		if result.Elapsed < 50*time.Millisecond || result.P50 <= 0 || result.P99 < result.P50 || result.P99 > result.Elapsed {
			t.Errorf("measured for %v, p50 %v, p99 %v", result.Elapsed, result.P50, result.P99)
		}
		first, last := server.bodies["first"].Load(), server.bodies["third"].Load()
		if last == 0 || first <= last {
			t.Errorf("the first request was asked %d times, the last one %d times: want the first more often", first, last)
		}
	}
}

func TestRunReadsProcessorTime(t *testing.T) {
	requests := echoed("x")
	server := startTarget(t, requests, echo(false))
	result, err := Run(t.Context(), server.spec(requests))
	if err != nil {
		t.Fatal(err)
	}
	if off := (result.CPU - result.GeneratorCPU).Abs(); result.CPU != 0 && off > result.CPU/4 {
		t.Errorf("server and generator are one process, but used %v and %v", result.CPU, result.GeneratorCPU)
	}
}

func TestRunRefusesWrongAnswers(t *testing.T) {
	requests := echoed("hello")
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "502"},
		{"length", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello, hello") }, "hello, hello"},
		{"same length", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hallo") }, "hallo"},
		{"closed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			fmt.Fprint(w, "hello")
		}, "closes"},
		{"cut off", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
	}
	for _, test := range tests {
		server := startTarget(t, requests, test.answer)
		if _, err := Run(t.Context(), server.spec(requests)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: want an error with %q, got %v", test.name, test.want, err)
		}
	}
}

// TestRunNoticesAnAnswerThatTurnsWrong has the server err once, in the middle.
func TestRunNoticesAnAnswerThatTurnsWrong(t *testing.T) {
	requests := echoed("hello")
	var n atomic.Int64
	server := startTarget(t, requests, func(w http.ResponseWriter, _ *http.Request) {
		answer := "hello"
		if n.Add(1) == 30 {
			answer = "HELLO"
		}
		fmt.Fprint(w, answer)
	})
	if _, err := Run(t.Context(), server.spec(requests)); err == nil {
		t.Error("one wrong answer among many was taken for speed")
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	requests := echoed("x")
	ctx, cancel := context.WithCancel(t.Context())
	server := startTarget(t, requests, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := Run(ctx, server.spec(requests)); !errors.Is(err, context.Canceled) {
		t.Errorf("want the end of the context, got %v", err)
	}
}

func TestRunRefusesAnEmptySpec(t *testing.T) {
	if _, err := Run(t.Context(), Spec{URL: "http://127.0.0.1:1", Connections: 1}); err == nil {
		t.Error("a run without requests did not fail")
	}
	if _, err := Run(t.Context(), Spec{URL: "http://127.0.0.1:1", Requests: echoed("x")}); err == nil {
		t.Error("a run without connections did not fail")
	}
}

// FuzzAnswer reads whatever a server might send. It must come to an end, and never take more for a body than there is.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhel"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 500 No\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := &connection{in: bufio.NewReader(bytes.NewReader(raw))}
		length, _, err := c.answer()
		if err == nil && (length < 0 || length > len(raw)) {
			t.Errorf("%d bytes were taken for a body of %d", len(raw), length)
		}
	})
}

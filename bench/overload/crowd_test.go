package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tributary/bench/load"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestCrowdComesAtItsRate has a server refuse every second request, and drop the connection now and then.
func TestCrowdComesAtItsRate(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch n := asked.Add(1); {
		case n%50 == 0:
			panic(http.ErrAbortHandler)
		case n%10 == 5:
			_, _ = w.Write([]byte("half"))
		case n%2 == 0:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			_, _ = w.Write([]byte("whole"))
		}
	}))
	defer server.Close()
	c := crowd{
		URL: server.URL + "/graphql", Body: []byte("{}"), Checksum: load.Checksum([]byte("whole")),
		Connections: 20, Rate: 400, WarmUp: 250 * time.Millisecond, Length: 500 * time.Millisecond,
	}
	o, err := c.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := asked.Load(); n < 280 || n > 305 {
		t.Errorf("%d requests came, want about 300", n)
	}
	if o.Sent < 150 || o.Sent > 205 || o.Good+o.Shed+o.Partial+o.Failed > o.Sent || o.Good < 50 || o.Shed < 50 || o.Partial < 10 || o.Failed < 2 {
		t.Errorf("%+v", o)
	}
	if o.P50 <= 0 || o.P99 < o.P50 || o.ShedP99 <= 0 {
		t.Errorf("times: %+v", o)
	}
	c.Rate, c.Connections = 0, 2
	before := asked.Load()
	if o, err = c.run(t.Context()); err != nil || asked.Load()-before < 600 {
		t.Errorf("%d requests came over two connections that ask at once; %v", asked.Load()-before, err)
	}
	if line := (row{scenario: scenarios[0], outcome: o, best: 1000}).String(); strings.Count(line, "|") != strings.Count(strings.SplitN(heading, "\n", 2)[0], "|") {
		t.Errorf("the line has other columns than the heading: %s", line)
	}
}

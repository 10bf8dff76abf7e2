package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	attackTime   = time.Second      // in which an attack has to be answered
	racingTime   = 10 * time.Second // the same under the race detector, beside the tests of other packages
	attackMemory = 50 << 20         // that all of them together may take, in bytes
)

// TestAttacks sends every hostile request to the program as a process of its own, as users have it and then with the race
// detector, if the test has that.
func TestAttacks(t *testing.T) {
	t.Run("as it is", func(t *testing.T) { suffered(t, spawnServer(t, seededDir(t)), attackTime) })
	t.Run("racing", func(t *testing.T) { suffered(t, spawnRacing(t, seededDir(t)), racingTime) })
}

// suffered sends every attack while others go on asking.
func suffered(t *testing.T, p *process, most time.Duration) {
	list := attacks()
	if len(list) < 40 {
		t.Fatalf("only %d attacks", len(list))
	}
	client := &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}
	t.Cleanup(client.CloseIdleConnections)
	for range 200 { // what the server needs anyway is not the attackers'
		p.normal(t, client)
	}
	before := p.obtained(t, client)
	stop := make(chan struct{})
	var bystanders sync.WaitGroup
	for range 4 {
		bystanders.Go(func() {
			slowest := time.Duration(0)
			for {
				select {
				case <-stop:
					t.Logf("the slowest normal query took %v", slowest)
					return
				default:
					slowest = max(slowest, p.normal(t, client))
				}
			}
		})
	}
	for _, a := range list {
		t.Run(a.name, func(t *testing.T) { p.suffer(t, client, a, most) })
	}
	close(stop)
	bystanders.Wait()
	p.normal(t, client)
	grown := p.obtained(t, client) - before
	t.Logf("%d attacks, memory %.1f MB, grown by %.1f MB", len(list), float64(before)/1e6, float64(grown)/1e6)
	if grown > attackMemory {
		t.Errorf("memory grew by %d bytes", grown)
	}
}

// suffer sends one attack and holds the answer against what every attack gets: a 4xx or an error with a code, in time.
func (p *process) suffer(t *testing.T, client *http.Client, a attack, most time.Duration) {
	method, url, body := http.MethodPost, p.url+"/graphql", io.Reader(strings.NewReader(a.body))
	if a.body == "" {
		method, url, body = http.MethodGet, p.url+a.get, http.NoBody
	}
	request, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	start := time.Now()
	response, err := client.Do(request)
	if err != nil {
		if strings.Contains(err.Error(), "connection reset") || strings.Contains(err.Error(), "broken pipe") {
			return // it was hung up on while it still sent
		}
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > most {
		t.Errorf("answered after %v", took)
	}
	var parsed answer
	coded := json.Unmarshal(raw, &parsed) == nil && len(parsed.Errors) > 0
	for _, e := range parsed.Errors {
		coded = coded && e.code() != "" && e.code() != "INTERNAL"
	}
	if !coded && (response.StatusCode < 400 || response.StatusCode >= 500) {
		t.Errorf("answered with %d %.300s", response.StatusCode, raw)
	}
	if len(raw) > 64<<10 {
		t.Errorf("the answer has %d bytes", len(raw))
	}
}

// normal asks what everybody asks.
func (p *process) normal(t *testing.T, client *http.Client) time.Duration {
	t.Helper()
	start := time.Now()
	response, err := client.Post(p.url+"/graphql", "application/json", strings.NewReader(asBody(`{ posts(first: 2) { nodes { title author { name } } } }`, "")))
	if err != nil {
		t.Error(err)
		return 0
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(raw), `"title"`) || strings.Contains(string(raw), `"errors"`) {
		t.Errorf("a normal query was answered with %d %.300s, %v", response.StatusCode, raw, err)
	}
	return time.Since(start)
}

// obtained is the memory that the program's runtime has ever had of the system at a time, in bytes: what the race detector keeps
// beside it is not the attackers' doing.
func (p *process) obtained(t *testing.T, client *http.Client) int64 {
	t.Helper()
	response, err := client.Get(p.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), "\ngo_memstats_sys_bytes ")
	text, _, _ := strings.Cut(rest, "\n")
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return int64(value)
}

// TestSlowRequestsAreCut holds connections open with headers and bodies that never end.
func TestSlowRequestsAreCut(t *testing.T) {
	p := start(t, "--addr", "127.0.0.1:0", "--data-dir", seededDir(t), "--body-timeout", "300ms", "--header-timeout", "300ms", "--log-level", "error")
	address := strings.TrimPrefix(p.url, "http://")
	for name, opening := range map[string]string{
		"header": "POST /graphql HTTP/1.1\r\nHost: localhost\r\nX-",
		"body":   "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"query\":",
		"chunks": "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			begin := time.Now()
			if _, err := io.WriteString(conn, opening); err != nil {
				t.Fatal(err)
			}
			drop := "1\r\n \r\n"
			if name == "header" {
				drop = "a"
			}
			drip, stop := context.WithCancel(t.Context())
			var dripping sync.WaitGroup
			dripping.Go(func() {
				for drip.Err() == nil {
					if _, err := io.WriteString(conn, drop); err != nil {
						return
					}
					time.Sleep(50 * time.Millisecond) // this is what is slow
				}
			})
			_ = conn.SetReadDeadline(begin.Add(10 * time.Second))
			raw, err := io.ReadAll(conn) // until the server hangs up
			stop()
			dripping.Wait()
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("cut after %v, %v", took, err)
			}
			if name != "header" && !strings.HasPrefix(string(raw), "HTTP/1.1 408") && !strings.Contains(fmt.Sprint(err), "reset") {
				t.Errorf("answered with %.200s, %v", raw, err)
			}
		})
	}
}

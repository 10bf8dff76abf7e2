// Package front stands between the servers that are compared and the services. It answers reads out of memory once it has seen them,
// so that the services' databases are no part of a measurement, waits as long as a network would, and counts calls.
package front

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

// Front is what the fronts of all services share. Make it with New; its methods and handlers are safe for concurrent use.
type Front struct {
	calls   atomic.Int64
	latency atomic.Int64 // nanoseconds
	turns   turns
	client  *http.Client
	memory  memory
}

// New makes a front whose memory is bounded to about so many bytes; what does not fit is fetched every time. The caller closes it.
func New(memoryBytes int) *Front {
	return &Front{
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}, Timeout: time.Minute},
		memory: memory{left: memoryBytes, parts: map[string]map[string]string{}},
	}
}

// Close closes idle connections to the services.
func (f *Front) Close() { f.client.CloseIdleConnections() }

// Service answers for the service at a base URL.
func (f *Front) Service(upstream string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.calls.Add(1)
		if r.Method != http.MethodGet {
			http.Error(w, "reads only", http.StatusMethodNotAllowed)
			return
		}
		if wait := time.Duration(f.latency.Load()) + f.turns.take(time.Now()); wait > 0 {
			time.Sleep(wait)
		}
		ask := parse(r.URL)
		answer, ok := f.memory.answer(upstream, ask)
		if !ok {
			var err error
			if answer, err = f.fetch(upstream, r.URL); err == nil {
				err = f.memory.learn(upstream, ask, answer)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer) // the caller has gone
	})
}

// Control serves GET /calls, the number of calls so far, PUT /latency?wait=5ms, and PUT /capacity?calls=500 for all services together in a
// second, 0 for any number. Both hold from the next call on.
func (f *Front) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /calls", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, f.calls.Load())
	})
	mux.HandleFunc("PUT /latency", func(w http.ResponseWriter, r *http.Request) {
		wait, err := time.ParseDuration(r.URL.Query().Get("wait"))
		if err != nil || wait < 0 || wait > time.Minute {
			http.Error(w, "wait: want a duration up to a minute", http.StatusBadRequest)
			return
		}
		f.latency.Store(int64(wait))
	})
	mux.HandleFunc("PUT /capacity", func(w http.ResponseWriter, r *http.Request) {
		calls, err := strconv.Atoi(r.URL.Query().Get("calls"))
		if err != nil || calls < 0 || calls > 1_000_000 {
			http.Error(w, "calls: want a number up to a million", http.StatusBadRequest)
			return
		}
		f.turns.set(calls)
	})
	return mux
}

// maxAnswer bounds what is read from a service.
const maxAnswer = 64 << 20

// fetch asks the service itself. Anything but a 200 is an error: the benchmark asks nothing else.
func (f *Front) fetch(upstream string, target *url.URL) ([]byte, error) {
	response, err := f.client.Get(upstream + target.RequestURI())
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the service answered %d: %.200s", response.StatusCode, body)
	case len(body) > maxAnswer:
		return nil, errors.New("the service's answer is too large")
	}
	return body, nil
}

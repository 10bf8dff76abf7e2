package doctor

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestRedirectsAreNotFollowed sends the doctor, and with it the token, elsewhere.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var lured atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { lured.Add(1) }))
	defer elsewhere.Close()
	service := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer service.Close()
	for _, client := range []*http.Client{nil, service.Client()} {
		r, err := Check(t.Context(), []Target{{Service: "follower", URL: service.URL, Token: testToken}}, Options{HTTP: client, Timeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if r.Breaches() == 0 {
			t.Error("no breach")
		}
	}
	if lured.Load() != 0 {
		t.Error("it followed")
	}
}

// TestConnectionsEndWithTheRun waits until a service has lost the connections of a run.
func TestConnectionsEndWithTheRun(t *testing.T) {
	t.Parallel()
	var open sync.WaitGroup
	service := httptest.NewUnstartedServer(http.NotFoundHandler())
	service.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Done()
		}
	}
	service.Start()
	defer service.Close()
	if _, err := Check(t.Context(), []Target{{Service: "follower", URL: service.URL}}, Options{Timeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		open.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-time.After(20 * time.Second):
		t.Error("connections stay open")
	}
}

package demo

import (
	"net/http"
	"sync"
	"testing"
)

// TestParallelReads asks for what is kept from many goroutines at once.
func TestParallelReads(t *testing.T) {
	l := start(t)
	l.newUser("anna")
	url := l.demo.URL("user") + "/users?limit=3"
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	var readers sync.WaitGroup
	for range 16 {
		readers.Go(func() {
			for range 200 {
				response, err := client.Get(url)
				if err != nil {
					t.Error(err)
					return
				}
				response.Body.Close()
				if response.StatusCode != http.StatusOK {
					t.Errorf("status %d", response.StatusCode)
					return
				}
			}
		})
	}
	readers.Wait()
}

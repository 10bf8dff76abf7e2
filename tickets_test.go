package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tributary/internal/redisclient/redistest"
)

// TestATicketIsGoodAtEveryReplica gets tickets from one program and shows them to another.
func TestATicketIsGoodAtEveryReplica(t *testing.T) {
	redis, i := redistest.Start(t), startIssuer(t)
	p := startReplicas(t, redis.URL(), 2, "--jwks-url", i.url, "--jwt-issuer", "https://id.example", "--jwt-audience", "graph")
	token := i.token(t, nil)
	ask := func(p *program) (status int, body string) {
		status, _, body = p.get(t, "/graphql/stream-ticket", func(r *http.Request) {
			r.Method = http.MethodPost
			r.Header.Set("Authorization", "Bearer "+token)
		})
		return status, body
	}
	use := func(p *program, ticket string) (status int, body string) {
		status, _, body = p.get(t, "/graphql?query="+url.QueryEscape(`{ viewer { id } }`)+"&ticket="+ticket, func(r *http.Request) {
			r.Header.Set("Accept", "text/event-stream")
		})
		return status, body
	}
	for n := range 4 {
		var given struct{ Ticket string }
		status, body := ask(p[n%2])
		if err := json.Unmarshal([]byte(body), &given); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		if status, body := use(p[(n+1)%2], given.Ticket); status != http.StatusOK || !strings.Contains(body, `"user_u1"`) {
			t.Errorf("elsewhere: %d %s", status, body)
		}
		for _, again := range p {
			if status, body := use(again, given.Ticket); status != http.StatusUnauthorized || !strings.Contains(body, "UNAUTHENTICATED") {
				t.Errorf("again: %d %s", status, body)
			}
		}
	}
	redis.Kill()
	start := time.Now()
	for what, f := range map[string]func() (int, string){
		"a ticket is asked for": func() (int, string) { return ask(p[0]) },
		"a ticket is shown":     func() (int, string) { return use(p[0], "some") },
	} {
		if status, body := f(); status != http.StatusServiceUnavailable || !strings.Contains(body, "SERVICE_UNAVAILABLE") || strings.Contains(body, redis.Address()) {
			t.Errorf("without Redis %s: %d %s", what, status, body)
		}
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("without Redis two answers take %v", took)
	}
}

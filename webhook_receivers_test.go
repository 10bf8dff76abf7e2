package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const receiversSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="

// received is one delivery as its receiver found it.
type received struct {
	ID   string // the webhook-id
	Type string
	Data struct {
		Subject string
		Version int
		Changes struct{ State, Reason string }
	}
}

// receiver is an endpoint and what it got. Each delivery is verified with the library of Standard Webhooks.
type receiver struct {
	*httptest.Server
	endpoint string // its id at the gateway
	mu       sync.Mutex
	got      []received
	wrong    []string
}

// startReceiver starts a receiver that answers as it is told, 204 for nil, and counts what all of them got.
func startReceiver(t *testing.T, count *atomic.Int64, answer http.HandlerFunc) *receiver {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(receiversSecret)
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return // the gateway died
		}
		made := received{ID: request.Header.Get("webhook-id")}
		err = verifier.Verify(body, request.Header)
		if err == nil {
			err = json.Unmarshal(body, &made)
		}
		r.mu.Lock()
		r.got = append(r.got, made)
		if err != nil {
			r.wrong = append(r.wrong, fmt.Sprintf("%s: %v", made.ID, err))
		}
		r.mu.Unlock()
		count.Add(1)
		if answer != nil {
			answer(w, request)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(func() {
		r.CloseClientConnections() // of those that are slow
		r.Close()
	})
	return r
}

// of returns what came of a kind, such as follower.
func (r *receiver) of(kind string) (found []received) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, each := range r.got {
		if strings.HasPrefix(each.Type, kind+".") {
			found = append(found, each)
		}
	}
	return found
}

// distinct is how many different events of a kind came.
func (r *receiver) distinct(kind string) int {
	ids := map[string]bool{}
	for _, each := range r.of(kind) {
		ids[each.ID] = true
	}
	return len(ids)
}

// holds checks what a healthy receiver got against all that happened: each at least once, under one id, and in order for each subject
// but for what is repeated. It returns how many were repeated.
func (r *receiver) holds(t *testing.T, happened []map[string]any) (repeated int) {
	t.Helper()
	r.mu.Lock()
	wrong := r.wrong
	r.mu.Unlock()
	if len(wrong) > 0 {
		t.Errorf("%d deliveries do not verify, such as %s", len(wrong), wrong[0])
	}
	times, versions := map[string]int{}, map[string]int{}
	for _, each := range r.of("follower") {
		key := fmt.Sprint(each.ID, " ", each.Type, " ", each.Data.Subject, " ", each.Data.Version)
		times[key]++
		if seen := versions[each.Data.Subject]; each.Data.Version > seen+1 {
			t.Errorf("version %d of %s comes after %d", each.Data.Version, each.Data.Subject, seen)
		}
		versions[each.Data.Subject] = max(versions[each.Data.Subject], each.Data.Version)
	}
	for _, e := range happened {
		key := fmt.Sprint("follower:", strings.ReplaceAll(e["id"].(string), ".", "%2E"), " ", e["type"], " ", e["subject"], " ", e["version"])
		if times[key] == 0 {
			t.Errorf("never came: %s", key)
		}
		repeated += max(times[key]-1, 0)
		delete(times, key)
	}
	for key := range times {
		t.Errorf("came, and never happened: %s", key)
	}
	return repeated
}

// attempted is one line of the gateway's log of deliveries.
type attempted struct {
	EventID    string `json:"eventId"`
	Attempt    int
	At         time.Time
	DurationMs int
	Outcome    string
	Status     int
	Problem    string
	NextRetry  time.Time `json:"nextRetryAt"`
}

// webhookAt is an endpoint as the gateway shows it, its deliveries from the first on.
type webhookAt struct {
	State, Reason string
	attempts      []attempted
}

func webhookOf(t *testing.T, p *program, admin, id string) (w webhookAt) {
	t.Helper()
	r := p.send(t, `{ webhook(id: "`+id+`") { state reason deliveries(first: 100) { nodes { eventId attempt at durationMs outcome status problem nextRetryAt } } } }`,
		"Authorization", "Bearer "+admin)
	var answer struct {
		Data struct {
			Webhook struct {
				webhookAt
				State, Reason string
				Deliveries    struct{ Nodes []attempted }
			}
		}
	}
	if err := json.Unmarshal([]byte(r.raw), &answer); err != nil || len(r.Errors) > 0 {
		t.Fatalf("%v %s", err, r.raw)
	}
	w.State, w.Reason = answer.Data.Webhook.State, answer.Data.Webhook.Reason
	for _, each := range answer.Data.Webhook.Deliveries.Nodes {
		w.attempts = append([]attempted{each}, w.attempts...)
	}
	return w
}

// timeouts is how many deliveries, of those that are kept of an endpoint, had no answer in time: their receiver may have taken them.
func timeouts(t *testing.T, p *program, admin, id string) (late int) {
	t.Helper()
	for after := "null"; ; {
		r := p.send(t, `{ webhook(id: "`+id+`") { deliveries(first: 100, after: `+after+`) { nodes { problem } pageInfo { hasNextPage endCursor } } } }`, "Authorization", "Bearer "+admin)
		for _, node := range at(t, r.Data, "webhook", "deliveries", "nodes").([]any) {
			if at(t, node, "problem") == "TIMEOUT" {
				late++
			}
		}
		if at(t, r.Data, "webhook", "deliveries", "pageInfo", "hasNextPage") != true {
			return late
		}
		after = strconv.Quote(at(t, r.Data, "webhook", "deliveries", "pageInfo", "endCursor").(string))
	}
}

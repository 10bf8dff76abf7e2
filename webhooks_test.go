package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	underFire = 1e-5                              // of real waiting times: five days are 4.3 s
	rests     = "5s 5m 30m 2h 5h 10h 14h 20h 24h" // after the first failed attempts; the last one goes on
)

// fire is a gateway as a process, in front of services that are quiet, and what its events are delivered to.
type fire struct {
	start     func(t *testing.T) *program // starts the gateway again, after its death
	kill      func()
	gateway   *program
	issuer    *issuer
	admin     string
	client    *http.Client
	owner     owner
	happened  []map[string]any
	versions  map[string]int
	arrived   atomic.Int64
	elsewhere atomic.Int64 // requests to where a receiver redirects to
	healthy   []*receiver
	failing   map[string]string // endpoints by how they fail
}

// loopback lets endpoints stand where the tests' receivers do.
func loopback() []string {
	return []string{"--webhook-allow-http", "--webhook-allow-networks", "127.0.0.0/8"}
}

// hurried is a gateway with a data dir of its own for which five days are 4.3 seconds.
func hurried(t *testing.T) []string {
	return append(loopback(), "--data-dir", t.TempDir(), "--webhook-timeout", "200ms", "--work-time-scale", strconv.FormatFloat(underFire, 'g', -1, 64))
}

// newFire makes a gateway that is not started yet. The arguments say where it keeps its data, and what endpoints may be.
func newFire(t *testing.T, args ...string) *fire {
	t.Helper()
	issuer, services := startIssuer(t), startDemo(t, smallDir(t))
	key := []byte("a secret of thirty-two bytes, so")
	secret := "whsec_" + base64.StdEncoding.EncodeToString(key)
	f := &fire{
		issuer: issuer, admin: issuer.token(t, map[string]any{"scope": "admin"}), owner: owner{secret: key}, versions: map[string]int{},
		client: &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}, failing: map[string]string{},
	}
	t.Cleanup(f.client.CloseIdleConnections)
	args = append([]string{"serve", "--addr", "127.0.0.1:0", "--log-level", "error", "--no-limit-enabled", "--events-follower-secrets", secret, "--jwks-url", issuer.url, "--jwt-issuer", "https://id.example", "--jwt-audience", "graph"}, args...)
	for _, service := range []string{"user", "post", "comment", "follower"} {
		args = append(args, "--"+service+"-url", services.URL(service))
	}
	f.start = func(t *testing.T) *program {
		p, stdout := spawn(t, args...)
		p.listens(t, stdout)
		f.kill = p.kill
		return &program{url: p.url}
	}
	return f
}

// register makes an endpoint of an admin's and returns its id.
func (f *fire) register(t *testing.T, url string, types ...string) string {
	t.Helper()
	r := f.gateway.send(t, fmt.Sprintf(`mutation { createWebhook(input: {url: %q, secret: %q, eventTypes: ["%s"]}) { webhook { id } userErrors { code message } } }`,
		url, receiversSecret, strings.Join(types, `","`)), "Authorization", "Bearer "+f.admin)
	if !strings.Contains(r.raw, `"userErrors":[]`) {
		t.Fatal(r.raw)
	}
	return at(t, r.Data, "createWebhook", "webhook", "id").(string)
}

// open registers so many healthy receivers, the first of which hears of disabled endpoints too.
func (f *fire) open(t *testing.T, healthy int) {
	t.Helper()
	f.gateway = f.start(t)
	for i := range healthy {
		r := startReceiver(t, &f.arrived, nil)
		types := []string{"follower.*"}
		if i == 0 {
			types = append(types, "webhook.disabled")
		}
		r.endpoint = f.register(t, r.URL, types...)
		f.healthy = append(f.healthy, r)
	}
}

// openFailing registers five receivers that fail, each in a way of its own.
func (f *fire) openFailing(t *testing.T) {
	t.Helper()
	var ignored atomic.Int64
	elsewhere := startReceiver(t, &f.elsewhere, nil)
	for problem, answer := range map[string]http.HandlerFunc{
		"TIMEOUT":    func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"STATUS_5XX": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"GONE":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) },
		"REDIRECT": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
	} {
		f.failing[problem] = f.register(t, startReceiver(t, &ignored, answer).URL, "follower.*")
	}
	f.failing["CONNECTION_FAILED"] = f.register(t, fmt.Sprintf("http://127.0.0.1:%d/", freePorts(t, 1)), "follower.*")
}

// happen has the service tell of n events more, of forty subjects, in batches, to one gateway after the other until one has them.
func (f *fire) happen(t *testing.T, n int, gateways ...*program) {
	t.Helper()
	for n > 0 {
		var batch []map[string]any
		for range min(n, 25) {
			f.owner.sequence++
			follower, followee := fmt.Sprint("f", f.owner.sequence%10), fmt.Sprint("u", f.owner.sequence%4)
			subject := "follow/" + follower + ":" + followee
			f.versions[subject]++
			batch = append(batch, map[string]any{
				"specversion": "1.0", "id": fmt.Sprint("made.", f.owner.sequence), "source": "/follower", "type": []string{"follower.removed", "follower.added"}[f.versions[subject]%2],
				"subject": subject, "time": time.Now().UTC(), "version": f.versions[subject], "sequence": strconv.Itoa(f.owner.sequence),
				"data": map[string]any{"followerId": follower, "followeeId": followee},
			})
		}
		if err := f.owner.deliver(t.Context(), f.client, gateways[len(f.happened)/25%len(gateways)].url, batch); err != nil {
			t.Fatal(err)
		}
		f.happened, n = append(f.happened, batch...), n-len(batch)
	}
}

// everywhere waits until every healthy receiver has everything that happened.
func (f *fire) everywhere(t *testing.T) {
	t.Helper()
	for _, r := range f.healthy {
		eventuallySo(t, "a healthy endpoint has every event", func() bool { return r.distinct("follower") >= len(f.happened) })
	}
}

// endedAsWritten checks that each failing endpoint followed the schedule and was disabled as documented, which the first receiver was told.
func (f *fire) endedAsWritten(t *testing.T, undisturbed bool) {
	t.Helper()
	eventuallySo(t, "five endpoints are disabled, and that is told", func() bool { return f.healthy[0].distinct("webhook") >= len(f.failing) })
	told := map[string]string{}
	for _, each := range f.healthy[0].of("webhook") {
		told[strings.TrimPrefix(each.Data.Subject, "webhook/")] = each.Data.Changes.State + " " + each.Data.Changes.Reason
	}
	for problem, id := range f.failing {
		var w webhookAt
		eventuallySo(t, "it stands there that the endpoint is disabled", func() bool { w = webhookOf(t, f.gateway, f.admin, id); return w.State == "DISABLED" })
		reason := "FAILED_TOO_LONG"
		if problem == "GONE" {
			reason = "GONE"
		}
		if w.Reason != reason || told[id] != "DISABLED "+reason {
			t.Errorf("%s: disabled as %q and told %q, want %s", problem, w.Reason, told[id], reason)
		}
		w.follows(t, problem, undisturbed)
	}
	if f.elsewhere.Load() > 0 {
		t.Error("a redirect was followed")
	}
}

// follows checks the log of a failing endpoint against the schedule. Undisturbed the gateway lived all the while.
func (w webhookAt) follows(t *testing.T, problem string, undisturbed bool) {
	t.Helper()
	last := w.attempts[len(w.attempts)-1]
	var head []attempted // what was tried again: the first event that failed
	for _, a := range w.attempts {
		if a.Outcome != "FAILED" || a.Problem != problem || (a.EventID != last.EventID && a.Attempt > 1 && undisturbed) {
			t.Errorf("%s: %+v", problem, a)
		}
		if a.EventID == last.EventID {
			head = append(head, a)
		}
	}
	if problem == "GONE" {
		if len(w.attempts) > 8 && undisturbed || last.Attempt > 1 && undisturbed {
			t.Errorf("GONE: %d attempts", len(w.attempts))
		}
		return
	}
	schedule := strings.Fields(rests)
	for i, a := range head[:len(head)-1] {
		real, _ := time.ParseDuration(schedule[min(a.Attempt, len(schedule))-1])
		want, next := time.Duration(float64(real)*underFire), head[i+1]
		ended := a.At.Add(time.Duration(a.DurationMs) * time.Millisecond) // at most a millisecond later in truth
		if rest := a.NextRetry.Sub(ended); rest < want*8/10-time.Millisecond || rest > want*12/10+3*time.Millisecond {
			t.Errorf("%s: attempt %d rests %v, want about %v", problem, a.Attempt, rest, want)
		}
		if late := next.At.Sub(a.NextRetry); late < -time.Millisecond || (undisturbed && (late > time.Second || next.Attempt != a.Attempt+1)) {
			t.Errorf("%s: attempt %d comes %v after attempt %d was to be repeated", problem, next.Attempt, late, a.Attempt)
		}
	}
	const giveUp = time.Duration(5 * 24 * float64(time.Hour) * underFire)
	lasted := last.At.Sub(head[0].At)
	if lasted < giveUp*9/10 || (undisturbed && last.Attempt < 5) || !last.NextRetry.IsZero() {
		t.Errorf("%s: given up after %v and %d attempts, to be repeated at %v", problem, lasted, last.Attempt, last.NextRetry)
	}
	t.Logf("%s: %d attempts in %v", problem, len(head), lasted.Round(time.Millisecond))
}

// TestTwentyEndpointsOfWhichFiveFail: a thousand events reach every healthy endpoint once, and the others do not hold them up.
func TestTwentyEndpointsOfWhichFiveFail(t *testing.T) {
	torture(t)
	f := newFire(t, hurried(t)...)
	f.open(t, 15)
	f.openFailing(t)
	begin := time.Now()
	f.happen(t, 1000, f.gateway)
	f.everywhere(t)
	took := time.Since(begin)
	f.endedAsWritten(t, true)
	for i, r := range f.healthy {
		if repeated := r.holds(t, f.happened); repeated > 0 {
			if late := timeouts(t, f.gateway, f.admin, r.endpoint); repeated > late {
				t.Errorf("receiver %d got %d events again, although nobody died and only %d answers were too late", i, repeated, late)
			}
		}
		if w := webhookOf(t, f.gateway, f.admin, r.endpoint); w.State != "ACTIVE" {
			t.Errorf("receiver %d is %s", i, w.State)
		}
	}
	t.Logf("15,000 deliveries in %v", took.Round(time.Millisecond))
}

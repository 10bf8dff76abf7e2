package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"tributary/internal/event"
	"tributary/internal/work/dispatch"
	"tributary/internal/work/webhook"
)

// verify holds a request against the library of Standard Webhooks.
func verify(t *testing.T, secret string, q request) error {
	t.Helper()
	library, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return library.Verify(q.body, q.header)
}

func TestDelivery(t *testing.T) {
	b := newBench(t, func(s *setup) { s.sender.Version = "1.2.3" })
	r := receive(t, nil)
	made := b.create(admin, r.URL+"/hook?a=b")
	b.run()
	e := b.write("post.created", "post/p1", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), `{"authorId":"u1","title":"<b>"}`)
	b.until("delivered", func() bool { return len(r.requests()) == 1 })
	q := r.requests()[0]
	if err := verify(t, given, q); err != nil {
		t.Error(err)
	}
	const want = `{"type":"post.created","timestamp":"2026-01-02T03:04:05Z","data":{"id":"post/p1.1","source":"post","subject":"post/p1",` +
		`"version":1,"actorId":"u1","changes":{"authorId":"u1","title":"\u003cb\u003e"}}}`
	if string(q.body) != want {
		t.Errorf("%s", q.body)
	}
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(given, "whsec_"))
	mac := hmac.New(sha256.New, key)
	mac.Write(q.body)
	for field, want := range map[string]string{
		"webhook-id": "post:post%2Fp1%2E1", "X-Webhook-ID": "post:post%2Fp1%2E1", "Content-Type": "application/json",
		"User-Agent": "Tributary/1.2.3", "X-Webhook-Signature": hex.EncodeToString(mac.Sum(nil)),
	} {
		if got := q.header.Get(field); got != want {
			t.Errorf("%s: %q", field, got)
		}
	}
	if at, err := time.Parse(time.RFC3339, q.header.Get("X-Webhook-Timestamp")); err != nil || time.Since(at) > time.Minute {
		t.Error(at, err)
	}
	b.until("written down", func() bool {
		log, err := b.Deliveries(t.Context(), admin, made.ID, 0, 10)
		return err == nil && len(log) == 1 && log[0].EventID == "post:"+strings.ReplaceAll(strings.ReplaceAll(e.ID, "/", "%2F"), ".", "%2E") &&
			log[0].EventType == "post.created" && log[0].Subject == "post/p1" && log[0].Outcome == dispatch.Delivered && log[0].Status == 204
	})
}

// TestRotation: both secrets sign while both are in force, and the one before them does not.
func TestRotation(t *testing.T) {
	b := newBench(t, nil)
	r := receive(t, nil)
	made := b.create(ann, r.URL)
	start := time.Now()
	ping := func(at time.Time, want ...error) {
		t.Helper()
		b.setClock(at)
		if _, err := b.Ping(t.Context(), ann, made.ID); err != nil {
			t.Fatal(err)
		}
		got := r.requests()
		q := got[len(got)-1]
		for i, secret := range []string{given, secrets[0], secrets[1]} {
			library, _ := standardwebhooks.NewWebhook(secret)
			if err := library.VerifyIgnoringTimestamp(q.body, q.header); !errors.Is(err, want[i]) {
				t.Errorf("secret %d: %v", i, err)
			}
		}
	}
	bad := standardwebhooks.ErrNoMatchingSignature
	ping(start, nil, bad, bad)
	rotated, secret, err := b.RotateSecret(t.Context(), ann, made.ID, secrets[0])
	if err != nil || secret != secrets[0] || rotated.PreviousSecretUntil == nil || !rotated.PreviousSecretUntil.Equal(start.Add(24*time.Hour)) {
		t.Fatal(rotated, err)
	}
	ping(start.Add(24*time.Hour-time.Second), nil, nil, bad)
	ping(start.Add(24*time.Hour), bad, nil, bad)
	if again, err := b.Get(t.Context(), ann, made.ID); err != nil || again.PreviousSecretUntil != nil {
		t.Error(again, err)
	}
	for range 2 { // asked twice, it is still the one before
		if _, _, err := b.RotateSecret(t.Context(), ann, made.ID, secrets[1]); err != nil {
			t.Fatal(err)
		}
	}
	ping(start.Add(25*time.Hour), bad, nil, nil)
}

var secrets = [2]string{
	"whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("a", 24))),
	"whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("b", 64))),
}

// TestLongPayload: what does not fit is left out by name, and the ids stay.
func TestLongPayload(t *testing.T) {
	long := strings.Repeat("x", 9000)
	many, _ := json.Marshal(func() map[string]string {
		m := map[string]string{}
		for i := range 5000 {
			m[strings.Repeat("n", i%50)+string(rune('a'+i%26))+time.Duration(i).String()] = "v"
		}
		return m
	}())
	for name, test := range map[string]struct{ data, want string }{
		"one of two": {`{"authorId":"u1","title":"` + long + `","body":"` + long + long + `"}`, `["body"]`},
		"both":       {`{"authorId":"u1","title":"` + long + long + long + `","body":"` + long + long + `y` + long + `"}`, `["body","title"]`},
		"fits":       {`{"authorId":"u1","body":"` + long + long + `"}`, ``},
		"no strings": {`{"authorId":"u1","tags":["` + long + `","` + long + `","` + long + `"]}`, `["tags"]`},
		"too many":   {string(many), `["*"]`},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			r := receive(t, nil)
			b.create(admin, r.URL)
			b.run()
			b.write("post.created", "post/p1", time.Now(), test.data)
			b.until("delivered", func() bool { return len(r.requests()) == 1 })
			q := r.requests()[0]
			var got struct {
				Data struct {
					Subject            string
					Changes, Truncated json.RawMessage
				}
			}
			if err := json.Unmarshal(q.body, &got); err != nil || len(q.body) > 20_000 || verify(t, given, q) != nil {
				t.Fatal(err, len(q.body))
			}
			if string(got.Data.Truncated) != test.want || got.Data.Subject != "post/p1" {
				t.Errorf("%s", got.Data.Truncated)
			}
			if name != "too many" && !strings.Contains(string(got.Data.Changes), `"authorId":"u1"`) {
				t.Errorf("%.100s", got.Data.Changes)
			}
		})
	}
}

// TestShow: an owner gets what it may see.
func TestShow(t *testing.T) {
	b := newBench(t, func(s *setup) {
		s.sender.Show = func(_ context.Context, e webhook.Endpoint, of event.Event) (json.RawMessage, bool, error) {
			switch {
			case e.OwnerID == "":
				return of.Data, true, nil
			case of.Subject == "post/draft":
				return nil, false, nil
			case of.Subject == "post/broken":
				return nil, true, errors.New("the service is down at 10.0.0.1")
			}
			return json.RawMessage(`{"shown":"to ` + e.OwnerID + `"}`), true, nil
		}
	})
	r, all := receive(t, nil), receive(t, nil)
	made := b.create(ann, r.URL)
	b.create(admin, all.URL)
	b.run()
	b.write("post.created", "post/draft", time.Now(), `{"title":"draft"}`)
	b.write("post.created", "post/p1", time.Now(), `{"title":"public"}`)
	b.write("post.created", "post/broken", time.Now(), `{}`)
	b.until("failing", func() bool {
		e, err := b.Get(t.Context(), ann, made.ID)
		return err == nil && e.State == dispatch.Failing && e.FailingSince != nil && e.RetryAt != nil && e.Reason == nil
	})
	if got := r.requests(); len(got) != 1 || !strings.Contains(string(got[0].body), `"changes":{"shown":"to ann"}`) {
		t.Errorf("%q", r.ids())
	}
	b.until("the admin has all", func() bool { return len(all.requests()) == 3 })
	log, err := b.Deliveries(t.Context(), ann, made.ID, 0, 10)
	failed := func(d webhook.Delivery) bool { return d.Problem == webhook.ProblemInternal && d.NextRetryAt != nil }
	if err != nil || !slices.ContainsFunc(log, failed) {
		t.Errorf("%+v %v", log, err)
	}
}

func newKey(secret string) ([]byte, error) { return event.ParseSecret(secret) }

package main

import (
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	eventlog "tributary/internal/event"
	"tributary/internal/work/dispatch"
	"tributary/internal/work/webhook"
)

const (
	secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
	later  = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
)

// TestReceiver: what the sender sends is taken, also while its secret is rotated, and other signatures are not.
func TestReceiver(t *testing.T) {
	for name, test := range map[string]struct {
		known, sends, rotated string
		fail                  error
		want                  int
	}{
		"good":             {known: secret, sends: secret, want: 204},
		"old in rotation":  {known: secret, sends: secret, rotated: later, want: 204},
		"new in rotation":  {known: later, sends: secret, rotated: later, want: 204},
		"another's secret": {known: later, sends: secret, want: 401},
		"handler fails":    {known: secret, sends: secret, fail: errors.New("later"), want: 503},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			handler, err := receiver(test.known, func(id string, e event) error {
				got = append(got, e.Type+" "+e.Data.Subject+" "+string(e.Data.Changes)+" "+id)
				return test.fail
			})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(handler)
			t.Cleanup(server.Close)
			d := deliver(t, server.URL, test.sends, test.rotated)
			if d.Status != test.want {
				t.Errorf("%+v", d)
			}
			if (test.want == 401) != (len(got) == 0) {
				t.Error(got)
			}
			if len(got) == 1 && got[0] != "webhook.ping "+d.Subject+" {} "+d.EventID {
				t.Error(got)
			}
		})
	}
}

// deliver sends a ping as the gateway does.
func deliver(t *testing.T, url, secret, rotated string) webhook.Delivery {
	t.Helper()
	log, err := eventlog.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "events.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	store, err := dispatch.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "webhooks.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	targets := webhook.NewTargets(webhook.TargetOptions{AllowHTTP: true, AllowLoopback: true})
	sender := webhook.NewSender(store, targets, webhook.SenderOptions{})
	defer sender.Close()
	endpoints := webhook.New(store, log, dispatch.New(store, log, sender.Send, dispatch.Options{}), targets, webhook.Options{})
	owner := webhook.Caller{UserID: "ann"}
	made, _, err := endpoints.Create(t.Context(), owner, webhook.NewEndpoint{URL: url, EventTypes: []string{"*"}, Secret: secret})
	if err == nil && rotated != "" {
		_, _, err = endpoints.RotateSecret(t.Context(), owner, made.ID, rotated)
	}
	if err != nil {
		t.Fatal(err)
	}
	d, err := endpoints.Ping(t.Context(), owner, made.ID)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestQuoted: the page for integrators quotes what is tested.
func TestQuoted(t *testing.T) {
	page, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	for kind, file := range map[string]string{"go": "receiver.go", "ts": "receiver.ts"} {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), "```"+kind+"\n"+string(code)+"```\n") {
			t.Errorf("docs/webhooks.md does not quote %s as it is", file)
		}
	}
}

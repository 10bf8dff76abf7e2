package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tributary/internal/auth"
	"tributary/internal/event"
	"tributary/internal/rest"
	"tributary/internal/work/dispatch"
	"tributary/internal/work/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// viewers are who the test's callers are, by what they send as X-As.
var viewers = map[string]auth.Viewer{
	"nobody":  {},
	"ann":     {UserID: "ann", Scopes: []string{"webhooks"}},
	"bob":     {UserID: "bob", Scopes: []string{"webhooks"}},
	"frozen":  {UserID: "frozen", Scopes: []string{"webhooks"}},
	"plain":   {UserID: "plain"},
	"machine": {KeyID: "k1", Scopes: []string{"webhooks"}},
	"admin":   {UserID: "root", Scopes: []string{"admin"}},
	"key":     {KeyID: "k2", Scopes: []string{"admin"}},
}

// server is a server with webhooks over a log of its own.
type server struct {
	*testing.T
	url     string
	charged []int64
	broke   bool
}

func newServer(t *testing.T) *server {
	t.Helper()
	log, err := event.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "events.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	store, err := dispatch.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "webhooks.db"))
	if err != nil {
		t.Fatal(err)
	}
	targets := webhook.NewTargets(webhook.TargetOptions{AllowHTTP: true, AllowLoopback: true})
	sender := webhook.NewSender(store, targets, webhook.SenderOptions{})
	dispatcher := dispatch.New(store, log, sender.Send, dispatch.Options{})
	s := &server{T: t}
	handler := &rest.Webhooks{
		Endpoints: webhook.New(store, log, dispatcher, targets, webhook.Options{MaxPerOwner: 5, Admit: func(_ context.Context, c webhook.Caller) error {
			if c.UserID == "frozen" {
				return auth.ErrForbidden
			}
			return nil
		}}),
		Identify: identify,
		Charge: func(_ context.Context, _ auth.Viewer, _ netip.Addr, points int64) (http.Header, time.Duration, bool) {
			s.charged = append(s.charged, points)
			return http.Header{"Ratelimit": {"left"}}, 1500 * time.Millisecond, !s.broke
		},
		Logger: slog.New(slog.DiscardHandler),
	}
	h := httptest.NewServer(handler)
	s.url = h.URL
	t.Cleanup(func() {
		h.Close()
		sender.Close()
		_, _ = log.Close(), store.Close()
	})
	return s
}

func identify(r *http.Request) (auth.Viewer, netip.Addr, error) {
	switch name := r.Header.Get("X-As"); name {
	case "stranger":
		return auth.Viewer{}, netip.Addr{}, errors.New("forged")
	case "unknowable":
		return auth.Viewer{}, netip.Addr{}, fmt.Errorf("keys: %w", auth.ErrUnavailable)
	default:
		return viewers[name], netip.Addr{}, nil
	}
}

// reply is an answer with what its body says.
type reply struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

func (s *server) send(as, method, path, body string, header ...string) reply {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("X-As", as)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	got := reply{status: response.StatusCode, header: response.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &got.body) // 204 and HEAD have none
	return got
}

package auth_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tributary/internal/auth"
)

func wants(t *testing.T, tokens auth.Tokens, token string, want error) {
	t.Helper()
	viewer, err := tokens.Verify(t.Context(), token)
	if !errors.Is(err, want) || (want == nil) != (viewer.UserID != "") {
		t.Fatalf("got %+v, %v, want %v", viewer, err, want)
	}
}

func TestANewKeyWorksAtOnce(t *testing.T) {
	i := newIssuer(t, "rsa")
	j := i.verifier(nil)
	old, renewed := i.token("rsa", nil, nil), i.token("other", nil, nil)
	wants(t, j, old, nil)
	i.publish("rsa", "other")
	wants(t, j, renewed, nil)
	wants(t, j, old, nil)
	i.publish("other", "ed")
	wants(t, j, i.token("ed", nil, nil), auth.ErrInvalidToken) // so soon after the last
	i.clock.move(10 * time.Second)
	wants(t, j, i.token("ed", nil, nil), nil)
	wants(t, j, old, auth.ErrInvalidToken) // and the old one is taken back
}

// TestTheFirstTokenAsksForNothing holds that a token which comes before Run has begun does not keep the key after it waiting.
func TestTheFirstTokenAsksForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		published := keySetOf("rsa")
		j, err := auth.NewJWKS(auth.JWKSConfig{
			URL: "https://issuer.example/keys", Issuer: testIssuer, Audience: testAudience, Logger: slog.New(slog.DiscardHandler),
			HTTPClient: &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { return answered(published), nil })},
		})
		if err != nil {
			t.Fatal(err)
		}
		i := &issuer{t: t, clock: &safeClock{t: time.Now()}}
		early, renewed, verified := i.token("rsa", nil, nil), i.token("other", nil, nil), make(chan error, 1)
		go func() {
			_, err := j.Verify(t.Context(), early)
			verified <- err
		}()
		synctest.Wait()
		runUntilTheEnd(t, j)
		if err := <-verified; err != nil {
			t.Fatal(err)
		}
		published = keySetOf("rsa", "other")
		wants(t, j, renewed, nil)
	})
}

func TestUnknownKeysCauseNoStorm(t *testing.T) {
	i := newIssuer(t, "rsa")
	j := i.verifier(nil)
	wants(t, j, i.token("rsa", nil, nil), nil)
	before := i.fetches.Load()
	var wg sync.WaitGroup
	for n := range 50 {
		token := i.token("ed", nil, map[string]any{"kid": fmt.Sprint(n)})
		wg.Go(func() {
			for range 4 {
				if _, err := j.Verify(t.Context(), token); !errors.Is(err, auth.ErrInvalidToken) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := i.fetches.Load() - before; n > 1 {
		t.Errorf("%d fetches", n)
	}
}

// TestBadAnswersTakeNoKeysAway also covers that nobody hears of the URL.
func TestBadAnswersTakeNoKeysAway(t *testing.T) {
	huge := bytes.Repeat([]byte(" "), 1<<20)
	for name, answer := range map[string]http.HandlerFunc{
		"down":    func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"500":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"moved":   func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"garbage": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"empty":   func(http.ResponseWriter, *http.Request) {},
		"null":    func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "null") },
		"no keys": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"error":"?"}`) },
		"no use": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"keys":[{"kty":"oct","k":"AA"}]}`)
		},
		"too many": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(keySetOf(strings.Fields(strings.Repeat("ed ", 101))...))
		},
		"truncated": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(keySetOf("rsa")[:100]) },
		"100 MB": func(w http.ResponseWriter, _ *http.Request) {
			for n := 0; n < 100; n++ {
				if _, err := w.Write(huge); err != nil {
					return
				}
			}
		},
		"100 MB, zipped": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
			for n := 0; n < 100; n++ {
				if _, err := z.Write(huge); err != nil {
					return
				}
			}
			_ = z.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t, "rsa")
			var log bytes.Buffer
			j := i.verifier(func(c *auth.JWKSConfig) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
			token := i.token("rsa", nil, nil)
			wants(t, j, token, nil)
			i.answers(answer)
			i.clock.move(10 * time.Second)
			_, err := j.Verify(t.Context(), i.token("other", nil, nil))
			if !errors.Is(err, auth.ErrUnavailable) || errors.Is(err, auth.ErrInvalidToken) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("an unknown key: %v", err)
			}
			wants(t, j, token, nil)
			if text := log.String(); !strings.Contains(text, "key set cannot be read") || strings.Contains(text, "hunter2") {
				t.Errorf("the log says %q", text)
			}
			i.publish("other")
			i.clock.move(10 * time.Second)
			wants(t, j, i.token("other", nil, nil), nil)
		})
	}
}

func TestAnIssuerMayTakeBackEverything(t *testing.T) {
	i := newIssuer(t, "rsa")
	j := i.verifier(nil)
	wants(t, j, i.token("rsa", nil, nil), nil)
	i.publish()
	i.clock.move(10 * time.Second)
	wants(t, j, i.token("other", nil, nil), auth.ErrInvalidToken)
	wants(t, j, i.token("rsa", nil, nil), auth.ErrInvalidToken)
}

// transport answers without a network, so that time can be made up.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answered(body []byte) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(body))}
}

// inBubble runs a JWKS whose issuer answers through a function, in made-up time.
func inBubble(t *testing.T, answer transport, test func(t *testing.T, j *auth.JWKS, i *issuer)) {
	synctest.Test(t, func(t *testing.T) {
		j, err := auth.NewJWKS(auth.JWKSConfig{
			URL: "https://issuer.example/keys", Issuer: testIssuer, Audience: testAudience,
			HTTPClient: &http.Client{Transport: answer}, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		runUntilTheEnd(t, j)
		test(t, j, &issuer{t: t, clock: &safeClock{t: time.Now()}})
	})
}

func TestKeysAreReadAgain(t *testing.T) {
	var published atomic.Pointer[[]byte]
	var fetches atomic.Int64
	first, second := keySetOf("rsa"), keySetOf("other")
	published.Store(&first)
	answer := func(*http.Request) (*http.Response, error) {
		fetches.Add(1)
		if body := published.Load(); body != nil {
			return answered(*body), nil
		}
		return nil, errors.New("down")
	}
	inBubble(t, answer, func(t *testing.T, j *auth.JWKS, i *issuer) {
		token := i.token("rsa", nil, nil)
		wants(t, j, token, nil)
		published.Store(nil)
		time.Sleep(10*time.Minute + time.Second)
		wants(t, j, token, nil)
		if n := fetches.Load(); n != 2 {
			t.Errorf("%d fetches in 10 minutes", n)
		}
		time.Sleep(time.Minute)
		if n := fetches.Load(); n != 14 {
			t.Errorf("%d fetches after a minute of failure", n)
		}
		published.Store(&second)
		time.Sleep(5 * time.Second)
		wants(t, j, token, auth.ErrInvalidToken)
		wants(t, j, i.token("other", nil, nil), nil)
	})
}

func TestAnIssuerThatHangs(t *testing.T) {
	hang := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	inBubble(t, hang, func(t *testing.T, j *auth.JWKS, i *issuer) {
		token, start := i.token("rsa", nil, nil), time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := j.Verify(ctx, token); !errors.Is(err, auth.ErrUnavailable) || time.Since(start) != time.Second {
			t.Errorf("an impatient caller waited %v: %v", time.Since(start), err)
		}
		wants(t, j, token, auth.ErrUnavailable)
		if waited := time.Since(start); waited > 6*time.Second {
			t.Errorf("a caller waited %v", waited)
		}
	})
}

func TestAKeySetThatIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, err := auth.NewJWKS(auth.JWKSConfig{URL: "https://issuer.example/", Issuer: testIssuer, Audience: testAudience})
		if err != nil {
			t.Fatal(err)
		}
		i, start := &issuer{t: t, clock: &safeClock{t: time.Now()}}, time.Now()
		token := i.token("rsa", nil, nil)
		wants(t, j, token, auth.ErrUnavailable)
		if waited := time.Since(start); waited != 5*time.Second {
			t.Errorf("waited %v for a Run that nobody calls", waited)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := j.Run(ctx); err != nil {
			t.Error(err)
		}
		start = time.Now()
		wants(t, j, token, auth.ErrUnavailable)
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %v for a Run that has ended", waited)
		}
	})
}

func FuzzKeySet(f *testing.F) {
	f.Add(keySetOf("rsa", "other", "p256", "p384", "ed"))
	for _, s := range []string{`{"keys":[]}`, `{"keys":[{}]}`, `{"keys":[{"kty":"RSA","n":"","e":""},null,1]}`, `{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"},{"kty":"oct","k":"AA"}]}`, `{"keys":{}}`, `[]`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if keys, err := auth.ParseKeySet(body); keys < 0 || keys > 100 || (err != nil && keys != 0) {
			t.Errorf("%d keys, %v", keys, err)
		}
	})
}

package clients

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go"
)

// service is the client of one service below its entity: connections, policies, generations and flights, all shared by
// every call.
type service struct {
	name        string
	base        string // URL without a slash at the end
	cfg         ServiceConfig
	coalesceOff bool
	http        *http.Client
	policies    failsafe.Executor[any]
	patient     failsafe.Executor[any] // of bulk writes
	breaker     *breaker
	latency     latency
	gens        generations
	flights     flights
	gate        gate
	cache       *cache // nil: off
	observe     observer
	log         *slog.Logger
	now         func() time.Time
	inFlight    atomic.Int64
	buffers     sync.Pool    // *bytes.Buffer, for bodies
	complained  atomic.Int64 // when an answer's odd parts were logged last, in Unix seconds
	liveMu      sync.Mutex   // one change of liveSince at a time, reported in order
	liveSince   atomic.Int64 // since when its events arrive, in Unix nanoseconds; 0: they do not
	wrote       func(context.Context, Change)
	pause       time.Duration // before what lags is read again
}

func newService(name string, cfg ServiceConfig, all *Config, shared *cache) (*service, error) {
	base, err := cfg.validate()
	if err != nil {
		return nil, fmt.Errorf("%s service: %w", name, err)
	}
	s := &service{
		name: name, base: strings.TrimRight(base.String(), "/"), cfg: cfg, coalesceOff: all.CoalesceOff,
		http:  &http.Client{Transport: newTransport(cfg), CheckRedirect: keepRedirect},
		cache: shared, observe: observer{all.Observer}, log: all.Log, now: all.Now, pause: lagPause,
	}
	s.buffers.New = func() any { return new(bytes.Buffer) }
	s.breaker = newBreaker(s)
	s.policies, s.patient = newPolicies(s, s.cfg), newPolicies(s, s.cfg.forBulk())
	return s, nil
}

// newTransport is tuned for many concurrent calls to one host that stands close by: HTTP/1.1 with a pool as large as the
// bulkhead, no compression, no proxy from the environment.
func newTransport(cfg ServiceConfig) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	dialer := net.Dialer{Timeout: min(cfg.Timeout, 2*time.Second), KeepAlive: 30 * time.Second}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		Protocols:              protocols,
		DisableCompression:     true,
		MaxIdleConns:           cfg.Concurrency,
		MaxIdleConnsPerHost:    cfg.Concurrency,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    cfg.Timeout,
		MaxResponseHeaderBytes: 64 << 10,
		ReadBufferSize:         16 << 10,
		WriteBufferSize:        8 << 10,
	}
}

// keepRedirect answers a redirect as it is: the contract knows none, and following one would carry the token elsewhere.
func keepRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (s *service) close() {
	s.gate.close()
	s.http.CloseIdleConnections()
}

// closed is what calls fail with once the clients are closed.
func (s *service) closed() *Error {
	return &Error{Kind: KindInternal, Service: s.name, err: errors.New("the client is closed")}
}

func (s *service) state() State {
	st := s.breaker.snapshot()
	st.Service, st.InFlight, st.P95 = s.name, int(s.inFlight.Load()), s.latency.p95()
	return st
}

// room is how many bytes of keys a URL may have beside its base and so many other bytes.
func (s *service) room(other int) int { return s.cfg.MaxURLBytes - len(s.base) - other }

// complain reports parts of an answer that were ignored: always to the observer, to the log at most once a minute.
func (s *service) complain(endpoint string, n int) {
	if n == 0 {
		return
	}
	s.observe.unasked(s.name, n)
	now, last := s.now().Unix(), s.complained.Load()
	if s.log != nil && now-last >= 60 && s.complained.CompareAndSwap(last, now) {
		s.log.Warn("service answered what was not asked for or cannot be used; ignored",
			"service", s.name, "endpoint", endpoint, "count", n)
	}
}

// idempotencyKey derives a write's key from the caller's, or draws one.
func (s *service) idempotencyKey(ctx context.Context, method, target string) string {
	caller := CallerFrom(ctx).IdempotencyKey
	if caller == "" {
		return rand.Text()
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{caller, s.name, method, target}, "\x00")))
	return hex.EncodeToString(sum[:])
}

package clients

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
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
	origin      origin
	bearer      string // Authorization; "": none
	conns       *connections
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
	wires       sync.Pool    // *wire
	complained  atomic.Int64 // when an answer's odd parts were logged last, in Unix seconds
	liveMu      sync.Mutex   // one change of liveSince at a time, reported in order
	liveSince   atomic.Int64 // since when its events arrive, in Unix nanoseconds; 0: they do not
	wrote       func(context.Context, Change)
	pause       time.Duration // before what lags is read again
	busy        func() bool   // nil: never, see HedgeUnless
}

func newService(name string, cfg ServiceConfig, all *Config, shared *cache) (*service, error) {
	base, err := cfg.validate()
	if err != nil {
		return nil, fmt.Errorf("%s service: %w", name, err)
	}
	s := &service{
		name: name, cfg: cfg, coalesceOff: all.CoalesceOff,
		cache: shared, observe: observer{all.Observer}, log: all.Log, now: all.Now, pause: lagPause,
	}
	if err := s.aim(base); err != nil {
		return nil, fmt.Errorf("%s service: %w", name, err)
	}
	if cfg.Token != "" {
		s.bearer = "Bearer " + cfg.Token
	}
	s.wires.New = func() any { return newWire() }
	s.breaker = newBreaker(s)
	s.policies, s.patient = newPolicies(s, s.cfg), newPolicies(s, s.cfg.forBulk())
	return s, nil
}

// aim says where the service is. Not for concurrent use.
func (s *service) aim(base *url.URL) error {
	to, err := originOf(base)
	if err != nil {
		return err
	}
	s.base, s.origin = strings.TrimRight(base.String(), "/"), to
	s.conns = newConnections(newDialer(s.cfg, to), s.cfg.Concurrency)
	return nil
}

func (s *service) close() {
	s.gate.close()
	s.conns.close()
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

package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	fetchTimeout = 5 * time.Second
	renewEvery   = 10 * time.Second // at most, for tokens with unknown keys: anybody can make those up
	retryAfter   = 5 * time.Second  // a fetch that failed
	maxKeySet    = 1 << 20          // bytes
)

var errEnded = errors.New("the key set is not read any more")

// Run reads the keys now, every Refresh, and when Verify meets one that is unknown, until the context ends; then it returns nil.
// It is called once. Without it every token is refused with ErrUnavailable.
func (j *JWKS) Run(ctx context.Context) error {
	defer j.config.HTTPClient.CloseIdleConnections()
	defer j.end()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-j.demand:
		}
		wait := j.config.Refresh
		if err := j.fetch(ctx); err != nil {
			wait = retryAfter
		}
		timer.Reset(wait)
	}
}

// renew waits until the key set has been read once more, or gives how the last attempt failed when it is too early for another.
func (j *JWKS) renew(ctx context.Context) error {
	round, err := j.join()
	if round == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	select {
	case <-round:
	case <-ctx.Done():
		return ctx.Err()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// join gives what to wait for: a fetch under way, or a new one when the last that a token caused is long enough ago.
func (j *JWKS) join() (<-chan struct{}, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.round != nil {
		return j.round, nil
	}
	now := j.config.Now()
	if errors.Is(j.err, errEnded) || (!j.asked.IsZero() && now.Sub(j.asked) < renewEvery) {
		return nil, j.err
	}
	j.asked = now
	j.round = make(chan struct{})
	select {
	case j.demand <- struct{}{}:
	default:
	}
	return j.round, nil
}

// fetch reads the keys once. When that fails those known before stay.
func (j *JWKS) fetch(ctx context.Context) error {
	j.mu.Lock()
	if j.round == nil {
		j.round = make(chan struct{})
	}
	select { // this fetch serves whoever asked for one
	case <-j.demand:
	default:
	}
	before := j.err
	j.mu.Unlock()

	keys, err := j.get(ctx)
	switch {
	case err == nil:
		if old := j.keys.Swap(keys); !old.same(keys) || before != nil {
			j.config.Logger.InfoContext(ctx, "key set read", "keys", len(keys.keys), "unusable", keys.unusable)
		}
	case before == nil && ctx.Err() == nil:
		j.config.Logger.WarnContext(ctx, "key set cannot be read", "error", err, "known", j.keys.Load().size())
	}
	j.settle(err)
	return err
}

// settle ends the round that is under way.
func (j *JWKS) settle(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.err = err
	if j.round != nil {
		close(j.round)
		j.round = nil
	}
}

// end lets those go who wait for a fetch that nobody will do.
func (j *JWKS) end() { j.settle(errEnded) }

func (j *JWKS) get(ctx context.Context) (*keySet, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, j.config.URL, nil)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := j.config.HTTPClient.Do(request)
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return nil, failed.Err // without the URL, which may hold a password
	}
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxKeySet+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxKeySet {
		return nil, fmt.Errorf("answered more than %d bytes", maxKeySet)
	}
	return parseKeySet(body)
}

package webhook

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"tributary/internal/event"
	"tributary/internal/work/dispatch"
)

// SenderOptions are how deliveries are made. What is zero has its default.
type SenderOptions struct {
	Timeout time.Duration // of one delivery, from dialling to the end of the answer; default 15 s
	Version string        // of this program, for the field User-Agent; empty: not told
	// Show returns what the owner of an endpoint may see of an event's data. ok false: it may not know of the event, which is then
	// settled without a delivery. An error counts as a failed delivery; ErrAccount says why. nil: everybody sees everything.
	Show  func(ctx context.Context, e Endpoint, of event.Event) (data json.RawMessage, ok bool, err error)
	Now   func() time.Time // default time.Now
	Roots *x509.CertPool   // that certificates of receivers lead to; nil: the system's
}

// Sender hands events to endpoints over HTTP. It is safe for concurrent use.
type Sender struct {
	store   dispatch.Store
	targets *Targets
	options SenderOptions
	client  *http.Client
}

const (
	dialTime       = 5 * time.Second
	maxConnections = 64 // to one host
	maxHeader      = 16 << 10
)

// NewSender makes a Sender over the store that the endpoints are kept in, which the caller closes. It follows no redirect and uses no
// proxy: both would lead around the rules for targets.
func NewSender(store dispatch.Store, targets *Targets, options SenderOptions) *Sender {
	options.Timeout = cmp.Or(options.Timeout, 15*time.Second)
	if options.Now == nil {
		options.Now = time.Now
	}
	dialer := &net.Dialer{Timeout: dialTime, Resolver: targets.options.Resolver, Control: targets.control}
	transport := &http.Transport{
		DialContext:         dialer.DialContext,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: options.Roots},
		TLSHandshakeTimeout: dialTime, ForceAttemptHTTP2: true, DisableCompression: true,
		MaxConnsPerHost: maxConnections, MaxIdleConnsPerHost: 8, MaxIdleConns: 200, IdleConnTimeout: 30 * time.Second,
		MaxResponseHeaderBytes: maxHeader,
	}
	return &Sender{store, targets, options, &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close gives up the connections that wait for more to send.
func (s *Sender) Close() { s.client.CloseIdleConnections() }

// Send delivers an event to the endpoint that a consumer is, or that it replays. It is a dispatch.Send.
func (s *Sender) Send(ctx context.Context, c dispatch.Consumer, e event.Event, _ int) dispatch.Result {
	if c.Of != "" {
		within, of, err := s.replayed(ctx, c, e)
		switch {
		case err != nil:
			return dispatch.Result{Problem: ProblemInternal}
		case of == nil || of.State == dispatch.Disabled:
			return dispatch.Result{Gone: true, Problem: ProblemGone} // ends the replay
		case !within:
			return dispatch.Result{Skipped: true}
		}
		c = *of
	}
	kept, err := readConfig(c)
	if err != nil {
		return dispatch.Result{Problem: ProblemInternal}
	}
	if c.State == dispatch.Disabled && c.Reason == ReasonAccount { // asked for by hand
		return dispatch.Result{Problem: ProblemAccount}
	}
	data, ok, err := s.show(ctx, kept.endpoint(c, s.options.Now()), e)
	switch {
	case errors.Is(err, ErrAccount):
		return dispatch.Result{Problem: ProblemAccount}
	case err != nil && ctx.Err() != nil:
		return dispatch.Result{Problem: ProblemCancelled}
	case err != nil:
		return dispatch.Result{Problem: ProblemInternal}
	case !ok:
		return dispatch.Result{Skipped: true, Problem: ProblemNotVisible}
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	return s.post(ctx, kept, e, data)
}

// show asks what of an event its receiver may see, for as long as a delivery may take.
func (s *Sender) show(ctx context.Context, to Endpoint, e event.Event) (json.RawMessage, bool, error) {
	if s.options.Show == nil || e.Type == TypePing {
		return e.Data, true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	return s.options.Show(ctx, to, e)
}

// replayed returns the endpoint that a replay is of, nil when there is none any more, and whether the event is of the time replayed.
func (s *Sender) replayed(ctx context.Context, c dispatch.Consumer, e event.Event) (within bool, of *dispatch.Consumer, err error) {
	var span replayConfig
	if err := json.Unmarshal(c.Config, &span); err != nil {
		return false, nil, fmt.Errorf("kept replay %s: %w", c.ID, err)
	}
	of, err = look(ctx, s.store, c.Of)
	return !e.Time.Before(span.From) && e.Time.Before(span.To), of, err
}

// post makes one delivery.
func (s *Sender) post(ctx context.Context, kept config, e event.Event, shown json.RawMessage) dispatch.Result {
	request, err := s.request(ctx, kept, e, shown)
	if refusal, ok := errors.AsType[*Error](err); ok && refusal.Code == CodeTargetNotAllowed {
		return dispatch.Result{Problem: ProblemTarget}
	}
	if err != nil {
		return dispatch.Result{Problem: ProblemInternal}
	}
	response, err := s.client.Do(request)
	if err != nil {
		return dispatch.Result{Problem: problem(err)}
	}
	defer response.Body.Close()
	result := judge(response, s.options.Now())
	result.Excerpt = excerpt(response.Body, e.Data, shown)
	return result
}

func (s *Sender) request(ctx context.Context, kept config, e event.Event, shown json.RawMessage) (*http.Request, error) {
	target, refusal := s.targets.check(kept.URL) // the rules may have changed since it was saved
	if refusal != nil {
		return nil, refusal
	}
	text, err := body(e, shown)
	if err != nil {
		return nil, fmt.Errorf("write body: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	request.GetBody = nil // nothing is sent twice within an attempt
	return request, s.sign(request.Header, kept, messageID(e), text)
}

// sign sets the fields of a delivery.
func (s *Sender) sign(h http.Header, kept config, id string, text []byte) error {
	at := s.options.Now().UTC()
	standard, simple, err := kept.signatures(id, at, text)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	agent := "Tributary"
	if s.options.Version != "" {
		agent += "/" + s.options.Version
	}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", agent)
	h.Set("Api-Version", strconv.Itoa(kept.version()))
	h.Set(event.HeaderID, id)
	h.Set(event.HeaderTimestamp, fmt.Sprint(at.Unix()))
	h.Set(event.HeaderSignature, standard)
	h.Set("X-Webhook-Id", id)
	h.Set("X-Webhook-Timestamp", at.Format(time.RFC3339))
	h.Set("X-Webhook-Signature", simple)
	return nil
}

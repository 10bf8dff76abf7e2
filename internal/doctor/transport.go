package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// maxBody bounds what is read of an answer. A page of 100 posts of full length, every character escaped, fits.
const maxBody = 32 << 20

var errTooBig = errors.New("a body over " + strconv.Itoa(maxBody>>20) + " MiB")

// request is one call to a service.
type request struct {
	name   string // endpoint, such as "batch"; the checks of its answers are named after it
	method string
	path   string
	query  url.Values
	header map[string]string
	body   []byte
	schema string // schema that a success answers with; empty where it has no body
}

// String is the request without host and headers, shortened.
func (r request) String() string {
	text := r.method + " " + r.path
	if query := encodeQuery(r.query); query != "" {
		text += "?" + query
	}
	return printable(text, maxRequest)
}

// encodeQuery leaves the separators of lists and pairs as the contract writes them.
func encodeQuery(query url.Values) string {
	return strings.NewReplacer("%2C", ",", "%3A", ":").Replace(query.Encode())
}

// reply is an HTTP answer, whole and bounded.
type reply struct {
	request string
	status  int
	header  http.Header
	raw     []byte
}

func (r reply) String() string {
	return strings.TrimSpace(strconv.Itoa(r.status) + " " + http.StatusText(r.status))
}

// boundedClient makes a client that follows no redirects out of the caller's, or out of the default transport. The
// second answer ends its idle connections.
func boundedClient(given *http.Client) (*http.Client, func()) {
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if given != nil {
		own := *given
		own.CheckRedirect = stay
		return &own, func() {}
	}
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        30 * time.Second,
		ForceAttemptHTTP2:      true,
	}
	return &http.Client{Transport: transport, CheckRedirect: stay}, transport.CloseIdleConnections
}

// once sends a request and reads its answer whole, within the time limit.
func (s *inspection) once(ctx context.Context, r request) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	target := *s.base
	target.Path = strings.TrimSuffix(s.base.Path, "/") + r.path
	target.RawQuery = encodeQuery(r.query)
	req, err := http.NewRequestWithContext(ctx, r.method, target.String(), bytes.NewReader(r.body))
	if err != nil {
		return reply{}, fmt.Errorf("doctor: %s: %w", r, err)
	}
	s.requests++
	req.Header.Set("Accept", "application/json, application/problem+json")
	req.Header.Set("X-Request-Id", fmt.Sprintf("doctor-%s-%d", s.run, s.requests))
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	for name, value := range r.header {
		if value == "" {
			req.Header.Del(name)
			continue
		}
		req.Header.Set(name, value)
	}
	res, err := s.http.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	switch {
	case len(raw) > maxBody:
		return reply{}, errTooBig
	case err != nil:
		return reply{}, err
	}
	return reply{request: r.String(), status: res.StatusCode, header: res.Header, raw: raw}, nil
}

// describe says what broke a connection, without addresses.
func describe(err error) string {
	dns, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection reset"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the connection closed in the middle of the answer"
	case isDNS && dns.IsNotFound:
		return "no such host"
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if wrapped, ok := errors.AsType[*net.OpError](err); ok {
		err = wrapped.Err
	}
	return err.Error()
}

func timedOut(err error) bool {
	slow, ok := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || ok && slow.Timeout()
}

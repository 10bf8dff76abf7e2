package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	postTimeout    = 15 * time.Second
	maxAnswerBytes = 64 << 10
	maxRetryAfter  = 10 * time.Minute
)

// dispatch posts batches of one service, one at a time.
type dispatch struct {
	client   *http.Client
	url      string
	source   string // the service
	secret   []byte
	clock    func() time.Time
	lastPost time.Time // by the real clock
	answered int64     // the sequence in the last answer of 200
}

func newDispatch(url, source string, secret []byte, clock func() time.Time) *dispatch {
	return &dispatch{
		url: url, source: source, secret: secret, clock: clock,
		client: &http.Client{
			Timeout:       postTimeout,
			Transport:     &http.Transport{MaxIdleConns: 1, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// receipt is an answer that judges a batch: 200, 400, 409, 413 or 422.
type receipt struct {
	status   int
	index    int   // of the event that is to blame; -1 if the answer names none
	expected int64 // with 409: the version that the event's subject has next
	detail   string
}

// setback is a failure that says nothing of the events: they are posted again.
type setback struct {
	cause  error
	after  time.Duration // what Retry-After asked for, 0 for nothing
	denied bool          // the signature was not taken: somebody has to see to that
}

func (s *setback) Error() string { return s.cause.Error() }
func (s *setback) Unwrap() error { return s.cause }

func (r receipt) setback(what string) *setback {
	return &setback{cause: fmt.Errorf("%s with %d", what, r.status)}
}

// post sends a batch, an empty one as a heartbeat. An error is a *setback, or that of ctx.
func (d *dispatch) post(ctx context.Context, events []outgoing) (receipt, error) {
	body := appendBatch(nil, d.source, events)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, bytes.NewReader(body))
	if err != nil {
		return receipt{}, &setback{cause: err}
	}
	id, now := messageID(body), d.clock()
	if len(events) == 0 {
		id = "msg_" + newID() // every heartbeat is a message of its own
	}
	h := request.Header
	h.Set("Content-Type", "application/cloudevents-batch+json")
	h.Set("Tributary-Source", d.source)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	h.Set("Webhook-Signature", sign(d.secret, id, now, body))
	d.lastPost = time.Now()
	response, err := d.client.Do(request)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // the address says nothing new
		}
		return receipt{}, &setback{cause: err}
	}
	defer response.Body.Close() // it was only read
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return receipt{}, &setback{cause: err}
	}
	return d.judge(response, raw)
}

// judge understands an answer.
func (d *dispatch) judge(response *http.Response, raw []byte) (receipt, error) {
	r := receipt{status: response.StatusCode, index: -1}
	switch r.status {
	case http.StatusOK:
		var kept struct {
			Sequence string `json:"sequence"`
		}
		err := json.Unmarshal(raw, &kept)
		number, notNumber := strconv.ParseInt(kept.Sequence, 10, 64)
		if err != nil || notNumber != nil || number < 0 {
			return r, &setback{cause: errors.New("the sink's answer names no sequence")}
		}
		d.answered = number
		return r, nil
	case http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		var problem struct {
			Index    *int   `json:"index"`
			Expected int64  `json:"expected"`
			Detail   string `json:"detail"`
		}
		if json.Unmarshal(raw, &problem) == nil {
			r.expected, r.detail = problem.Expected, limitString(problem.Detail, 200)
			if problem.Index != nil {
				r.index = *problem.Index
			}
		}
		return r, nil
	}
	s := r.setback("the sink answered")
	s.after, s.denied = retryAfter(response.Header, d.clock()), r.status == http.StatusUnauthorized
	return r, s
}

// retryAfter reads Retry-After, seconds or a date; 0 where it asks for nothing.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil {
		return min(max(time.Duration(seconds)*time.Second, 0), maxRetryAfter)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

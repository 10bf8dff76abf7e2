package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const batchSize = 100 // the gateway takes up to 500 events and 1 MiB at a time

// sender takes the outbox to the gateway.
type sender struct {
	store store
	url   string
	key   []byte
	stay  bool
	out   io.Writer
}

// deliver sends all of the outbox, in its order. It begins with an empty batch, to be told how far the gateway is: that is the only
// memory that it needs. Each answer says where to go on; one that is lower than before means that the gateway has lost its last
// moments, and they are sent again. An empty batch is the heartbeat that tells the gateway that there is nothing that it misses.
func (s sender) deliver(ctx context.Context) error {
	client := &http.Client{Timeout: 15 * time.Second}
	defer client.CloseIdleConnections()
	batch, said := []envelope{}, int64(-1)
	for pause := 100 * time.Millisecond; ; {
		kept, err := s.post(ctx, client, batch)
		if refused, ok := errors.AsType[*refusal](err); ok {
			return refused // sending the same again would not help
		}
		if err != nil { // nobody knows what became of it: send the same again, the gateway skips what it has
			fmt.Fprintln(s.out, "again in", pause, "because", err)
			if err := wait(ctx, pause); err != nil {
				return err
			}
			pause = min(2*pause, 5*time.Second)
			continue
		}
		if pause = 100 * time.Millisecond; kept != said {
			fmt.Fprintln(s.out, "the gateway keeps everything up to", kept)
			said = kept
		}
		if batch, err = s.store.behind(ctx, kept, batchSize); err != nil {
			return err
		}
		if len(batch) == 0 {
			if !s.stay {
				return nil
			}
			if err := wait(ctx, time.Second); err != nil {
				return err
			}
		}
	}
}

// post sends one batch and returns the last sequence that the gateway keeps.
func (s sender) post(ctx context.Context, client *http.Client, batch []envelope) (int64, error) {
	body, err := json.Marshal(batch)
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/cloudevents-batch+json")
	request.Header.Set("Tributary-Source", "post")
	s.sign(request.Header, body, time.Now())
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return 0, err
	}
	switch code := response.StatusCode; {
	case code == http.StatusOK:
		var kept struct {
			Sequence int64 `json:"sequence,string"`
		}
		err := json.Unmarshal(answer, &kept)
		return kept.Sequence, err
	case code >= 500 || code == http.StatusTooManyRequests:
		return 0, errors.New(response.Status)
	default:
		return 0, &refusal{status: response.Status, problem: string(answer)}
	}
}

// refusal is an answer that says that the delivery is wrong.
type refusal struct{ status, problem string }

func (r *refusal) Error() string { return r.status + ": " + r.problem }

// sign signs a body as Standard Webhooks has it: HMAC-SHA256 of id.timestamp.body.
func (s sender) sign(header http.Header, body []byte, now time.Time) {
	id, timestamp := "msg_"+rand.Text(), strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	header.Set("webhook-id", id)
	header.Set("webhook-timestamp", timestamp)
	header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

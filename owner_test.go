package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"tributary/internal/event"
)

// owner is a service that makes events up and sends them.
type owner struct {
	secret   []byte
	sequence int
	random   *rand.Rand
}

// batch makes up to n events: others begin to follow one of four users, and end it at once now and then.
func (o *owner) batch(n int) []map[string]any {
	var events []map[string]any
	add := func(kind, follower, followee string, version int) {
		o.sequence++
		events = append(events, map[string]any{
			"specversion": "1.0", "id": fmt.Sprint("made", o.sequence), "source": "/follower", "type": "follower." + kind,
			"subject": "follow/" + follower + ":" + followee, "time": time.Now().UTC(), "version": version, "sequence": strconv.Itoa(o.sequence),
			"data": map[string]any{"followerId": follower, "followeeId": followee},
		})
	}
	for range 1 + o.random.IntN(n) {
		follower, followee := fmt.Sprint("f", o.sequence), fmt.Sprint("u", 1+o.random.IntN(4))
		add("added", follower, followee, 1)
		if o.random.IntN(4) == 0 {
			add("removed", follower, followee, 2)
		}
	}
	return events
}

// deliver sends a batch to the gateway, which must take it.
func (o *owner) deliver(ctx context.Context, client *http.Client, base string, batch []map[string]any) error {
	body, err := json.Marshal(batch)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/events", bytes.NewReader(body))
	if err != nil {
		return err
	}
	id, now := fmt.Sprint("delivery-", o.sequence), time.Now()
	request.Header.Set("Content-Type", "application/cloudevents-batch+json")
	request.Header.Set(event.HeaderSource, "follower")
	request.Header.Set(event.HeaderID, id)
	request.Header.Set(event.HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
	request.Header.Set(event.HeaderSignature, event.Sign(o.secret, id, now, body))
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if answer, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s, %w", response.Status, answer, err)
	}
	return nil
}

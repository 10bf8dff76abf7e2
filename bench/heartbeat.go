package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// eventsSecret signs the heartbeats. It guards nothing: it is used on this machine, for the time of a benchmark.
const eventsSecret = "whsec_YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcywgc28="

// withEvents are the flags of a gateway that is told of the services' events.
func withEvents() (flags []string) {
	for _, service := range services {
		flags = append(flags, "--events-"+service+"-secrets", eventsSecret)
	}
	return flags
}

// beat sends a gateway the heartbeats of services in which nothing happens, once a second, until ctx ends. A gateway that gets none
// trusts what it has read for a second only.
func beat(ctx context.Context, base string) error {
	signer, err := standardwebhooks.NewWebhook(eventsSecret)
	if err != nil {
		return err
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		for _, service := range services {
			if err := heartbeat(ctx, signer, base, service, n); err != nil && ctx.Err() == nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func heartbeat(ctx context.Context, signer *standardwebhooks.Webhook, base, service string, n int) error {
	const body = "[]"
	id, now := fmt.Sprintf("msg_%s_%d", service, n), time.Now()
	signature, err := signer.Sign(id, now, []byte(body))
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/events", strings.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range map[string]string{
		"Content-Type": "application/cloudevents-batch+json", "Tributary-Source": service,
		"Webhook-Id": id, "Webhook-Timestamp": strconv.FormatInt(now.Unix(), 10), "Webhook-Signature": signature,
	} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the heartbeat of %s: status %d", service, response.StatusCode)
	}
	return nil
}

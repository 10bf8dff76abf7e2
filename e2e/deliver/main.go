// Command deliver sends one webhook.ping to a URL of this machine, as the server does, and prints what came of it. Receivers in other
// languages are tested with it.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tributary/internal/event"
	"tributary/internal/work/dispatch"
	"tributary/internal/work/webhook"
)

func main() {
	url := flag.String("url", "", "where to deliver")
	secret := flag.String("secret", "", "that signs, whsec_…")
	rotated := flag.String("rotated", "", "that takes its place before the delivery, if one is given")
	flag.Parse()
	if err := run(context.Background(), *url, *secret, *rotated); err != nil {
		fmt.Fprintln(os.Stderr, "deliver:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url, secret, rotated string) error {
	dir, err := os.MkdirTemp("", "deliver")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	log, err := event.OpenSQLite(ctx, filepath.Join(dir, "events.db"), time.Now)
	if err != nil {
		return err
	}
	defer log.Close()
	store, err := dispatch.OpenSQLite(ctx, filepath.Join(dir, "webhooks.db"))
	if err != nil {
		return err
	}
	defer store.Close()
	targets := webhook.NewTargets(webhook.TargetOptions{AllowHTTP: true, AllowLoopback: true})
	sender := webhook.NewSender(store, targets, webhook.SenderOptions{})
	defer sender.Close()
	endpoints := webhook.New(store, log, dispatch.New(store, log, sender.Send, dispatch.Options{}), targets, webhook.Options{})
	caller := webhook.Caller{Admin: true}
	made, _, err := endpoints.Create(ctx, caller, webhook.NewEndpoint{URL: url, EventTypes: []string{"*"}, Secret: secret})
	if err == nil && rotated != "" {
		_, _, err = endpoints.RotateSecret(ctx, caller, made.ID, rotated)
	}
	if err != nil {
		return err
	}
	delivery, err := endpoints.Ping(ctx, caller, made.ID)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(delivery)
}

// Command outbox shows how a service that owns data tells Tributary what happens to it: by an outbox, a table that is written in the
// transaction of the change it tells of, and that is sent in its order, signed, until the gateway says that it keeps it.
//
// It is a post service as small as can be. Every line that it reads is the title of a post that the author named publishes:
//
//	echo 'Hello' | go run ./examples/outbox -db posts.db -events http://127.0.0.1:8080/events -secret whsec_… -author u1
//
// It ends once its input has ended and all of it was delivered, or with -stay goes on as a service does. Stop it at any time, kill it,
// or the gateway: run it again, and nothing is missing and nothing there twice.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "outbox:", err)
		os.Exit(1)
	}
}

// run publishes what it reads from in and delivers the outbox, until both are done or ctx ends.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("outbox", flag.ContinueOnError)
	flags.SetOutput(out)
	db := flags.String("db", "posts.db", "the service's database")
	events := flags.String("events", "http://127.0.0.1:8080/events", "where the gateway takes events")
	secret := flags.String("secret", os.Getenv("OUTBOX_SECRET"), "the secret for the source post, whsec_…")
	author := flags.String("author", "u1", "who writes the posts")
	stay := flags.Bool("stay", false, "go on: send what others write into the database, and a heartbeat every second")
	if err := flags.Parse(args); err != nil {
		return err
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(*secret, "whsec_"))
	if err != nil || len(key) < 24 {
		return errors.New("-secret is whsec_ and at least 24 bytes in base64")
	}
	store, err := openStore(ctx, *db)
	if err != nil {
		return err
	}
	defer store.Close()

	lines := bufio.NewScanner(in)
	for lines.Scan() {
		id, err := store.publish(ctx, *author, lines.Text())
		if err != nil {
			return err
		}
		fmt.Fprintln(out, "published", id)
	}
	if err := lines.Err(); err != nil {
		return err
	}
	s := sender{store: store, url: *events, key: key, stay: *stay, out: out}
	return s.deliver(ctx)
}

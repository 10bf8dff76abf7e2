// Command webhook shows how to receive what Tributary delivers: it prints each event once it has found that the signature is right.
//
//	WEBHOOK_SECRET=whsec_… go run ./examples/webhook -addr 127.0.0.1:9000
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:9000", "where to listen")
	flag.Parse()
	handler, err := receiver(os.Getenv("WEBHOOK_SECRET"), func(id string, e event) error {
		_, err := fmt.Println(id, e.Type, e.Data.Subject, string(e.Data.Changes))
		return err
	})
	if err == nil {
		server := &http.Server{Addr: *addr, Handler: handler, ReadTimeout: 10 * time.Second}
		err = server.ListenAndServe()
	}
	fmt.Fprintln(os.Stderr, "webhook:", err)
	os.Exit(1)
}

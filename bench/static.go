package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
)

// staticConfig names the file with the answers: a list of exchanges as JSON.
type staticConfig struct{ Addr, File string }

type exchange struct{ Request, Answer []byte }

func runStatic(ctx context.Context, raw []byte) error {
	var config staticConfig
	if err := json.Unmarshal(raw, &config); err != nil {
		return err
	}
	file, err := os.ReadFile(config.File)
	if err != nil {
		return err
	}
	var exchanges []exchange
	if err := json.Unmarshal(file, &exchanges); err != nil {
		return fmt.Errorf("%s: %w", config.File, err)
	}
	return listen(ctx, map[string]http.Handler{config.Addr: withProbes(static(exchanges))})
}

// static writes the answer that was given to the same request before: what net/http and the network cost, whatever is done behind them.
func static(exchanges []exchange) http.Handler {
	answers := make(map[string][]byte, len(exchanges))
	for _, e := range exchanges {
		answers[string(e.Request)] = e.Answer
	}
	buffers := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		buffer := buffers.Get().(*bytes.Buffer)
		defer buffers.Put(buffer)
		buffer.Reset()
		if _, err := buffer.ReadFrom(http.MaxBytesReader(w, r.Body, 1<<20)); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer, ok := answers[string(buffer.Bytes())]
		if !ok {
			http.Error(w, "this request was not recorded", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/graphql-response+json; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer) // the caller has gone
	})
}

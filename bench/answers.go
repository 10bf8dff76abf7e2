package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"tributary/bench/load"
	"tributary/bench/process"
)

// compare makes the workloads, has the gateway answer them straight from the services, and holds every server, in every way it is run,
// to these answers. What it learns of their bytes goes into b.expected.
func (b *benchmark) compare(ctx context.Context) (workloads []*workload, err error) {
	var reference [][]exchange
	err = b.serving(ctx, func(addr string) process.Command { return b.gateway(addr, b.demo, slices.Concat(unbounded, bare)) }, func(r running) error {
		if workloads, err = newWorkloads(ctx, r.url, b.profiles); err != nil {
			return err
		}
		for _, w := range workloads {
			exchanges, err := record(ctx, r.url, w)
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			reference = append(reference, exchanges)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the answers to compare with: %w", err)
	}
	raw, err := json.Marshal(slices.Concat(reference...))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(b.answersFile(), raw, 0o600); err != nil {
		return nil, err
	}
	return workloads, b.compareServers(ctx, workloads, reference)
}

// answersFile holds the answers that the static server writes.
func (b *benchmark) answersFile() string { return filepath.Join(b.dir, "answers.json") }

// record asks everything of a workload once.
func record(ctx context.Context, url string, w *workload) ([]exchange, error) {
	exchanges := make([]exchange, len(w.bodies))
	for i, body := range w.bodies {
		answer, err := fetch(ctx, url, body)
		if err != nil {
			return nil, fmt.Errorf("request %d: %w", i, err)
		}
		exchanges[i] = exchange{body, answer}
	}
	return exchanges, nil
}

func (b *benchmark) compareServers(ctx context.Context, workloads []*workload, reference [][]exchange) error {
	answers := 0
	for _, s := range b.chosen() {
		for _, m := range modes() {
			if m.latency > 0 || (s.fixed && m.name != modes()[0].name) {
				continue // the same process as in another mode
			}
			err := b.serving(ctx, func(addr string) process.Command { return s.command(b, m, addr) }, func(r running) error {
				for i, w := range workloads {
					requests, err := hold(ctx, r.url, w, reference[i])
					if err != nil {
						return fmt.Errorf("%s: %w", w.name, err)
					}
					b.expected[expectation(s.name, w.name)] = requests
					answers += len(requests)
				}
				return nil
			})
			if err != nil {
				return fmt.Errorf("answers of %s (%s) compared with the gateway's: %w", s.name, m.name, err)
			}
		}
	}
	fmt.Fprintf(b.progress, "%d answers compared: all equal\n", answers)
	return nil
}

// expectation is the key of what a server answers to a workload. It is the same in all modes.
func expectation(server, workload string) string { return server + " " + workload }

// hold asks everything of a workload once and compares the answers with those recorded.
func hold(ctx context.Context, url string, w *workload, reference []exchange) ([]load.Request, error) {
	exchanges, err := record(ctx, url, w)
	if err != nil {
		return nil, err
	}
	requests := make([]load.Request, len(exchanges))
	for i, e := range exchanges {
		if err := sameData(reference[i].Answer, e.Answer); err != nil {
			return nil, fmt.Errorf("request %d (%.200s): %w", i, e.Request, err)
		}
		requests[i] = load.Request{Body: e.Request, Length: len(e.Answer), Checksum: load.Checksum(e.Answer)}
	}
	return requests, nil
}

// sameData says where what two answers say differs, the cost aside; nil when it does not.
func sameData(want, got []byte) error {
	wanted, err := dataOf(want)
	if err != nil {
		return err
	}
	given, err := dataOf(got)
	if err != nil {
		return err
	}
	return difference(wanted, given)
}

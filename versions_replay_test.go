package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestVersion1IsWhatItWas replays operations on version 1 whose answers were recorded by the last program that had no other version.
func TestVersion1IsWhatItWas(t *testing.T) {
	dir := seededDir(t)
	p := start(t, "serve", "--addr", "127.0.0.1:0", "--data-dir", dir)
	files, err := filepath.Glob("testdata/versions/1/*.graphql")
	if err != nil || len(files) < 10 {
		t.Fatal("too few operations", len(files), err)
	}
	tokens := map[string]string{}
	for _, endpoint := range []string{"/graphql", "/v1/graphql"} {
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".graphql")
			if strings.HasPrefix(name, "zz") && endpoint != "/v1/graphql" {
				continue // a second time they write something else
			}
			t.Run(name+endpoint, func(t *testing.T) {
				query, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				first, _, _ := strings.Cut(string(query), "\n")
				as, known := strings.CutPrefix(first, "# as ")
				if known && tokens[as] == "" {
					user, scope, _ := strings.Cut(as, " ")
					tokens[as] = tokenFor(t, dir, user, scope)
				}
				want, err := os.ReadFile(strings.TrimSuffix(file, ".graphql") + ".json")
				if err != nil {
					t.Fatal(err)
				}
				got := recordable(t, p.url+endpoint, string(query), tokens[as])
				for deadline := time.Now().Add(2 * time.Minute); strings.HasPrefix(name, "zz-3") && got != string(want) && time.Now().Before(deadline); {
					time.Sleep(20 * time.Millisecond) // the log hears of the writes behind all that was there before
					got = recordable(t, p.url+endpoint, string(query), tokens[as])
				}
				if got != string(want) {
					t.Errorf("got %s", got)
				}
			})
		}
	}
}

// recordable is what of an answer may not change: its status, data and errors.
func recordable(t *testing.T, url, query, token string) string {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"query": query})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/graphql-response+json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	a := struct {
		Status int             `json:"status"`
		Data   json.RawMessage `json:"data,omitempty"`
		Errors sortedErrors    `json:"errors,omitempty"`
	}{Status: response.StatusCode}
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	raw, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw) + "\n"
}

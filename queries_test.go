package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestQueries runs every query of testdata/queries on the whole program and compares its answer with the file beside it.
// UPDATE=1 writes the answers; read them before committing them.
func TestQueries(t *testing.T) {
	p := start(t, "serve", "--addr", "127.0.0.1:0", "--data-dir", seededDir(t))
	files, err := filepath.Glob("testdata/queries/*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatal("no queries", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".graphql"), func(t *testing.T) {
			query, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := rawAnswer(t, p, string(query))
			golden := strings.TrimSuffix(file, ".graphql") + ".json"
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s: got\n%s", golden, got)
			}
		})
	}
}

// rawAnswer is the answer to a query, indented and with its errors in the order of their paths.
func rawAnswer(t *testing.T, p *program, query string) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(p.url+"/graphql", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	var a struct {
		Data       json.RawMessage `json:"data"`
		Errors     sortedErrors    `json:"errors,omitempty"`
		Extensions map[string]any  `json:"extensions,omitempty"`
	}
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	if cost, ok := a.Extensions["cost"].(map[string]any); ok {
		delete(cost, "throttleStatus") // depends on what was asked before
	}
	raw, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(raw, '\n')
}

// sortedErrors are errors in the order of their paths: fields that run side by side fail in any order.
type sortedErrors []answerError

func (s *sortedErrors) UnmarshalJSON(raw []byte) error {
	var list []answerError
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b answerError) int { return strings.Compare(pathOf(a.Path), pathOf(b.Path)) })
	*s = list
	return nil
}

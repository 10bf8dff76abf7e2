package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tributary/internal/demo"
	"tributary/internal/redisclient/redistest"
	"tributary/internal/work"
)

// stage is the services as a process, gates in front of them, and a gateway as a process that the test may kill, on files or on Redis.
type stage struct {
	demoDir, dataDir string
	url              string
	redis            *redistest.Server // nil: it is single, on files
	gates            *gates
	demos, gateway   *process
	issuer           *issuer
	admin            string // a token
	args             []string
	client           *http.Client
}

// startStage runs it on the services' files in demoDir until the test ends. The waiting times of durable work are a hundredth.
func startStage(t *testing.T, demoDir string, redis *redistest.Server, args ...string) *stage {
	t.Helper()
	port := freePorts(t, 5)
	s := &stage{
		demoDir: demoDir, dataDir: t.TempDir(), url: fmt.Sprintf("http://127.0.0.1:%d", port), redis: redis, issuer: startIssuer(t),
		client: &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second},
	}
	t.Cleanup(s.client.CloseIdleConnections)
	s.admin = s.issuer.token(t, map[string]any{"sub": "root", "scope": "admin"})
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of thirty-two bytes, so"))
	s.demos = spawnSaying(t, "follower service at", "demo", "--addr", fmt.Sprintf("127.0.0.1:%d", port+1), "--data-dir", demoDir,
		"--events-url", s.url+"/events", "--events-secret", secret, "--log-level", "error")
	s.args = append(s.args, "serve", "--addr", fmt.Sprintf("127.0.0.1:%d", port), "--data-dir", s.dataDir, "--log-level", "error", "--work-time-scale", "0.01",
		"--limit-ip-points", "1000000000", "--limit-user-points", "1000000000", "--limit-key-points", "0", "--limit-ip-requests", "0", "--limit-user-requests", "0",
		"--jwks-url", s.issuer.url, "--jwt-issuer", "https://id.example", "--jwt-audience", "graph")
	if redis != nil {
		s.args = append(s.args, "--redis-url", redis.URL())
	}
	urls := map[string]string{}
	for i, name := range demo.Services() {
		urls[name] = fmt.Sprintf("http://127.0.0.1:%d", port+1+i)
	}
	s.gates = startGates(t, urls)
	for name, url := range s.gates.urls {
		s.args = append(s.args, "--"+name+"-url", url, "--events-"+name+"-secrets", secret, "--"+name+"-timeout", "1m", "--"+name+"-budget", "1m",
			"--"+name+"-retries", "0", "--"+name+"-breaker-min-calls", "1000000")
	}
	s.args = append(s.args, args...)
	s.start(t)
	return s
}

// start runs the gateway, for the first time or again.
func (s *stage) start(t *testing.T) {
	t.Helper()
	s.gateway = spawnSaying(t, "serves the graph", s.args...)
}

// second runs another gateway on the same Redis. It is killed at the end of the test, if not before.
func (s *stage) second(t *testing.T) (p *process, url string) {
	t.Helper()
	port := freePorts(t, 1)
	url = fmt.Sprintf("http://127.0.0.1:%d", port)
	return spawnSaying(t, "serves the graph", append(slices.Clone(s.args), "--addr", fmt.Sprintf("127.0.0.1:%d", port), "--data-dir", t.TempDir())...), url
}

// ask sends an operation to a gateway; an error says that it was not answered.
func (s *stage) ask(ctx context.Context, url, token, query string, variables map[string]any) (a answer, err error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return a, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := s.client.Do(request)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(raw, &a); err != nil || len(a.Errors) > 0 {
		return a, fmt.Errorf("%w: %s", err, raw)
	}
	return a, nil
}

// command sends a mutation under the name x and gives what it answers and the code of its first refusal, if there is one.
func (s *stage) command(t *testing.T, token, mutation string, variables map[string]any) (x map[string]any, code string) {
	t.Helper()
	a, err := s.ask(t.Context(), s.url, token, mutation, variables)
	if err != nil {
		t.Fatal(err)
	}
	x = at(t, a.Data, "x").(map[string]any)
	if refusals := x["userErrors"].([]any); len(refusals) > 0 {
		code = at(t, refusals, 0, "code").(string)
	}
	return x, code
}

const (
	deletion = `mutation ($id: ID!) { x: deleteAccount(userId: $id) { saga { id } userErrors { code } } }`
	merge    = `mutation ($from: ID!, $into: ID!) { x: mergeAccounts(input: {fromId: $from, intoId: $into}) { saga { id } userErrors { code } } }`
	restoral = `mutation ($id: ID) { x: restoreAccount(userId: $id) { saga { id } userErrors { code } } }`
)

// begin starts a saga and gives its id.
func (s *stage) begin(t *testing.T, mutation string, variables map[string]any) (id string) {
	t.Helper()
	return s.beginOn(t, s.url, mutation, variables)
}

// beginOn is begin on any gateway.
func (s *stage) beginOn(t *testing.T, url, mutation string, variables map[string]any) (id string) {
	t.Helper()
	a, err := s.ask(t.Context(), url, s.admin, mutation, variables)
	if err != nil {
		t.Fatal(err)
	}
	if refusals := at(t, a.Data, "x", "userErrors").([]any); len(refusals) > 0 {
		t.Fatalf("%v: %v", variables, refusals)
	}
	return at(t, a.Data, "x", "saga", "id").(string)
}

// state is how far a saga is, as admins see it.
func (s *stage) state(t *testing.T, id string) work.State {
	t.Helper()
	a, err := s.ask(t.Context(), s.url, s.admin, `query ($id: ID!) { saga(id: $id) { state } }`, map[string]any{"id": id})
	if err != nil {
		t.Fatal(err)
	}
	return work.State(at(t, a.Data, "saga", "state").(string))
}

// ended waits for a saga to end.
func (s *stage) ended(t *testing.T, id string) (state work.State) {
	t.Helper()
	eventuallySo(t, "a saga ends", func() bool { state = s.state(t, id); return state.Ended() })
	return state
}

// records opens the records of the work; on files only while the gateway does not run.
func (s *stage) records(t *testing.T) work.Store {
	t.Helper()
	if s.redis != nil {
		return work.NewRedis(s.redis.Client())
	}
	store, err := work.OpenSQLite(t.Context(), filepath.Join(s.dataDir, "work.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tributary/internal/auth"
	"tributary/internal/demo"
)

// torture leaves a test out of a plain go test, which is to be quick: make test runs a sample of it, make torture all of it.
func torture(t *testing.T) {
	t.Helper()
	switch {
	case os.Getenv("TORTURE") != "":
	case os.Getenv("CI") == "true":
		t.Fatal("CI runs it with TORTURE=sample")
	default:
		t.Skip("make test runs it")
	}
}

// rounds is how often a test kills: seldom in every run, often under make torture.
func rounds(sample, long int) int {
	if os.Getenv("TORTURE") == "long" {
		return long
	}
	return sample
}

// sentWrite is a mutation that was sent under a key. Its mark stands in what it writes and nowhere else.
type sentWrite struct {
	mark, table, query, token string
	acknowledged              bool
}

// TestTortureKilledWhileWriting kills the program again and again while eight callers write. What was acknowledged is
// there afterwards; what was not can be repeated under its key and happens once; the outbox tells the state, and the event log agrees with the services.
func TestTortureKilledWhileWriting(t *testing.T) {
	torture(t)
	const seed = 11
	dir := smallDir(t)
	key, err := auth.OpenDevelopmentKey(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var tokens []string
	for i := range 8 {
		token, err := key.Issue(fmt.Sprint("u", i+1), "", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: 30 * time.Second}
	t.Cleanup(client.CloseIdleConnections)
	random := rand.New(rand.NewPCG(seed, 0))
	var sent []*sentWrite
	for round := range rounds(3, 40) {
		p := spawnServer(t, dir)
		sent = append(sent, writeUntilKilled(t, client, p, tokens, round, 20+random.IntN(150))...)
	}
	p := spawnServer(t, dir)
	repeated := 0
	for _, w := range sent {
		if !w.acknowledged {
			repeated++
			if done, problem := w.send(t.Context(), client, p.url); !done {
				t.Errorf("%s: repeated after the restart: %s", w.mark, problem)
			}
		}
	}
	noDrift(t, "--data-dir", dir)
	p.kill()
	t.Logf("seed %d: %d writes, %d of them repeated", seed, len(sent), repeated)
	if repeated == 0 || len(sent) < 50 {
		t.Error("it did not write and die enough to prove anything")
	}
	files := map[string]*sql.DB{}
	for _, service := range demo.Services() {
		files[service] = openFile(t, dir, service)
	}
	times := marks(t, files["post"], "posts")
	maps.Copy(times, marks(t, files["comment"], "comments"))
	for _, w := range sent {
		if times[w.mark] != 1 {
			t.Errorf("%s stands in %d %s, acknowledged %v", w.mark, times[w.mark], w.table, w.acknowledged)
		}
	}
	outboxTellsState(t, files["post"], "post/", "posts")
	outboxTellsState(t, files["comment"], "comment/", "comments")
}

// writeUntilKilled has a caller for each token write until the process is killed, after so many acknowledgements.
func writeUntilKilled(t *testing.T, client *http.Client, p *process, tokens []string, round, acknowledgements int) []*sentWrite {
	t.Helper()
	var mu sync.Mutex
	var sent []*sentWrite
	var acknowledged atomic.Int64
	var dead atomic.Bool
	enough := make(chan struct{})
	var callers sync.WaitGroup
	for caller, token := range tokens {
		callers.Go(func() {
			for i := 0; !dead.Load(); i++ {
				w := newWrite(fmt.Sprintf("mark-%d-%d-%d-end", round, caller, i), token, caller+i)
				done, problem := w.send(t.Context(), client, p.url)
				w.acknowledged = done
				mu.Lock()
				sent = append(sent, w)
				mu.Unlock()
				switch {
				case done && acknowledged.Add(1) == int64(acknowledgements):
					close(enough)
				case !done && !dead.Load():
					t.Errorf("%s: %s; %s", w.mark, problem, p.stderr.String())
					return
				}
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(time.Minute):
		t.Error("the callers were not served")
	}
	dead.Store(true)
	p.kill()
	callers.Wait()
	return sent
}

// newWrite makes up the next mutation of a caller.
func newWrite(mark, token string, n int) *sentWrite {
	w := &sentWrite{mark: mark, token: token}
	if n%3 == 0 {
		w.table = "comments"
		w.query = `mutation { x: addComment(input: {postId: "post_p1", body: "` + mark + `"}) { userErrors { code } } }`
		return w
	}
	w.table = "posts"
	w.query = `mutation { x: createPost(input: {title: "t", body: "` + mark + `", publish: ` + fmt.Sprint(n%2 == 0) + `}) { userErrors { code } } }`
	return w
}

// send says whether the mutation was acknowledged, and if not, what came instead.
func (w *sentWrite) send(ctx context.Context, client *http.Client, url string) (done bool, problem string) {
	body, _ := json.Marshal(map[string]string{"query": w.query})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return false, err.Error()
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+w.token)
	request.Header.Set("Idempotency-Key", w.mark)
	response, err := client.Do(request)
	if err != nil {
		return false, err.Error()
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return false, err.Error()
	}
	return response.StatusCode == http.StatusOK && strings.Contains(string(raw), `"x":{"userErrors":[]}`), string(raw)
}

// openFile opens the file of a service that does not run.
func openFile(t *testing.T, dir, service string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, service+".db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if ok := one[string](t, db, "PRAGMA quick_check(1)"); ok != "ok" {
		t.Fatalf("%s: %s", service, ok)
	}
	return db
}

// one reads the one value of a query.
func one[T any](t *testing.T, db *sql.DB, query string, args ...any) (value T) {
	t.Helper()
	if err := db.QueryRow(query, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

// marks counts how often each mark stands in a table.
func marks(t *testing.T, db *sql.DB, table string) map[string]int {
	t.Helper()
	times := map[string]int{}
	for _, doc := range all(t, db, "SELECT doc FROM "+table+" WHERE instr(doc, 'mark-') > 0") {
		_, rest, _ := strings.Cut(doc, "mark-")
		mark, _, _ := strings.Cut(rest, "-end")
		times["mark-"+mark+"-end"]++
	}
	return times
}

// all reads the only column of a query.
func all(t *testing.T, db *sql.DB, query string) (values []string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return values
}

// outboxTellsState folds the events of every subject that was created since the seed, and holds what comes out
// against the entity. Sequence and versions have no gap.
func outboxTellsState(t *testing.T, db *sql.DB, prefix, table string) {
	t.Helper()
	rows, err := db.Query("SELECT subject, version, data FROM outbox ORDER BY seq")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	states, versions := map[string]map[string]any{}, map[string]int{}
	for rows.Next() {
		var subject, data string
		var version int
		if err := rows.Scan(&subject, &version, &data); err != nil {
			t.Fatal(err)
		}
		if states[subject] == nil {
			states[subject] = map[string]any{}
		}
		if version != versions[subject]+1 {
			t.Errorf("%s: version %d comes after %d", subject, version, versions[subject])
		}
		versions[subject] = version
		maps.Copy(states[subject], decoded(t, []byte(data)))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if seq, n := one[int](t, db, "SELECT coalesce(max(seq), 0) FROM outbox"), one[int](t, db, "SELECT count(*) FROM outbox"); seq != n {
		t.Errorf("%s: the sequence goes to %d with %d events", table, seq, n)
	}
	for subject, state := range states {
		stored := decoded(t, []byte(one[string](t, db, "SELECT doc FROM "+table+" WHERE id = ?", strings.TrimPrefix(subject, prefix))))
		for name, value := range stored {
			if fmt.Sprint(state[name]) != fmt.Sprint(value) {
				t.Errorf("%s: the events say %s %v, the entity %v", subject, name, state[name], value)
			}
		}
	}
	for _, id := range all(t, db, "SELECT id FROM "+table+" WHERE instr(doc, 'mark-') > 0") {
		if states[prefix+id] == nil {
			t.Errorf("%s%s has no event", prefix, id)
		}
	}
}

// TestTortureKilledWhileSeeding kills the first start at random moments; the next start has the whole seed.
func TestTortureKilledWhileSeeding(t *testing.T) {
	torture(t)
	const seed = 5
	whole := map[string]string{}
	seeded := seededDir(t)
	for _, service := range demo.Services() {
		whole[service] = docsOf(t, seeded, service)
	}
	begin := time.Now()
	p := spawnServer(t, t.TempDir())
	took := time.Since(begin)
	p.kill()
	random := rand.New(rand.NewPCG(seed, 0))
	for range rounds(2, 30) {
		dir := t.TempDir()
		after := time.Duration(random.Int64N(int64(took)))
		p, _ := spawn(t, "serve", "--addr", "127.0.0.1:0", "--data-dir", dir)
		time.Sleep(after) // the moment is what is random here
		p.kill()
		p = spawnServer(t, dir)
		p.kill()
		for _, service := range demo.Services() {
			if docsOf(t, dir, service) != whole[service] {
				t.Errorf("killed after %v: the %s service does not have the seed", after, service)
			}
		}
		if _, err := os.Stat(filepath.Join(dir, ".seeding")); err == nil {
			t.Errorf("killed after %v: the mark of an unfinished seed stands", after)
		}
	}
}

// docsOf sums the entities of a service up; the transaction that writes them is whole or not there.
func docsOf(t *testing.T, dir, service string) string {
	t.Helper()
	table := map[string]string{"user": "users", "post": "posts", "comment": "comments", "follower": "edges"}[service]
	return one[string](t, openFile(t, dir, service),
		"SELECT count(*) || ' ' || max(id) FROM "+table)
}

// TestTortureKilledWhileImporting kills an import at random moments: a file is there whole or not at all, and the same
// import run again has it all.
func TestTortureKilledWhileImporting(t *testing.T) {
	torture(t)
	const seed, lines = 3, 5_000
	from := t.TempDir()
	var users, posts strings.Builder
	for i := range lines {
		fmt.Fprintf(&users, `{"id":"n%d","handle":"name_%d","name":"N %d","createdAt":"2024-01-01T00:00:00Z"}`+"\n", i, i, i)
		fmt.Fprintf(&posts, `{"id":"m%d","authorId":"n%d","title":"T %d","body":"B","createdAt":"2024-01-01T00:00:00Z"}`+"\n", i, i, i)
	}
	for name, content := range map[string]string{"users.ndjson": users.String(), "posts.ndjson": posts.String()} {
		if err := os.WriteFile(filepath.Join(from, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(dir string, after time.Duration) time.Duration {
		begin := time.Now()
		p, _ := spawn(t, "import", from, "--data-dir", dir)
		if after > 0 {
			time.Sleep(after) // the moment is what is random here
			p.kill()
		} else if err := p.command.Wait(); err != nil {
			t.Fatalf("import: %v: %s", err, p.stderr.String())
		}
		return time.Since(begin)
	}
	counts := func(dir string) [2]int {
		return [2]int{one[int](t, openFile(t, dir, "user"), "SELECT count(*) FROM users WHERE id LIKE 'n%'"),
			one[int](t, openFile(t, dir, "post"), "SELECT count(*) FROM posts WHERE id LIKE 'm%'")}
	}
	took := run(seededDir(t), 0)
	random := rand.New(rand.NewPCG(seed, 0))
	for range rounds(2, 30) {
		dir := seededDir(t)
		after := time.Duration(random.Int64N(int64(took)))
		run(dir, after)
		switch got := counts(dir); got {
		case [2]int{0, 0}, [2]int{lines, 0}, [2]int{lines, lines}:
		default:
			t.Errorf("killed after %v: %v users and posts are there", after, got)
		}
		run(dir, 0)
		if got := counts(dir); got != [2]int{lines, lines} {
			t.Errorf("run again: %v users and posts are there", got)
		}
	}
}

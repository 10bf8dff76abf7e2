package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tributary/internal/demo"
	"tributary/internal/event"
	"tributary/internal/redisclient/redistest"
)

// noDrift has the program compare its event log with its services, until they agree: what is under way may take a moment.
func noDrift(t *testing.T, args ...string) {
	t.Helper()
	path, err := builtProgram()
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(2 * time.Minute)
	for {
		out, err := exec.Command(path, append([]string{"events", "verify", "--pause", "1s", "--log-level", "error"}, args...)...).CombinedOutput()
		if err == nil && strings.Contains(string(out), "no drift") {
			t.Logf("%s", strings.TrimSpace(string(out)))
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("events verify: %v: %.2000s", err, out)
		}
	}
}

// smallDir gives the test a data dir with eight users and a post, which is soon compared.
func smallDir(t *testing.T) string {
	t.Helper()
	from, dir := t.TempDir(), t.TempDir()
	var users strings.Builder
	for i := range 8 {
		fmt.Fprintf(&users, `{"id":"u%d","handle":"user_%d","name":"N","createdAt":"2024-01-01T00:00:00Z"}`+"\n", i+1, i+1)
	}
	post := `{"id":"p1","authorId":"u1","title":"T","body":"B","status":"published","publishedAt":"2024-01-02T00:00:00Z","createdAt":"2024-01-02T00:00:00Z"}`
	for name, content := range map[string]string{"users.ndjson": users.String(), "posts.ndjson": post + "\n"} {
		if err := os.WriteFile(filepath.Join(from, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := demo.Import(t.Context(), dir, from, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// freePorts is the first of n ports in a row that nobody listens on, below those that connections get by themselves: a program
// that is killed has to find its port free again.
func freePorts(t *testing.T, n int) (first int) {
	t.Helper()
	for range 100 {
		first = 15_000 + rand.IntN(15_000)
		free := true
		for port := first; port < first+n && free; port++ {
			listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if free = err == nil; free {
				listener.Close()
			}
		}
		if free {
			return first
		}
	}
	t.Fatal("no ports are free")
	return 0
}

// spawnSaying starts the program and waits for a line with a word.
func spawnSaying(t *testing.T, word string, args ...string) *process {
	t.Helper()
	p, stdout := spawn(t, args...)
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if strings.Contains(lines.Text(), word) {
			go func() {
				for lines.Scan() {
				}
			}()
			return p
		}
	}
	t.Fatalf("the program ended early: %s", p.stderr.String())
	return nil
}

// TestTortureEventsSurviveEverybodysDeath kills gateway, services and Redis, one at a time, under 200 writes a
// second. Afterwards every acknowledged write stands in its service and in the log, once and in order, and the log agrees with the
// services in every entity and version.
func TestTortureEventsSurviveEverybodysDeath(t *testing.T) {
	torture(t)
	const seed = 13
	redis, issuer := redistest.Start(t), startIssuer(t)
	demoDir, dataDir := smallDir(t), t.TempDir()
	gatewayPort := freePorts(t, 5)
	demoPort := gatewayPort + 1
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of thirty-two bytes, so"))
	url := fmt.Sprintf("http://127.0.0.1:%d", gatewayPort)
	var services []string
	for i, name := range []string{"user", "post", "comment", "follower"} {
		services = append(services, "--"+name+"-url", fmt.Sprintf("http://127.0.0.1:%d", demoPort+i))
	}
	startDemos := func() *process {
		return spawnSaying(t, "follower service at", "demo", "--addr", fmt.Sprintf("127.0.0.1:%d", demoPort), "--data-dir", demoDir,
			"--events-url", url+"/events", "--events-secret", secret, "--log-level", "error")
	}
	startGateway := func() *process {
		args := append([]string{"serve", "--addr", fmt.Sprintf("127.0.0.1:%d", gatewayPort), "--data-dir", dataDir, "--redis-url", redis.URL(), "--log-level", "error",
			"--limit-ip-points", "1000000000", "--limit-user-points", "1000000000", "--limit-key-points", "0", "--limit-ip-requests", "0", "--limit-user-requests", "0",
			"--post-breaker-delay", "200ms", "--comment-breaker-delay", "200ms"}, services...)
		for _, name := range []string{"user", "post", "comment", "follower"} {
			args = append(args, "--events-"+name+"-secrets", secret)
		}
		return spawnSaying(t, "serves the graph", append(args, "--jwks-url", issuer.url, "--jwt-issuer", "https://id.example", "--jwt-audience", "graph")...)
	}
	demos, gateway := startDemos(), startGateway()
	var tokens []string
	for i := range 8 {
		tokens = append(tokens, issuer.token(t, map[string]any{"sub": fmt.Sprint("u", i+1)}))
	}
	w := startPaced(t, url, tokens)
	random := rand.New(rand.NewPCG(seed, 0))
	w.alive(t, 200+random.IntN(200))
	for round := range rounds(3, 20) {
		switch round % 3 {
		case 0:
			gateway.kill()
			gateway = startGateway()
		case 1:
			redis.Kill()
			redis.Restart()
		case 2:
			demos.kill()
			demos = startDemos()
		}
		w.alive(t, 100+random.IntN(300))
	}
	acknowledged, edits := w.stop(t)
	noDrift(t, append([]string{"--data-dir", dataDir, "--redis-url", redis.URL()}, services...)...)
	gateway.kill()
	demos.kill()
	posts, comments := openFile(t, demoDir, "post"), openFile(t, demoDir, "comment")
	times := marks(t, posts, "posts")
	for mark, n := range marks(t, comments, "comments") {
		times[mark] += n
	}
	for mark := range acknowledged {
		if times[mark] != 1 {
			t.Errorf("%s stands there %d times", mark, times[mark])
		}
	}
	log := event.NewRedis(redis.Client(), redis.Client())
	logHolds(t, wholeLog(t, log), acknowledged, edits)
	t.Logf("seed %d: %d acknowledged writes and %d edits, %s", seed, len(acknowledged), len(edits), w.rate(t))
}

// Package redistest runs real Redis servers for tests, each on a free port of the loopback with a directory of its own.
package redistest

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tributary/internal/redisclient"
)

// Server is a redis-server process that a test may kill and start again with what it had written. Its methods are for the
// goroutine of the test.
type Server struct {
	t       testing.TB
	address string
	args    []string
	command *exec.Cmd
}

// Start runs a server until the test ends, with appendonly on and fsync after every write unless args say otherwise. Where
// redis-server is not installed the test is skipped, but under CI it fails.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is missing: make deps installs it")
		}
		t.Skip("needs redis-server: make deps installs it")
	}
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	s := &Server{t: t, address: address, args: append([]string{
		"--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--appendonly", "yes", "--appendfsync", "always",
	}, args...)}
	t.Cleanup(s.Kill)
	s.Restart()
	return s
}

// Address is host:port.
func (s *Server) Address() string { return s.address }

// URL is the address as redisclient.Open takes it.
func (s *Server) URL() string { return "redis://" + s.address }

// Client opens a client of the server and closes it with the test.
func (s *Server) Client() redis.UniversalClient {
	s.t.Helper()
	return open(s.t, s.URL())
}

// Kill ends the process at once, as a power cut would. A second call does nothing.
func (s *Server) Kill() {
	if s.command == nil {
		return
	}
	_ = s.command.Process.Kill()
	_ = s.command.Wait() // "signal: killed"
	s.command = nil
}

// Restart starts the process, which must not run, on the same address and directory, and waits until it answers.
func (s *Server) Restart() {
	s.t.Helper()
	var output bytes.Buffer
	s.command = exec.Command("redis-server", s.args...)
	s.command.Stdout, s.command.Stderr = &output, &output
	if err := s.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for !answers(s.address) {
		if time.Now().After(deadline) {
			s.Kill() // so that nobody writes to output
			s.t.Fatalf("redis-server does not answer: %s", output.String())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// answers says whether a server takes commands, be it that it asks for a password first.
func answers(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	reply, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && (strings.HasPrefix(reply, "+PONG") || strings.HasPrefix(reply, "-NOAUTH"))
}

// StartCluster runs a Redis Cluster of three masters until the test ends and returns its URL.
func StartCluster(t testing.TB) string {
	t.Helper()
	const nodes = 3
	create := []string{"--cluster", "create"}
	var servers []*Server
	for range nodes {
		// The port of the cluster's own bus would be the port plus 10,000, which may be beyond the last one.
		_, bus, _ := net.SplitHostPort(freeAddress(t))
		s := Start(t, "--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "2000")
		servers = append(servers, s)
		create = append(create, s.address)
	}
	out, err := exec.Command("redis-cli", append(create, "--cluster-replicas", "0", "--cluster-yes")...).CombinedOutput()
	if err != nil {
		t.Fatalf("redis-cli: %v: %s", err, out)
	}
	deadline := time.Now().Add(20 * time.Second)
	for _, s := range servers {
		client := s.Client()
		for !strings.Contains(client.ClusterInfo(t.Context()).Val(), "cluster_state:ok") {
			if time.Now().After(deadline) {
				t.Fatal("the cluster does not come up")
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return fmt.Sprintf("redis://%s?addr=%s&addr=%s", servers[0].address, servers[1].address, servers[2].address)
}

// Client opens a client of a URL and closes it with the test.
func Client(t testing.TB, url string) redis.UniversalClient {
	t.Helper()
	return open(t, url)
}

func open(t testing.TB, url string) redis.UniversalClient {
	t.Helper()
	client, err := redisclient.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

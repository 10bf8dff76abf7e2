package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// asProgram in the environment makes the test binary the program itself, with the race detector if that is on.
const asProgram = "TRIBUTARY_TEST_AS_PROGRAM"

// programDir is where builtProgram lies, for the end of all tests to remove it; nil while there is none.
var programDir atomic.Pointer[string]

// builtProgram is the program as users have it: what takes a process minutes under the race detector takes it seconds.
var builtProgram = sync.OnceValues(func() (path string, err error) {
	dir, err := os.MkdirTemp("", "tributary-program-")
	if err != nil {
		return "", err
	}
	programDir.Store(&dir)
	path = filepath.Join(dir, "tributary")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})

// process is the program as a process of its own.
type process struct {
	command *exec.Cmd
	url     string
	stderr  lockedBuffer
}

// spawn starts the program as a process; it is killed at the end of the test, if not before.
func spawn(t *testing.T, args ...string) (p *process, stdout io.Reader) {
	t.Helper()
	path, err := builtProgram()
	if err != nil {
		t.Fatal(err)
	}
	return spawnCommand(t, exec.Command(path, args...))
}

func spawnCommand(t *testing.T, command *exec.Cmd) (p *process, stdout io.Reader) {
	t.Helper()
	p = &process{command: command}
	p.command.Stderr = &p.stderr
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p, stdout
}

// kill ends the process as a power cut would, without a word. A second call does nothing.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may have ended
	_ = p.command.Wait()         // "signal: killed"
}

// spawnServer starts the gateway with its demo, and waits until it listens. The buckets hold what a test may need.
func spawnServer(t *testing.T, dir string) *process {
	t.Helper()
	p, stdout := spawn(t, generous(dir)...)
	p.listens(t, stdout)
	return p
}

// spawnRacing is spawnServer with the race detector, if the test has it.
func spawnRacing(t *testing.T, dir string) *process {
	t.Helper()
	command := exec.Command(os.Args[0], generous(dir)...)
	command.Env = append(os.Environ(), asProgram+"=1")
	p, stdout := spawnCommand(t, command)
	p.listens(t, stdout)
	return p
}

func generous(dir string) []string {
	return []string{"serve", "--addr", "127.0.0.1:0", "--data-dir", dir, "--log-level", "warn",
		"--limit-ip-points", "1000000000", "--limit-user-points", "1000000000"}
}

// listens reads where the program says that it listens.
func (p *process) listens(t *testing.T, stdout io.Reader) {
	t.Helper()
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), "http://127.0.0.1:"); ok {
			port, _, _ := strings.Cut(rest, "/")
			p.url = "http://127.0.0.1:" + port
			return
		}
	}
	t.Fatalf("the program ended before it listened: %s", p.stderr.String())
}

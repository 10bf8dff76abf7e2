package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shell is a shell that is given one block of commands after the other.
type shell struct {
	in    io.Writer
	lines *bufio.Scanner
}

func startShell(t *testing.T) *shell {
	t.Helper()
	for _, tool := range []string{"bash", "curl", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing: make deps installs it", tool)
			}
			t.Skipf("needs %s: make deps installs it", tool)
		}
	}
	command := exec.Command("bash", "-u")
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = command.Wait() // with the status of its last command
	})
	return &shell{in, bufio.NewScanner(out)}
}

// run runs a block and returns the lines that it printed.
func (s *shell) run(t *testing.T, commands string) (printed []string) {
	t.Helper()
	const end = "--- that was all"
	if _, err := fmt.Fprintf(s.in, "%s\necho '%s'\n", commands, end); err != nil {
		t.Fatal(err)
	}
	for s.lines.Scan() {
		if s.lines.Text() == end {
			return printed
		}
		if s.lines.Text() != "" {
			printed = append(printed, s.lines.Text())
		}
	}
	t.Fatalf("the shell ended behind %q", printed)
	return nil
}

// startExample runs the example receiver by the command of README, and returns what it prints and how to stop it.
func startExample(t *testing.T, command string) (printed *lockedBuffer, stop func()) {
	t.Helper()
	printed = &lockedBuffer{}
	run := exec.Command("bash", "-c", command)
	run.Stdout, run.Stderr = printed, os.Stderr
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			_ = run.Process.Kill()
			_ = run.Wait()
		}
	}
	t.Cleanup(stop)
	return printed, stop
}

// TestReadmeShowsWebhooks runs the commands of README: a receiver gets an event, is stopped, is tried again, gets what it missed, and has
// everything sent once more.
func TestReadmeShowsWebhooks(t *testing.T) {
	torture(t)
	raw, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	example := filepath.Join(t.TempDir(), "webhook")
	if out, err := exec.Command("go", "build", "-o", example, "./examples/webhook").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	path, err := builtProgram()
	if err != nil {
		t.Fatal(err)
	}
	dir, port := seededDir(t), fmt.Sprint("127.0.0.1:", freePorts(t, 1))
	sh := startShell(t)
	p, stdout := spawn(t, "serve", "--addr", "127.0.0.1:0", "--data-dir", dir, "--log-level", "error", "--work-time-scale", "0.003")
	p.listens(t, stdout)
	fit := strings.NewReplacer("go run . token", path+" token --data-dir "+dir, "go run ./examples/webhook", "exec "+example,
		"http://127.0.0.1:8080", p.url, "127.0.0.1:9000", port)
	of := func(mark string) string {
		text, _, _ := block(t, string(raw), mark, "sh")
		return fit.Replace(text)
	}
	if text, _, _ := block(t, string(raw), "five minutes are about a second", "sh"); text != "go run . --work-time-scale 0.003\n" {
		t.Errorf("the server is started otherwise here: %s", text)
	}
	receiving := of("which prints what it gets")
	printed, stop := startExample(t, receiving)
	sh.run(t, of("in a third shell"))
	eventuallySo(t, "the first event is printed", func() bool { return strings.Contains(printed.String(), "It arrives") })
	stop()
	shown := sh.run(t, of("Stop the receiver"))
	var a answer
	if err := json.Unmarshal([]byte(shown[len(shown)-1]), &a); err != nil {
		t.Fatal(err)
	}
	if at(t, a.Data, "webhook", "state") != "FAILING" || at(t, a.Data, "webhook", "deliveries", "nodes", 0, "problem") != "CONNECTION_FAILED" ||
		at(t, a.Data, "webhook", "deliveries", "nodes", 0, "attempt").(float64) < 2 {
		t.Error(shown)
	}
	printed, _ = startExample(t, receiving)
	eventuallySo(t, "it gets what it missed", func() bool { return strings.Contains(printed.String(), "It waits") })
	if strings.Contains(printed.String(), "It arrives") {
		t.Error("it gets what it had: " + printed.String())
	}
	begun := time.Now()
	if shown := sh.run(t, of("sent once more")); len(shown) != 1 || !strings.Contains(shown[0], `"userErrors":[]`) {
		t.Error(shown)
	}
	eventuallySo(t, "both come again", func() bool {
		return strings.Contains(printed.String(), "It arrives") && strings.Count(printed.String(), "It waits") == 2
	})
	t.Logf("the replay took %v", time.Since(begun))
}

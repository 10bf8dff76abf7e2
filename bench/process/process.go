// Package process starts the servers of a measurement as processes of their own, holds them to certain cores where the system
// allows it, and reads what they cost.
package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stopTimeout is how long a process may take to end when it is asked to, before it is killed.
const stopTimeout = 5 * time.Second

// Command is what to start.
type Command struct {
	Name string // for error messages
	Path string
	Args []string
	Env  []string // the whole environment
	CPUs []int    // cores that it may use; empty: as the parent
}

// Process is a running child. It is not safe for concurrent use.
type Process struct {
	name   string
	cmd    *exec.Cmd
	stderr tail
	done   chan struct{} // closed once the process has ended and err is set
	err    error
}

// Start starts a process that ends with ctx, with the parent (on Linux), or by Stop, which the caller owes in any case.
func Start(ctx context.Context, c Command) (*Process, error) {
	p := &Process{name: c.Name, cmd: exec.CommandContext(ctx, c.Path, c.Args...), done: make(chan struct{})}
	p.cmd.Env = c.Env
	p.cmd.Stderr = &p.stderr
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopTimeout
	if err := start(p.cmd, c.CPUs); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// PID is the process id, also after its end.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended, whatever the reason.
func (p *Process) Done() <-chan struct{} { return p.done }

// Stderr is the end of what the process has written to standard error so far.
func (p *Process) Stderr() string { return p.stderr.String() }

// Failure says how a process came to end that should be running, with the end of what it wrote to standard error.
func (p *Process) Failure() error {
	return fmt.Errorf("%s: %w: %w\n%s", p.name, errEnded, cmp.Or(p.err, errNoFailure), p.stderr.String())
}

var (
	errEnded     = errors.New("the process ended too early")
	errNoFailure = errors.New("exit status 0")
)

// Stop asks the process to end, kills it if it does not, and waits. It may be called again.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it has ended already: nothing to ask
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// Output runs a process to its end and gives what it wrote to standard output. The error holds the end of its standard error.
func Output(ctx context.Context, c Command, stdin io.Reader) ([]byte, error) {
	var stdout strings.Builder
	var stderr tail
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Env, stdin, &stdout, &stderr
	cmd.WaitDelay = stopTimeout
	err := start(cmd, c.CPUs)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", c.Name, errors.Join(ctx.Err(), err), stderr.String())
	}
	return []byte(stdout.String()), nil
}

// tailBytes is how much of a process's standard error is kept.
const tailBytes = 4 << 10

// tail keeps the end of what is written to it. It is safe for concurrent use.
type tail struct {
	mu  sync.Mutex
	end []byte
}

// Write never fails.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, b...)
	if over := len(t.end) - tailBytes; over > 0 {
		t.end = append(t.end[:0], t.end[over:]...)
	}
	return len(b), nil
}

// String is what is kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.end)
}

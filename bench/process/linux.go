//go:build linux

package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// start starts cmd on certain cores: the child inherits them from the thread that forks. It gets a process group of its own, so
// that Ctrl-C reaches the parent alone, who then ends it in order.
func start(cmd *exec.Cmd, cpus []int) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if len(cpus) == 0 {
		return cmd.Start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, during unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("sched_getaffinity: %w", err)
	}
	for _, cpu := range cpus {
		during.Set(cpu)
	}
	if err := unix.SchedSetaffinity(0, &during); err != nil {
		return fmt.Errorf("sched_setaffinity: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return errors.Join(err, unix.SchedSetaffinity(0, &before))
	}
	if err := unix.SchedSetaffinity(0, &before); err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return fmt.Errorf("sched_setaffinity: %w", err)
	}
	return nil
}

// Cores are the cores that this process may use, in ascending order; nil where the system does not tell.
func Cores() []int {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil
	}
	var cpus []int
	for cpu := range 64 * len(set) {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}

// CPUTime is the processor time that a process has used, of all its threads, user and system. The clock id of another process is
// made as in the kernel's include/linux/posix-timers_types.h (CPUCLOCK_SCHED); it counts in nanoseconds, /proc in hundredths.
func CPUTime(pid int) (time.Duration, error) {
	const sched = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|sched), &t); err != nil {
		return 0, fmt.Errorf("cpu time of a process: %w", err)
	}
	return time.Duration(t.Nano()), nil
}

// PeakRSS is the most memory that a process has held resident, in bytes.
func PeakRSS(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("no VmHWM in the status of a process")
}

// Usage is what all processes of the machine have used since it started.
type Usage struct {
	Busy  time.Duration // on all cores together
	Steal time.Duration // what the hypervisor gave to others instead
}

// MachineUsage reads the machine's usage, in steps of 10 ms.
func MachineUsage() (Usage, error) {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return Usage{}, err
	}
	line, _, _ := bytes.Cut(raw, []byte("\n"))
	fields := strings.Fields(string(line)) // cpu user nice system idle iowait irq softirq steal …
	if len(fields) < 9 {
		return Usage{}, errors.New("/proc/stat: want at least eight numbers")
	}
	var ticks [9]int64
	for i := 1; i < len(ticks); i++ {
		if ticks[i], err = strconv.ParseInt(fields[i], 10, 64); err != nil {
			return Usage{}, fmt.Errorf("/proc/stat: %w", err)
		}
	}
	const tick = time.Second / 100 // USER_HZ
	return Usage{
		Busy:  time.Duration(ticks[1]+ticks[2]+ticks[3]+ticks[6]+ticks[7]) * tick,
		Steal: time.Duration(ticks[8]) * tick,
	}, nil
}

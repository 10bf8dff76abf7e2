//go:build !linux

package process

import (
	"errors"
	"os/exec"
	"time"
)

// errUnsupported is what readings return that this system does not offer; the table then leaves them out.
var errUnsupported = errors.ErrUnsupported

func start(cmd *exec.Cmd, _ []int) error { return cmd.Start() }

// Cores are the cores that this process may use; nil where the system does not tell.
func Cores() []int { return nil }

// CPUTime is not known here.
func CPUTime(int) (time.Duration, error) { return 0, errUnsupported }

// PeakRSS is not known here.
func PeakRSS(int) (int64, error) { return 0, errUnsupported }

// Usage is what all processes of the machine have used since it started.
type Usage struct {
	Busy  time.Duration // on all cores together
	Steal time.Duration // what the hypervisor gave to others instead
}

// MachineUsage is not known here.
func MachineUsage() (Usage, error) { return Usage{}, errUnsupported }

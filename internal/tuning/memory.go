package tuning

import "github.com/KimMachineGun/automemlimit/memlimit"

// Memory is how much there is for this process, and who says so: its cgroup ("container") or else the machine ("machine"). It is 0
// and "unknown" where neither tells.
func Memory() (bytes uint64, from string) { return memoryOf(memlimit.FromCgroup, memlimit.FromSystem) }

// memoryOf asks the container, and the machine where the container sets no limit, or one beyond what the machine has.
func memoryOf(container, machine memlimit.Provider) (bytes uint64, from string) {
	bound, err := container()
	bounded := err == nil && bound > 0
	total, err := machine()
	switch {
	case bounded && (err != nil || bound <= total):
		return bound, "container"
	case err == nil:
		return total, "machine"
	}
	return 0, "unknown"
}

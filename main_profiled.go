//go:build profiled

// Built with the tag profiled this is the program for `make pgo`: each gateway leaves a profile of its processor time as a file in
// the directory $CPU_PROFILE_DIR. What is shipped has no way to ask for profiles.
package main

import (
	"fmt"
	"os"
	"runtime/pprof"
	"slices"

	"tributary/internal/config"
)

func main() {
	stop, err := profile(os.Getenv("CPU_PROFILE_DIR"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "tributary:", err)
		os.Exit(1)
	}
	status := runProcess()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, "tributary:", err)
		status = 1
	}
	os.Exit(status)
}

// profile writes the profile of a gateway from now on until stop. Of other commands it writes none: the services below a gateway are
// not what is to become faster.
func profile(dir string) (stop func() error, err error) {
	if !slices.Contains(os.Args, string(config.CommandServe)) {
		return func() error { return nil }, nil
	}
	file, err := os.CreateTemp(dir, "cpu-*.pprof")
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}

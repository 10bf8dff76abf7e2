//go:build !profiled

// Command tributary serves one GraphQL graph over many services. See README.md.
package main

import "os"

func main() { os.Exit(runProcess()) }

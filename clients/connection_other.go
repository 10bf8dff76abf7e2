//go:build !unix

package clients

// nothingToRead takes every socket for quiet, since only Unix can look. Reads are then sent again on a new connection.
func nothingToRead(uintptr, []byte) bool { return true }

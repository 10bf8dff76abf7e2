//go:build unix

package clients

import "syscall"

// nothingToRead tells whether a socket that does not block is open and has nothing to read. Something read is lost.
func nothingToRead(fd uintptr, into []byte) bool {
	_, err := syscall.Read(int(fd), into)
	return err == syscall.EAGAIN
}

package clients

import "runtime"

// GrowStack gives a fresh goroutine the stack that a call to a service needs, about 12 KB with its policies and the decoding,
// in one step. Grown on the way it is copied two or three times, each time with more frames to be adjusted, which was a tenth
// of the processor time of a request. It is a matter of speed alone.
//
//go:noinline
func GrowStack() {
	var room [10 << 10]byte
	runtime.KeepAlive(&room)
}

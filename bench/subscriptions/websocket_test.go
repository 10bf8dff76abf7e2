package main

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
)

// TestFrameOf reads what send writes; the gateway refuses a length that is not in its shortest form.
func TestFrameOf(t *testing.T) {
	for _, tt := range []struct{ length, head int }{{0, 2}, {25, 2}, {125, 2}, {126, 4}, {5000, 4}} {
		text := strings.Repeat("x", tt.length)
		frame := frameOf(text, [4]byte{}) // a mask of zeros leaves the text as it is
		if len(frame) != tt.head+4+tt.length {
			t.Errorf("%d bytes of text make a frame of %d, not %d", tt.length, len(frame), tt.head+4+tt.length)
		}
		unmasked := append(bytes.Clone(frame[:tt.head]), frame[tt.head+4:]...)
		unmasked[1] &= 0x7f
		got, err := receive(bufio.NewReader(bytes.NewReader(unmasked)), nil)
		if err != nil || string(got) != text {
			t.Errorf("%d bytes of text are read as %d, %v", tt.length, len(got), err)
		}
	}
}

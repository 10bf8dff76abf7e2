package demo

import (
	"crypto/rand"
	"strings"
)

// maxIDBytes is the longest id the contract knows.
const maxIDBytes = 64

// validID says whether s is an id: 1 to 64 bytes out of A-Z a-z 0-9 - . _ ~.
func validID(s string) bool {
	if len(s) == 0 || len(s) > maxIDBytes {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && c != '-' && c != '.' && c != '_' && c != '~' {
			return false
		}
	}
	return true
}

// newID returns an id that was never used: 128 random bits in lower-case letters and digits.
func newID() string { return strings.ToLower(rand.Text()) }

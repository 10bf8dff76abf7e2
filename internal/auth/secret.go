package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"math/big"
	"strings"
)

// An API key is secretPrefix, 32 random bytes and their CRC-32, both in base62 of fixed width: nothing in it ends a word, the
// prefix lets scanners find one that leaked, and the checksum tells one that was mistyped without looking it up.
const (
	secretPrefix   = "trb_"
	secretBytes    = 32
	secretDigits   = 43 // 62^43 > 2^256
	checksumDigits = 6  // 62^6 > 2^32
	secretLength   = len(secretPrefix) + secretDigits + checksumDigits
	shownLength    = 12 // of the secret, which leaves 209 bits to guess
)

// newSecret makes an API key that nobody can guess.
func newSecret() string {
	var random [secretBytes]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	body := secretPrefix + base62(new(big.Int).SetBytes(random[:]), secretDigits)
	return body + checksum(body)
}

// checkSecret finds out what is wrong with the form of a secret; one of another length than secretLength has something wrong.
func checkSecret(s string) error {
	if !strings.HasPrefix(s, secretPrefix) {
		return fmt.Errorf("%w: one begins with %s", ErrInvalidKey, secretPrefix)
	}
	if len(s) != secretLength || checksum(s[:secretLength-checksumDigits]) != s[secretLength-checksumDigits:] {
		return fmt.Errorf("%w: mistyped or cut off", ErrInvalidKey)
	}
	return nil
}

// hashSecret gives what is stored of a secret. One round of SHA-256 is enough: slow hashes make up for passwords that can be
// guessed, and 256 random bits cannot.
func hashSecret(s string) [sha256.Size]byte { return sha256.Sum256([]byte(s)) }

func checksum(body string) string {
	return base62(big.NewInt(int64(crc32.ChecksumIEEE([]byte(body)))), checksumDigits)
}

func base62(n *big.Int, digits int) string {
	text := n.Text(62)
	return strings.Repeat("0", digits-len(text)) + text
}

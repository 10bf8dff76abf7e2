package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"time"

	"tributary/internal/event"
)

// secret signs deliveries: whsec_ and bytes in base64. It is kept in clear, as signing needs it; logs and formatted text do not get it.
type secret string

const secretBytes = 32

// newSecret makes a secret that nobody can guess.
func newSecret() secret {
	var random [secretBytes]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	return secret("whsec_" + base64.StdEncoding.EncodeToString(random[:]))
}

// chooseSecret takes the secret that a caller gave, or makes one when it gave none.
func chooseSecret(given string) (secret, *Error) {
	if given == "" {
		return newSecret(), nil
	}
	if _, err := event.ParseSecret(given); err != nil {
		return "", refuse("secret", CodeInvalid, "A secret is whsec_ followed by 24 to 64 bytes in base64.")
	}
	return secret(given), nil
}

// String hides it.
func (secret) String() string { return "REDACTED" }

// GoString hides it.
func (secret) GoString() string { return "REDACTED" }

// LogValue hides it.
func (secret) LogValue() slog.Value { return slog.StringValue("REDACTED") }

// signatures are what the fields webhook-signature and X-Webhook-Signature say of a body: the first by every secret that is in force,
// the second by the present one.
func (k config) signatures(id string, at time.Time, body []byte) (standard, simple string, err error) {
	key, err := event.ParseSecret(string(k.Secret))
	if err != nil {
		return "", "", err
	}
	standard = event.Sign(key, id, at, body)
	if at.Before(k.PreviousUntil) {
		previous, err := event.ParseSecret(string(k.Previous))
		if err != nil {
			return "", "", err
		}
		standard += " " + event.Sign(previous, id, at, body)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(body) // a hash never fails
	return standard, hex.EncodeToString(mac.Sum(nil)), nil
}

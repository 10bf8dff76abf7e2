package event

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

// The header fields of a signed delivery: the first three are those of Standard Webhooks
// (https://github.com/standard-webhooks/standard-webhooks), the last names the service whose secret signed.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
	HeaderSource    = "Tributary-Source"
)

const (
	secretPrefix    = "whsec_"
	minSecretBytes  = 24
	maxSecretBytes  = 64
	signatureScheme = "v1,"
	maxSignatures   = 16 // of one delivery that are looked at
)

// ParseSecret reads a secret as Standard Webhooks writes it: whsec_ and then 24 to 64 bytes in base64. The error does not quote it.
func ParseSecret(text string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(text, secretPrefix)
	secret, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(secret) < minSecretBytes || len(secret) > maxSecretBytes {
		return nil, errors.New("a signing secret is whsec_ followed by 24 to 64 bytes in base64")
	}
	return secret, nil
}

// Sign returns one signature for the field webhook-signature: of the id, the time in whole seconds and the body as it is sent.
func Sign(secret []byte, id string, at time.Time, body []byte) string {
	return signatureScheme + base64.StdEncoding.EncodeToString(digest(secret, id, strconv.FormatInt(at.Unix(), 10), body))
}

// digest is the HMAC-SHA256 of id.timestamp.body.
func digest(secret []byte, id, timestamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + timestamp + ".")) // a hash never fails
	mac.Write(body)
	return mac.Sum(nil)
}

// signed says whether one of the signatures in a field was made with one of the secrets. How long it takes depends on their
// numbers alone.
func signed(secrets [][]byte, field, id, timestamp string, body []byte) bool {
	var given [][]byte
	for text := range strings.FieldsSeq(field) {
		encoded, ok := strings.CutPrefix(text, signatureScheme)
		signature, err := base64.StdEncoding.DecodeString(encoded)
		if ok && err == nil && len(given) < maxSignatures {
			given = append(given, signature)
		}
	}
	good := false
	for _, secret := range secrets {
		want := digest(secret, id, timestamp, body)
		for _, signature := range given {
			good = hmac.Equal(signature, want) || good
		}
	}
	return good
}

package demo

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// sign is the value of the header webhook-signature for a body, as Standard Webhooks has it
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, symmetric signatures):
// HMAC-SHA256 over the id, the time in Unix seconds and the bytes of the body, joined by dots.
func sign(secret []byte, id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%d.", id, at.Unix()) // a hash takes everything
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// messageID names a body: the same for every attempt to deliver it.
func messageID(body []byte) string {
	sum := sha256.Sum256(body)
	return "msg_" + strings.TrimRight(base64.URLEncoding.EncodeToString(sum[:]), "=")
}

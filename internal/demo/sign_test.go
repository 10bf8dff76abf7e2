package demo

import (
	"net/http"
	"testing"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// TestSign holds signatures against those of the standard's own library.
func TestSign(t *testing.T) {
	secret := []byte("0123456789abcdef0123456789abcdef")
	hook, err := webhooks.NewWebhookRaw(secret)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_772_352_000, 999_999_999)
	for _, body := range []string{"[]", `[{"a":"é"}]`, ""} {
		id := messageID([]byte(body))
		want, err := hook.Sign(id, at, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "signature", sign(secret, id, at, []byte(body)), want)
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {"1772352000"}, "Webhook-Signature": {want}}
		if err := hook.VerifyIgnoringTimestamp([]byte(body), h); err != nil {
			t.Error(err)
		}
	}
	if messageID([]byte("a")) == messageID([]byte("b")) {
		t.Error("two bodies have one id")
	}
}

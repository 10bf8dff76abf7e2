package event

import (
	"strings"
	"testing"
	"time"
)

// The example of the Standard Webhooks specification's libraries.
const (
	exampleSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	exampleSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func TestSignIsStandardWebhooks(t *testing.T) {
	secret, err := ParseSecret(exampleSecret)
	if err != nil {
		t.Fatal(err)
	}
	id, at, body := "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)
	if got := Sign(secret, id, at, body); got != exampleSignature {
		t.Fatal(got)
	}
	other := []byte(strings.Repeat("k", 32))
	for name, c := range map[string]struct {
		secrets [][]byte
		field   string
		want    bool
	}{
		"one":                  {[][]byte{secret}, exampleSignature, true},
		"second secret":        {[][]byte{other, secret}, exampleSignature, true},
		"second signature":     {[][]byte{secret}, "v1,AAAA " + exampleSignature, true},
		"other scheme":         {[][]byte{secret}, "v1a" + exampleSignature[2:], false},
		"other secret":         {[][]byte{other}, exampleSignature, false},
		"no secret":            {nil, exampleSignature, false},
		"no signature":         {[][]byte{secret}, "", false},
		"cut":                  {[][]byte{secret}, exampleSignature[:20], false},
		"empty":                {[][]byte{secret}, "v1,", false},
		"behind too many":      {[][]byte{secret}, strings.Repeat("v1,AAAA ", maxSignatures) + exampleSignature, false},
		"of somebody else too": {[][]byte{secret}, Sign(other, id, at, body) + " " + exampleSignature, true},
	} {
		if got := signed(c.secrets, c.field, id, "1614265330", body); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	for _, changed := range [][3]string{{id + "x", "1614265330", string(body)}, {id, "1614265331", string(body)}, {id, "1614265330", string(body) + " "}} {
		if signed([][]byte{secret}, exampleSignature, changed[0], changed[1], []byte(changed[2])) {
			t.Errorf("%q was not signed", changed)
		}
	}
}

func TestParseSecretRefuses(t *testing.T) {
	for _, text := range []string{"", "whsec_", exampleSecret[6:], "whsec_c2hvcnQ=", "whsec_" + strings.Repeat("QUFB", 22), exampleSecret + "!"} {
		_, err := ParseSecret(text)
		if err == nil || (len(text) > 6 && strings.Contains(err.Error(), text[6:])) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

package rest

import (
	"encoding/json"
	"testing"
)

// FuzzReadObject holds the reader to take no more than what encoding/json takes, with no other members.
func FuzzReadObject(f *testing.F) {
	for _, seed := range []string{`{"url":"u","events":["*"]}`, `{}`, `[]`, `{"url":"x"}x`, `{"url":null,"events":null}`, `{"secret":"s","secret":"s"}`, `{"url":{"url":1}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var url, secret string
		var events []string
		if readObject([]byte(body), map[string]any{"url": &url, "events": &events, "secret": &secret}) != nil {
			return
		}
		var plain map[string]any
		if err := json.Unmarshal([]byte(body), &plain); err != nil {
			t.Fatalf("took %q: %v", body, err)
		}
		for name := range plain {
			if name != "url" && name != "events" && name != "secret" {
				t.Fatalf("took %q", body)
			}
		}
	})
}

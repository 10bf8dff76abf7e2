package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The key of links is made once, for its owner alone. One that could be guessed is refused: with it anybody could sign links.
func TestLinkKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), linkKeyFile)
	key, err := linkKey(path)
	again, errAgain := linkKey(path)
	if err != nil || errAgain != nil || len(key) != secretLength || !bytes.Equal(key, again) {
		t.Fatalf("%d bytes, %v; %d bytes, %v", len(key), err, len(again), errAgain)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	for _, weak := range []string{"", "short"} {
		if err := os.WriteFile(path, []byte(weak), 0o600); err != nil {
			t.Fatal(err)
		}
		if key, err := linkKey(path); err == nil {
			t.Errorf("%q is taken", key)
		}
	}
}

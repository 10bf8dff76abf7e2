package event_test

import (
	"path/filepath"
	"testing"
	"time"
)

// TestSQLiteForgetsWhatItCompacted looks for what was compacted and then redacted in every byte of the files.
func TestSQLiteForgetsWhatItCompacted(t *testing.T) {
	dir := t.TempDir()
	log := openSQLite(t, filepath.Join(dir, "events.db"))
	defer log.Close()
	rememberSecret(t, log)
	if err := log.Trim(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n, err := log.Compact(t.Context(), "user/secret", time.Now().Add(time.Hour)); n != 3 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if !foundInFiles(t, dir, secret) {
		t.Fatal("the files do not have the secret: the test looks in the wrong place")
	}
	if err := log.Redact(t.Context(), "user/secret"); err != nil {
		t.Fatal(err)
	}
	if foundInFiles(t, dir, secret) {
		t.Error("the files still have the secret")
	}
}

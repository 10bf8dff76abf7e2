package auth_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tributary/internal/auth"
)

func TestTheKeyIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data") // need not be there
	const openers = 32
	tokens := make([]string, openers)
	keys := make([]*auth.DevelopmentKey, openers)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range openers {
		wg.Go(func() {
			<-start
			key, err := auth.OpenDevelopmentKey(dir, time.Now)
			if err != nil {
				t.Error(err)
				return
			}
			keys[i] = key
			if tokens[i], err = key.Issue("42", "", time.Hour); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	wg.Wait()
	if t.Failed() {
		return
	}
	for _, key := range keys {
		for i, token := range tokens {
			if _, err := key.Verify(t.Context(), token); err != nil {
				t.Fatalf("opener %d has another key: %v", i, err)
			}
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "development.key" {
		t.Errorf("the data dir holds %v, %v", entries, err)
	}
}

func TestTheKeyIsItsOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	openKey(t, dir)
	path := filepath.Join(dir, "development.key")
	for name, want := range map[string]fs.FileMode{path: 0o600, dir: 0o700 | fs.ModeDir} {
		if info, err := os.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, want %v (%v)", name, info.Mode(), want, err)
		}
	}
	first, err := os.ReadFile(path)
	if err != nil || len(first) != 32 || bytes.Equal(first, make([]byte, 32)) {
		t.Fatalf("the key is %x, %v", first, err)
	}
	openKey(t, dir)
	if again, _ := os.ReadFile(path); !bytes.Equal(first, again) {
		t.Error("opening again changed the key")
	}
	other := filepath.Join(t.TempDir(), "other")
	openKey(t, other)
	if second, _ := os.ReadFile(filepath.Join(other, "development.key")); bytes.Equal(first, second) {
		t.Error("two data dirs have the same key")
	}
}

func TestABrokenKeyIsNotUsed(t *testing.T) {
	for name, content := range map[string]string{"empty": "", "short": "secret", "long": strings.Repeat("secret", 6)} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "development.key")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			key, err := auth.OpenDevelopmentKey(dir, time.Now)
			if key != nil || err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v, %v: want an error that names the file and not its content", key, err)
			}
			if left, _ := os.ReadFile(path); string(left) != content {
				t.Error("the file was overwritten")
			}
		})
	}
}

func TestADataDirThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if key, err := auth.OpenDevelopmentKey(filepath.Join(file, "data"), time.Now); key != nil || err == nil || !strings.HasPrefix(err.Error(), "development key: ") {
		t.Errorf("got %v, %v", key, err)
	}
}

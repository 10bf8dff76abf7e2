package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tributary/internal/work/job"
)

const linkKeyFile = "links.key"

// openExports opens the directory of exports, if there is one that all replicas share, and the links into it.
func (d *durable) openExports(publicURL string) (err error) {
	dir := d.cfg.Serve.Work.ExportDir
	if dir == "" {
		if d.redis != nil {
			return nil
		}
		dir = filepath.Join(d.cfg.DataDir, "exports")
	}
	if d.exports, err = job.OpenExports(dir); err != nil {
		return fmt.Errorf("--export-dir: %w", err)
	}
	key, err := linkKey(filepath.Join(dir, linkKeyFile))
	if err != nil {
		return fmt.Errorf("--export-dir: %w", err)
	}
	keep := d.cfg.Serve.Work.ExportKeep
	d.links = &job.Links{Exports: d.exports, Key: key, BaseURL: publicURL, Keep: keep}
	d.tidy = &job.Tidy{Exports: d.exports, Keep: keep, Logger: d.log}
	return nil
}

// linkKey reads the key that signs links, or makes one. It stands beside what it opens, so that replicas that share the directory
// share the key; of those that start at once one makes it.
func linkKey(path string) ([]byte, error) {
	key, err := readLinkKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), linkKeyFile+".*") // for its owner alone
	if err != nil {
		return nil, err
	}
	defer os.Remove(temporary.Name())
	fresh := make([]byte, secretLength)
	_, _ = rand.Read(fresh) // never fails
	_, err = temporary.Write(fresh)
	if err = errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(temporary.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return readLinkKey(path)
}

// readLinkKey refuses a key that somebody could guess, such as that of an empty file.
func readLinkKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if err == nil && len(key) < secretLength {
		err = fmt.Errorf("%s holds less than %d bytes: remove it, and another one is made", linkKeyFile, secretLength)
	}
	return key, err
}

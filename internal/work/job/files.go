package job

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"tributary/internal/work"
)

// Exports is the directory of exports, which replicas share. The owner of a file can be told from its name by whoever knows the
// owner. Its methods are safe for concurrent use, by several processes too.
type Exports struct{ dir string }

// OpenExports makes the directory if it is missing, for its owner alone.
func OpenExports(dir string) (*Exports, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("directory of exports: %w", err)
	}
	return &Exports{dir}, nil
}

// part is the directory in which an export is gathered.
func (e *Exports) part(r work.Record) string { return e.name(r) + ".part" }

// archive is the finished export.
func (e *Exports) archive(r work.Record) string { return e.name(r) + ".zip" }

func (e *Exports) name(r work.Record) string {
	return filepath.Join(e.dir, r.ID+"."+ownerMark(r.OwnerID))
}

// ownerMark stands for an owner in the names of files, whatever characters the id has.
func ownerMark(ownerID string) string {
	sum := sha256.Sum256([]byte(ownerID))
	return hex.EncodeToString(sum[:12])
}

// find is the archive of an export by its id, which has letters and digits alone; os.ErrNotExist if there is none.
func (e *Exports) find(id string) (string, error) {
	found, err := filepath.Glob(filepath.Join(e.escaped(), id+".*.zip"))
	if err == nil && len(found) == 0 {
		err = os.ErrNotExist
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// escaped is the directory as a pattern that matches nothing else.
func (e *Exports) escaped() string {
	var pattern []byte
	for _, c := range []byte(e.dir) {
		if c == '*' || c == '?' || c == '[' || c == '\\' {
			pattern = append(pattern, '\\')
		}
		pattern = append(pattern, c)
	}
	return string(pattern)
}

// RemoveOf removes all exports of an owner, finished or not. There need not be any.
func (e *Exports) RemoveOf(ownerID string) error {
	found, err := filepath.Glob(filepath.Join(e.escaped(), "*."+ownerMark(ownerID)+".*"))
	if err != nil {
		return fmt.Errorf("remove exports: %w", err)
	}
	for _, path := range found {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove exports: %w", err)
		}
	}
	return nil
}

// removeOthers removes the owner's archives but for that of one export: however often somebody asks, one of theirs takes room.
func (e *Exports) removeOthers(r work.Record) error {
	found, err := filepath.Glob(filepath.Join(e.escaped(), "*."+ownerMark(r.OwnerID)+".zip"))
	if err != nil {
		return fmt.Errorf("remove exports: %w", err)
	}
	for _, path := range found {
		if filepath.Base(path) == filepath.Base(e.archive(r)) {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove exports: %w", err)
		}
	}
	return nil
}

// pack makes the archive of what was gathered, which takes the place of the owner's former ones, and returns its size in bytes. It is
// there as a whole or not at all.
func (e *Exports) pack(ctx context.Context, r work.Record) (size int64, err error) {
	part, target := e.part(r), e.archive(r)
	entries, err := os.ReadDir(part)
	if err != nil {
		return 0, err
	}
	temporary := filepath.Join(part, "archive.tmp")
	out, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	z := zip.NewWriter(out)
	for _, entry := range entries {
		if entry.Name() == checkpointName || filepath.Ext(entry.Name()) == ".tmp" {
			continue
		}
		if err := add(ctx, z, part, entry.Name()); err != nil {
			return 0, err
		}
	}
	if err := errors.Join(z.Close(), out.Sync()); err != nil {
		return 0, err
	}
	info, err := out.Stat()
	if err != nil {
		return 0, err
	}
	if err := replace(temporary, target); err != nil {
		return 0, err
	}
	return info.Size(), e.removeOthers(r)
}

// add streams a file into an archive.
func add(ctx context.Context, z *zip.Writer, dir, name string) (err error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	entry, err := z.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(entry, whileWanted{ctx, f})
	return err
}

// whileWanted reads until a context ends.
type whileWanted struct {
	ctx context.Context
	r   io.Reader
}

func (w whileWanted) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.r.Read(p)
}

// writeJSON writes a file as a whole or not at all.
func writeJSON(dir, name string, v any) (err error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	temporary := filepath.Join(dir, name+".tmp")
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(raw, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return replace(temporary, filepath.Join(dir, name))
}

// replace moves a file to its place, for good.
func replace(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

package mail

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Files writes mail into a directory instead of sending it, as RFC 5322 files that mail programs open. Its methods are safe for
// concurrent use.
type Files struct {
	dir  string
	from *mail.Address
	now  func() time.Time
}

// NewFiles makes the directory if it is missing, for its owner alone. from is an address such as Name <name@host>.
func NewFiles(dir, from string, now func() time.Time) (*Files, error) {
	sender, err := mail.ParseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("sender of mail: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("directory of mail: %w", err)
	}
	return &Files{dir, sender, now}, nil
}

// Send writes a message into a file of its own, as a whole or not at all. A repetition takes the place of the first. The error wraps
// ErrMessage if it cannot be sent to anybody.
func (f *Files) Send(_ context.Context, m Message) (err error) {
	to, err := m.address()
	if err != nil {
		return err
	}
	out, err := os.CreateTemp(f.dir, m.file()+".*") // of mode 0600
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	_, err = out.Write(m.encode(f.from, to, f.now()))
	if err = errors.Join(err, out.Sync(), out.Close()); err == nil {
		err = os.Rename(out.Name(), filepath.Join(f.dir, m.file()))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("mail: %w", err), os.Remove(out.Name()))
	}
	return nil
}

// Erase removes all mail to a person, also what a crash has left half written. It may be repeated.
func (f *Files) Erase(person string) error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return fmt.Errorf("erase mail: %w", err)
	}
	var errs []error
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), filesOf(person)) {
			continue
		}
		if err := os.Remove(filepath.Join(f.dir, entry.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, fmt.Errorf("erase mail: %w", err))
		}
	}
	return errors.Join(errs...)
}

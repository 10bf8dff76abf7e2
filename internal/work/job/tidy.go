package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// tidyEvery is the time between two looks at the directory.
const tidyEvery = time.Hour

// Tidy removes exports that are kept no longer, and what is left of those that were never finished.
type Tidy struct {
	Exports *Exports
	Keep    time.Duration    // after the last change of a file
	Now     func() time.Time // nil: time.Now
	Logger  *slog.Logger
}

// Run looks at once and then each hour, until ctx ends; then it returns nil. What fails is logged and tried again.
func (t *Tidy) Run(ctx context.Context) error {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		if err := t.Once(); err != nil {
			t.Logger.Warn("exports cannot be removed, to be tried again", "error", err.Error())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// Once looks once.
func (t *Tidy) Once() error {
	now := time.Now()
	if t.Now != nil {
		now = t.Now()
	}
	entries, err := os.ReadDir(t.Exports.dir)
	if err != nil {
		return fmt.Errorf("exports: %w", err)
	}
	var errs []error
	for _, entry := range entries {
		extension := filepath.Ext(entry.Name())
		info, err := entry.Info()
		if err != nil || extension != ".zip" && extension != ".part" || now.Sub(info.ModTime()) < t.Keep {
			continue // gone meanwhile, not ours, or still kept
		}
		errs = append(errs, os.RemoveAll(filepath.Join(t.Exports.dir, entry.Name())))
	}
	return errors.Join(errs...)
}

package doctor

import (
	"context"
	"net/http"
	"strings"
)

const fenceHeader = "Idempotency-Fence"

// undoable is a write and the one that undoes it, on something of its own each time.
type undoable struct {
	setup func(ctx context.Context) (do, undo request, err error)
	idle  int // status of an undo that finds nothing to undo
}

// fencing runs the checks of Idempotency-Fence.
func (s *inspection) fencing(ctx context.Context, u undoable) {
	s.writing(ctx, "fence.done", func(ctx context.Context) error {
		do, undo, err := s.fences(ctx, u)
		if err != nil {
			return err
		}
		if _, err := s.apply(ctx, do, http.StatusOK); err != nil {
			return err
		}
		if _, err := s.apply(ctx, undo, http.StatusOK); err != nil {
			return err
		}
		return s.fencedOff(ctx, do)
	})
	s.writing(ctx, "fence.late", func(ctx context.Context) error {
		do, undo, err := s.fences(ctx, u)
		if err != nil {
			return err
		}
		if _, err := s.apply(ctx, undo, u.idle); err != nil {
			return err
		}
		return s.fencedOff(ctx, do)
	})
	s.writing(ctx, "fence.malformed", func(ctx context.Context) error {
		_, undo, err := u.setup(ctx)
		if err != nil {
			return err
		}
		undo.header[fenceHeader] = strings.Repeat("k", 256)
		_, err = s.apply(ctx, undo, http.StatusBadRequest)
		return err
	})
}

// fences makes a write with a key, and its undo with another one that fences the first.
func (s *inspection) fences(ctx context.Context, u undoable) (do, undo request, err error) {
	if do, undo, err = u.setup(ctx); err != nil {
		return do, undo, err
	}
	do.header[keyHeader] = s.key()
	undo.header[keyHeader], undo.header[fenceHeader] = s.key(), do.header[keyHeader]
	return do, undo, nil
}

// fencedOff holds a write whose key is fenced to 409.
func (s *inspection) fencedOff(ctx context.Context, do request) error {
	ans, err := s.apply(ctx, do, http.StatusConflict)
	if err != nil {
		return err
	}
	if code := textOf(ans.tree["code"]); code != "CONFLICT" {
		return sawInstead("", "code CONFLICT for a key that is fenced", "%s", quote(code))
	}
	return nil
}

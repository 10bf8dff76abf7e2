package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

const (
	// recordTime is how long writing an outcome may take, also when the process is about to end.
	recordTime = 5 * time.Second
	// unregisteredRest is how often work is looked at that no definition is there for, in production.
	unregisteredRest = time.Minute
)

var (
	errOvertaken = errors.New("work: the record was changed meanwhile")
	errLost      = errors.New("work: another attempt has begun meanwhile")
	errStopping  = errors.New("work: the engine ends")
	// errAgain is all that the library hears of an error: it keeps texts in histories, where addresses do not belong.
	errAgain = errors.New("it is tried again")
)

// run is an engine while it runs.
type run struct {
	*Engine
	ctx context.Context // ends with Run; attempts are given contexts that do not
}

// attempt brings a record one step further: it makes one attempt of one step, or says for how long to rest. It is what the library
// calls, again if its process died, and starts from the record alone.
func (e *run) attempt(ctx context.Context, id string) (next, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(e.ctx, func() { cancel(errStopping) })()
	for {
		told, err := e.advance(ctx, id)
		switch {
		case err == nil:
			return told, nil
		case errors.Is(err, errOvertaken) && ctx.Err() == nil: // by Cancel or Redact: look again
		default:
			if ctx.Err() == nil {
				e.logger.LogAttrs(ctx, slog.LevelWarn, "work could not be brought further", slog.String("work", id), slog.Any("error", err))
			}
			return next{}, errAgain
		}
	}
}

func (e *run) advance(ctx context.Context, id string) (next, error) {
	r, err := e.store.Get(ctx, id)
	if errors.Is(err, ErrUnknown) {
		return next{End: true}, nil
	}
	if err != nil {
		return next{}, err
	}
	if r, err = e.announced(ctx, r); err != nil {
		return next{}, err
	}
	d, known := e.definitions[r.Name]
	if !r.State.Ended() && (!known || !matches(r, d)) {
		return e.unregistered(ctx, r)
	}
	now := e.now()
	switch a := plan(r, d, now); a.kind {
	case actEnd:
		return next{End: true}, nil
	case actWait:
		return e.waits(ctx, r, a, now)
	case actFinish:
		return e.keep(ctx, r, func(r *Record) { finish(r, a.state, now) })
	case actGiveUp:
		return e.keep(ctx, r, func(r *Record) { e.failed(r, d, a, failureOf(errInterrupted, now), true, now) })
	default:
		return e.step(ctx, r, d, a)
	}
}

// keep changes a record, unless somebody else has changed it since, and announces it.
func (e *run) keep(ctx context.Context, from Record, change func(*Record)) (next, error) {
	r, err := e.change(ctx, from, change)
	if err == nil {
		r, err = e.announced(ctx, r)
	}
	return next{End: r.State.Ended()}, err
}

func (e *run) change(ctx context.Context, from Record, change func(*Record)) (Record, error) {
	return e.store.Update(ctx, from.ID, func(r *Record) error {
		if r.Revision != from.Revision {
			return errOvertaken
		}
		change(r)
		return nil
	})
}

func (e *run) waits(ctx context.Context, r Record, a action, now time.Time) (next, error) {
	if r.State != a.state || !r.RunAt.Equal(a.until) {
		_, err := e.keep(ctx, r, func(r *Record) { r.State, r.RunAt, r.UpdatedAt = a.state, a.until, now })
		if err != nil {
			return next{}, err
		}
	}
	r.State = a.state
	return next{Rest: max(a.until.Sub(now), time.Millisecond), Waiting: revocable(r)}, nil
}

// unregistered shows that nobody here knows how to go on. Another replica, or the next version, may.
func (e *run) unregistered(ctx context.Context, r Record) (next, error) {
	if r.State != Stuck {
		now := e.now()
		_, err := e.keep(ctx, r, func(r *Record) { r.State, r.Failure, r.UpdatedAt = Stuck, failureOf(errUnregistered, now), now })
		if err != nil {
			return next{}, err
		}
	}
	return next{Rest: e.scaled(unregisteredRest)}, nil
}

// step makes one attempt.
func (e *run) step(ctx context.Context, r Record, d Definition, a action) (next, error) {
	now, undo := e.now(), a.kind == actUndo
	r, err := e.change(ctx, r, func(r *Record) {
		if undo {
			beginUndo(r, a.step, now)
		} else {
			beginDo(r, d, a.step, now)
		}
	})
	if err != nil {
		return next{}, err
	}
	call := &Call{Record: r, Key: r.ID + "/" + r.Steps[a.step].Name, run: e, action: a}
	do := d.Steps[a.step].Do
	if undo {
		call.Fence, call.Key, do = call.Key, call.Key+"/undo", d.Steps[a.step].Undo
	}
	if call.Record, err = e.announced(ctx, r); err != nil { // it is told before anything else happens with this work
		e.logger.LogAttrs(ctx, slog.LevelWarn, "that a step begins is told late", slog.String("work", r.ID), slog.Any("error", err))
		call.Record = r
	}
	began := time.Now()
	err = e.guarded(ctx, call, do)
	if e.options.Observer != nil {
		e.options.Observer(Attempt{Name: r.Name, Step: r.Steps[a.step].Name, Undo: undo, Took: time.Since(began), Err: err})
	}
	return e.ended(ctx, call, d, err)
}

// guarded runs what is to be done; a panic is an error.
func (e *run) guarded(ctx context.Context, call *Call, do func(context.Context, *Call) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			e.logger.LogAttrs(ctx, slog.LevelError, "a step of work panicked", slog.String("work", call.Record.ID),
				slog.String("step", call.Key), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
		}
	}()
	if do == nil { // an Undo with nothing to take back
		return nil
	}
	return do(ctx, call)
}

// ended writes down how an attempt ended, though its context may have. An attempt that failed because the engine ends or another
// process has taken over does not count.
func (e *run) ended(ctx context.Context, call *Call, d Definition, failure error) (next, error) {
	lasting, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	if failure != nil && ctx.Err() != nil {
		return next{}, errors.Join(context.Cause(ctx), e.uncount(lasting, call))
	}
	a, now := call.action, e.now()
	if failure != nil {
		e.logger.LogAttrs(ctx, slog.LevelWarn, "a step of work failed", slog.String("work", call.Record.ID),
			slog.String("name", d.Name), slog.String("step", call.Key), slog.Any("error", failure))
	}
	r, err := e.store.Update(lasting, call.Record.ID, func(r *Record) error {
		return e.settle(r, call.Record, d, a, failure, call.output, now)
	})
	if err != nil {
		return next{}, err
	}
	r, err = e.announced(lasting, r)
	return next{End: r.State.Ended(), Rest: max(0, r.RunAt.Sub(now)), Waiting: revocable(r)}, err
}

// uncount takes an attempt back that was not made or not ended, if it is still the latest one.
func (e *run) uncount(ctx context.Context, call *Call) error {
	_, err := e.store.Update(ctx, call.Record.ID, func(r *Record) error { return uncount(r, call.Record, call.action) })
	return err
}

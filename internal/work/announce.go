package work

import "context"

// A record is announced when its last change was the one that wrote Announced down. So whatever changes, is told, in order for one
// record, as long as only the attempt that drives it announces.

// announced tells of a record if that has not been done, and returns it as it is kept then.
func (e *run) announced(ctx context.Context, r Record) (Record, error) {
	if e.options.Announce == nil || r.Announced == r.Revision {
		return r, nil
	}
	if err := e.options.Announce(ctx, r); err != nil {
		return r, err
	}
	told := r.Revision
	return e.store.Update(ctx, r.ID, func(r *Record) error {
		r.Announced = told
		if r.Revision == told { // nothing but this change is new
			r.Announced++
		}
		return nil
	})
}

// announce reads a record and tells of it.
func (e *run) announce(ctx context.Context, id string) error {
	r, err := e.store.Get(ctx, id)
	if err == nil {
		_, err = e.announced(ctx, r)
	}
	return err
}

package usage

import "context"

// SetLimit makes the shared table smaller.
func (r *Redis) SetLimit(rows int) { r.limit = rows }

// Flush brings what is counted to the shared table.
func (t *Table) Flush(ctx context.Context) error { return t.flush(ctx) }

// Again has the last batch be sent once more, as if no answer had come.
func (t *Table) Again(ctx context.Context) error {
	t.sent = t.take()
	again := *t.sent
	if err := t.flush(ctx); err != nil {
		return err
	}
	t.sent = &again
	return t.flush(ctx)
}

package clients

import "context"

// The writes to all edges of a user, on both sides, are atomic and idempotent: they answer with how many edges they changed,
// 0 where nothing was left to do. What remove and transfer did can be undone until it is purged. Each of them may take
// edges away, which are not shown afterwards, not even in an outage.

// RemoveAll takes all edges of a user away.
func (f *Followers) RemoveAll(ctx context.Context, user UserID, o BulkOptions) (affected int64, err error) {
	return edgeBulk("remove", user).send(ctx, f.svc, o)
}

// RestoreAll undoes all that remove and transfer did to the edges of a user, with the times they stood since.
func (f *Followers) RestoreAll(ctx context.Context, user UserID, o BulkOptions) (affected int64, err error) {
	return edgeBulk("restore", user).send(ctx, f.svc, o)
}

// TransferAll gives all edges of a user to another, with the times they stand since; that there is one is for the caller to
// see to. Edges that the other has already, and those between the two, are taken away.
func (f *Followers) TransferAll(ctx context.Context, from, to UserID, o BulkOptions) (affected int64, err error) {
	b := edgeBulk("transfer", from)
	b.to = to
	return b.send(ctx, f.svc, o)
}

// PurgeAll erases all edges of a user for good, and what was kept to undo.
func (f *Followers) PurgeAll(ctx context.Context, user UserID, o BulkOptions) (affected int64, err error) {
	return edgeBulk("purge", user).send(ctx, f.svc, o)
}

func edgeBulk(verb string, user UserID) bulk {
	return bulk{kind: "follow", path: "/users/", verb: verb, of: user, gone: true}
}

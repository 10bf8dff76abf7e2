package clients

import "context"

// The writes to all comments of an author are atomic and idempotent: they answer with how many comments they changed, 0
// where nothing was left to do. What anonymise and transfer did can be undone until it is purged.

// AnonymiseByAuthor takes the author off the comments of an author; their text stays.
func (c *Comments) AnonymiseByAuthor(ctx context.Context, author UserID, o BulkOptions) (affected int64, err error) {
	return commentBulk("anonymise", author, true).send(ctx, c.svc, o)
}

// RestoreByAuthor undoes all that anonymise and transfer did to the comments of an author, the latest first.
func (c *Comments) RestoreByAuthor(ctx context.Context, author UserID, o BulkOptions) (affected int64, err error) {
	return commentBulk("restore", author, false).send(ctx, c.svc, o)
}

// TransferByAuthor gives the comments of an author to another user; that there is one is for the caller to see to.
func (c *Comments) TransferByAuthor(ctx context.Context, from, to UserID, o BulkOptions) (affected int64, err error) {
	b := commentBulk("transfer", from, false)
	b.to = to
	return b.send(ctx, c.svc, o)
}

// PurgeByAuthor erases for good who wrote the comments of an author, what was kept to undo, and the text of deleted ones.
func (c *Comments) PurgeByAuthor(ctx context.Context, author UserID, o BulkOptions) (affected int64, err error) {
	return commentBulk("purge", author, true).send(ctx, c.svc, o)
}

func commentBulk(verb string, author UserID, gone bool) bulk {
	return bulk{kind: "comment", path: "/comments/by-author/", verb: verb, of: author, gone: gone}
}

package clients

import "context"

// The writes to all posts of an author are atomic and idempotent: they answer with how many posts they changed, 0 where
// nothing was left to do. What hide and transfer did can be undone until it is purged.

// HideByAuthor hides the posts of an author from everybody else, drafts too.
func (p *Posts) HideByAuthor(ctx context.Context, author UserID, o BulkOptions) (affected int64, err error) {
	return postBulk("hide", author, true).send(ctx, p.svc, o)
}

// RestoreByAuthor undoes all that hide and transfer did to the posts of an author, the latest first.
func (p *Posts) RestoreByAuthor(ctx context.Context, author UserID, o BulkOptions) (affected int64, err error) {
	return postBulk("restore", author, false).send(ctx, p.svc, o)
}

// TransferByAuthor gives the posts of an author to another user; that there is one is for the caller to see to.
func (p *Posts) TransferByAuthor(ctx context.Context, from, to UserID, o BulkOptions) (affected int64, err error) {
	b := postBulk("transfer", from, false)
	b.to = to
	return b.send(ctx, p.svc, o)
}

// PurgeByAuthor erases the posts of an author for good, and what was kept to undo. None of them is shown again.
func (p *Posts) PurgeByAuthor(ctx context.Context, author UserID, o BulkOptions) (affected int64, err error) {
	return postBulk("purge", author, true).send(ctx, p.svc, o)
}

func postBulk(verb string, author UserID, gone bool) bulk {
	return bulk{kind: "post", path: "/posts/by-author/", verb: verb, of: author, gone: gone}
}

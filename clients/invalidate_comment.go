package clients

// touched: an update alters lists only if it takes the comment from one author to another, or to none.
func (c *Comments) touched(change Change) (lists []tag, known bool) {
	verb := change.verb()
	if verb != "updated" || change.Moved {
		for _, author := range change.AuthorIDs {
			lists = append(lists, commentsBy(UserID(author)))
		}
	}
	if verb == "updated" {
		return lists, true
	}
	for _, post := range change.PostIDs {
		lists = append(lists, commentsOn(PostID(post)))
	}
	above := len(change.ParentIDs) == 0
	for _, parent := range change.ParentIDs {
		if verb == "created" { // below a comment that stands
			lists = append(lists, repliesTo(CommentID(parent)))
			continue
		}
		var top bool
		lists, top = c.climb(lists, CommentID(parent))
		above = above || top
	}
	if above {
		for _, post := range change.PostIDs {
			lists = append(lists, threadsOn(PostID(post)))
		}
	}
	return lists, len(change.PostIDs) > 0
}

// deepest is how far up a thread is looked at one by one.
const deepest = 64

// climb adds the lists of replies that a reply's coming or going can alter: its own, and those further up, for a deleted
// comment stands in lists only while it has replies there. top tells whether that may go on to the top level.
func (c *Comments) climb(lists []tag, parent CommentID) (_ []tag, top bool) {
	for range deepest {
		lists = append(lists, repliesTo(parent))
		above := c.entities.fresh(parent)
		switch {
		case above == nil:
			return append(lists, allReplies()), true
		case above.Status != CommentDeleted:
			return lists, false
		case above.ParentID == nil:
			return lists, true
		}
		parent = *above.ParentID
	}
	return append(lists, allReplies()), true
}

package clients

// commentMemory is a comment with what it points to.
type commentMemory struct {
	Comment
	parentID CommentID
	authorID UserID
}

// readComment reads a comment; null is nil.
func readComment(d *decoder) (*Comment, error) {
	c, err := readEntity(d, (*commentMemory).member)
	if c == nil {
		return nil, err
	}
	return &c.Comment, err
}

func (c *commentMemory) member(d *decoder, key []byte) error {
	switch string(key) {
	case "id":
		return d.id((*string)(&c.ID))
	case "postId":
		return d.id((*string)(&c.PostID))
	case "parentId":
		c.ParentID = unlessNull(d, &c.parentID)
		return d.id((*string)(&c.parentID))
	case "authorId":
		c.AuthorID = unlessNull(d, &c.authorID)
		return d.id((*string)(&c.authorID))
	case "body":
		return d.text(&c.Body)
	case "status":
		return readWord(d, &c.Status, CommentPublished, CommentDeleted)
	case "createdAt":
		return d.time(&c.CreatedAt)
	case "updatedAt":
		return d.time(&c.UpdatedAt)
	case "version":
		return d.int(&c.Version)
	}
	return d.Skip()
}

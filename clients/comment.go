package clients

import (
	"context"
	"time"
)

// Comment is a comment as the comment service has it. AuthorID is nil on a deleted or anonymised one.
type Comment struct {
	ID        CommentID     `json:"id"`
	PostID    PostID        `json:"postId"`
	ParentID  *CommentID    `json:"parentId"`
	AuthorID  *UserID       `json:"authorId"`
	Body      string        `json:"body"`
	Status    CommentStatus `json:"status"`
	CreatedAt time.Time     `json:"createdAt"`
	UpdatedAt time.Time     `json:"updatedAt"`
	Version   int           `json:"version"`
}

// CommentStatus says whether a comment stands or only keeps the place of its replies.
type CommentStatus string

// The states of a comment.
const (
	CommentPublished CommentStatus = "published"
	CommentDeleted   CommentStatus = "deleted"
)

// NewComment is what a comment starts with.
type NewComment struct {
	PostID   PostID     `json:"postId"`
	ParentID *CommentID `json:"parentId,omitempty"`
	AuthorID UserID     `json:"authorId"`
	Body     string     `json:"body"`
}

func (c *Comment) key() CommentID { return c.ID }
func (c *Comment) revision() int  { return c.Version }

func (c *Comment) usable() bool {
	return validID(string(c.ID)) && validID(string(c.PostID)) && c.Version > 0 && !c.CreatedAt.IsZero() &&
		(c.Status == CommentPublished || c.Status == CommentDeleted)
}

func (c *Comment) bytes() int {
	size := 216 + len(c.ID) + len(c.PostID) + len(c.Body)
	if c.ParentID != nil {
		size += 16 + len(*c.ParentID)
	}
	if c.AuthorID != nil {
		size += 16 + len(*c.AuthorID)
	}
	return size
}

// Comments is the client of the comment service.
type Comments struct {
	svc      *service
	entities *entities[CommentID, *Comment]
}

func newComments(svc *service) *Comments {
	c := &Comments{svc, newEntities(svc, "comment", "/comments", commas("/comments?ids="), readComment)}
	c.entities.touched = c.touched
	return c
}

// What the lists and counts of comments depend on.
func commentsOn(post PostID) tag     { return tagOf("comments on", post) }
func threadsOn(post PostID) tag      { return tagOf("threads on", post) }
func commentsBy(author UserID) tag   { return tagOf("comments by", author) }
func repliesTo(parent CommentID) tag { return tagOf("replies to", parent) }
func allReplies() tag                { return tagOf("replies", "") }

// ByIDs reads comments by id, deleted ones included.
func (c *Comments) ByIDs(ctx context.Context, ids []CommentID) map[CommentID]Answer[*Comment] {
	return c.entities.byIDs(ctx, ids)
}

// ByPosts reads a page of comments for each post; with topLevel the replies are left out.
func (c *Comments) ByPosts(ctx context.Context, posts []PostID, topLevel bool, page Page) map[PostID]Answer[Window[*Comment]] {
	query, err := page.query()
	if err != nil {
		return invalidAll[PostID, Window[*Comment]](c.svc, posts, err)
	}
	on := commentsOn
	if topLevel {
		query += "&topLevel=true"
		on = threadsOn
	}
	return newListings(c.entities, "/comments/by-post", commas("/comments/by-post?"+query+"&postIds="),
		func(post PostID) tags { return tagged(on(post)) }, page, groups[PostID](readComment)).read(ctx, posts)
}

// Replies reads a page of direct replies for each comment.
func (c *Comments) Replies(ctx context.Context, parents []CommentID, page Page) map[CommentID]Answer[Window[*Comment]] {
	query, err := page.query()
	if err != nil {
		return invalidAll[CommentID, Window[*Comment]](c.svc, parents, err)
	}
	return newListings(c.entities, "/comments/replies", commas("/comments/replies?"+query+"&parentIds="),
		func(parent CommentID) tags { return tagged(repliesTo(parent)).and(allReplies()) }, page,
		groups[CommentID](readComment)).read(ctx, parents)
}

// ByAuthors reads a page of comments for each author.
func (c *Comments) ByAuthors(ctx context.Context, authors []UserID, page Page) map[UserID]Answer[Window[*Comment]] {
	query, err := page.query()
	if err != nil {
		return invalidAll[UserID, Window[*Comment]](c.svc, authors, err)
	}
	return newListings(c.entities, "/comments/by-author", commas("/comments/by-author?"+query+"&authorIds="),
		func(author UserID) tags { return tagged(commentsBy(author)) }, page, groups[UserID](readComment)).read(ctx, authors)
}

// CountsByPosts counts the comments of each post, deleted ones left out.
func (c *Comments) CountsByPosts(ctx context.Context, posts []PostID) map[PostID]Answer[int] {
	return newCounts(c.svc, "/comments/counts", "/comments/counts?postIds=",
		func(post PostID) tags { return tagged(commentsOn(post)) }, readCount).read(ctx, posts)
}

// CountsByAuthors counts the comments of each author, deleted ones left out.
func (c *Comments) CountsByAuthors(ctx context.Context, authors []UserID) map[UserID]Answer[int] {
	return newCounts(c.svc, "/comments/counts", "/comments/counts?authorIds=",
		func(author UserID) tags { return tagged(commentsBy(author)) }, readCount).read(ctx, authors)
}

// Create makes a comment.
func (c *Comments) Create(ctx context.Context, comment NewComment) (*Comment, error) {
	return c.entities.create(ctx, "/comments", comment, placed(comment.PostID, comment.ParentID, &comment.AuthorID))
}

// placed is a change of a comment that stands there.
func placed(post PostID, parent *CommentID, author *UserID) Change {
	change := Change{PostIDs: []string{string(post)}}
	if parent != nil {
		change.ParentIDs = []string{string(*parent)}
	}
	if author != nil {
		change.AuthorIDs = []string{string(*author)}
	}
	return change
}

// Update changes the text of a comment of the given version.
func (c *Comments) Update(ctx context.Context, comment *Comment, version int, body string) (*Comment, error) {
	patch := struct {
		Body string `json:"body"`
	}{body}
	return c.entities.update(ctx, "/comments", comment.ID, version, patch, func(*Comment) Change {
		change := placed(comment.PostID, comment.ParentID, comment.AuthorID)
		change.Type = "comment.updated"
		return change
	})
}

// Delete removes a comment; by id it can still be read. The comment as it was read tells which lists it stands in.
func (c *Comments) Delete(ctx context.Context, comment *Comment) error {
	return c.entities.remove(ctx, "/comments", comment.ID, comment.Version, placed(comment.PostID, comment.ParentID, comment.AuthorID))
}

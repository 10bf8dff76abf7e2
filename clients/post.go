package clients

import (
	"context"
	"time"
)

// Post is a post as the post service has it.
type Post struct {
	ID          PostID     `json:"id"`
	AuthorID    UserID     `json:"authorId"`
	Title       string     `json:"title"`
	Body        string     `json:"body"`
	Status      PostStatus `json:"status"`
	PublishedAt *time.Time `json:"publishedAt"`
	CreatedAt   time.Time  `json:"createdAt"`
	UpdatedAt   time.Time  `json:"updatedAt"`
	Version     int        `json:"version"`
}

// PostStatus says who may see a post: a published one everybody, any other only its author.
type PostStatus string

// The states of a post that reads can show; a deleted one is absent.
const (
	PostDraft     PostStatus = "draft"
	PostPublished PostStatus = "published"
	PostHidden    PostStatus = "hidden"
)

// NewPost is what a post starts with.
type NewPost struct {
	AuthorID UserID     `json:"authorId"`
	Title    string     `json:"title"`
	Body     string     `json:"body"`
	Status   PostStatus `json:"status"`
}

// PostPatch is a change of a post: only what is set is sent. Status may go from draft to published.
type PostPatch struct {
	Title  *string     `json:"title,omitempty"`
	Body   *string     `json:"body,omitempty"`
	Status *PostStatus `json:"status,omitempty"`
}

func (p *Post) key() PostID   { return p.ID }
func (p *Post) revision() int { return p.Version }

func (p *Post) usable() bool {
	return validID(string(p.ID)) && validID(string(p.AuthorID)) && p.Version > 0 && !p.CreatedAt.IsZero() &&
		(p.Status == PostDraft || p.Status == PostPublished || p.Status == PostHidden)
}

func (p *Post) bytes() int { return 224 + len(p.ID) + len(p.AuthorID) + len(p.Title) + len(p.Body) }

// Posts is the client of the post service.
type Posts struct {
	svc      *service
	entities *entities[PostID, *Post]
}

func newPosts(svc *service) *Posts {
	p := &Posts{svc, newEntities(svc, "post", "/posts", commas("/posts?visibility=author&ids="), readPost)}
	p.entities.touched = p.touched
	return p
}

// What the lists and counts of posts depend on.
func postList(vis Visibility) tag               { return tagOf(string(vis)+" posts", "") }
func postsOf(author UserID, vis Visibility) tag { return tagOf(string(vis)+" posts", author) }

// ByIDs reads posts by id, drafts and hidden ones too: who may see what is for the caller to decide.
func (p *Posts) ByIDs(ctx context.Context, ids []PostID) map[PostID]Answer[*Post] {
	return p.entities.byIDs(ctx, ids)
}

// List reads one merged page of the posts of the given authors, newest first; without authors of everybody.
func (p *Posts) List(ctx context.Context, authors []UserID, vis Visibility, page Page) Answer[Window[*Post]] {
	parts := p.listParts(authors)
	if len(parts) == 0 {
		return Answer[Window[*Post]]{}
	}
	query, err := page.query()
	if err != nil {
		return Answer[Window[*Post]]{Err: invalid(p.svc.name, err)}
	}
	answers := p.lists(query, vis, page).read(ctx, parts)
	if len(parts) == 1 {
		return answers[parts[0]]
	}
	return p.merge(ctx, parts, answers, vis, page)
}

// ByAuthors reads a page of posts for each author.
func (p *Posts) ByAuthors(ctx context.Context, authors []UserID, vis Visibility, page Page) map[UserID]Answer[Window[*Post]] {
	query, err := page.query()
	if err != nil {
		return invalidAll[UserID, Window[*Post]](p.svc, authors, err)
	}
	l := newListings(p.entities, "/posts/by-author", commas("/posts/by-author?"+query+"&visibility="+string(vis)+"&authorIds="),
		func(author UserID) tags { return tagged(postsOf(author, vis)) }, page, groups[UserID](readPost))
	l.show = vis.allows
	return l.read(ctx, authors)
}

// allows tells whether a post may stand in a list of this visibility: one that was hidden since may not.
func (v Visibility) allows(post *Post) bool {
	return v == VisibilityAuthor || post.Status == PostPublished
}

// Counts counts the posts of each author.
func (p *Posts) Counts(ctx context.Context, authors []UserID, vis Visibility) map[UserID]Answer[int] {
	return newCounts(p.svc, "/posts/counts", "/posts/counts?visibility="+string(vis)+"&authorIds=",
		func(author UserID) tags { return tagged(postsOf(author, vis)) }, readCount).read(ctx, authors)
}

// Create makes a post, a draft unless it says otherwise.
func (p *Posts) Create(ctx context.Context, post NewPost) (*Post, error) {
	if post.Status == "" {
		post.Status = PostDraft
	}
	return p.entities.create(ctx, "/posts", post, Change{AuthorIDs: []string{string(post.AuthorID)}, Draft: post.Status == PostDraft})
}

// Update changes a post of the given version.
func (p *Posts) Update(ctx context.Context, id PostID, version int, patch PostPatch) (*Post, error) {
	return p.entities.update(ctx, "/posts", id, version, patch, func(changed *Post) Change {
		change := Change{Type: "post.updated"}
		if patch.Status != nil {
			change.Type = "post.published"
		}
		if changed == nil { // a failed one may have been done, but for whom?
			changed = p.entities.cached(id)
		}
		if changed != nil {
			change.AuthorIDs = []string{string(changed.AuthorID)}
		}
		return change
	})
}

// Delete removes a post. The post as it was read tells which lists it stands in.
func (p *Posts) Delete(ctx context.Context, post *Post) error {
	return p.entities.remove(ctx, "/posts", post.ID, post.Version, Change{
		AuthorIDs: []string{string(post.AuthorID)}, Draft: post.Status == PostDraft,
	})
}

// touched: lists hold ids in the order of creation, so only what comes, goes or changes hands alters those that the author
// sees, and only what could or can be seen by others alters the public ones.
func (p *Posts) touched(c Change) (lists []tag, known bool) {
	var altered []Visibility
	verb := c.verb()
	if verb != "updated" && verb != "published" && verb != "hidden" || c.Moved {
		altered = append(altered, VisibilityAuthor)
	}
	if !c.Draft && (verb != "updated" || c.Moved || c.Gone) {
		altered = append(altered, VisibilityPublic)
	}
	for _, vis := range altered {
		lists = append(lists, postList(vis))
		for _, author := range c.AuthorIDs {
			lists = append(lists, postsOf(UserID(author), vis))
		}
	}
	return lists, len(altered) == 0 || len(c.AuthorIDs) > 0
}

package resolvers

import (
	"context"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/graph-gophers/dataloader/v7"

	"tributary/clients"
	"tributary/internal/auth"
	"tributary/internal/relay"
)

// A comment may be read by those who may read its post, and by who wrote it. The loaders of comments do not know of that: what they
// give goes through here before it is answered. Under Post.comments nothing has to be asked, since whoever got the post may read it.

// openPosts are the posts of a response whose comments were asked for below them by somebody who may see the post: what comes from
// those comments needs no read of the post. The zero value is empty. It is safe for concurrent use.
type openPosts struct {
	mu  sync.Mutex
	ids map[clients.PostID]bool
}

// opened notes posts whose comments are about to be listed, as far as the viewer may see them, and gives all of them back.
func (s *scope) opened(posts []*clients.Post) []*clients.Post {
	s = s.whole()
	s.open.mu.Lock()
	defer s.open.mu.Unlock()
	if s.open.ids == nil {
		s.open.ids = make(map[clients.PostID]bool, len(posts))
	}
	for _, p := range posts {
		if auth.CanSee(s.viewer, postEntity(p)) {
			s.open.ids[p.ID] = true
		}
	}
	return posts
}

// undecided says whether it takes the post to know that the viewer may read a comment.
func (s *scope) undecided(c *clients.Comment) bool {
	author, _ := deref(c.AuthorID)
	if auth.CanSee(s.viewer, auth.Entity{OwnerID: string(author)}) {
		return false
	}
	if s.below != "" && s.below == c.PostID {
		return false
	}
	s = s.whole()
	s.open.mu.Lock()
	defer s.open.mu.Unlock()
	return !s.open.ids[c.PostID]
}

// gates loads what decides of comments, in one batch: for each what its post came to, which is absent if the viewer may not read the
// comment, and has an error if that cannot be told. Where no post has to be asked it is the zero value, as it is for nil.
func gates(ctx context.Context, comments []*clients.Comment) []found[*clients.Post] {
	thunks := make([]dataloader.Thunk[found[*clients.Post]], len(comments))
	for i, c := range comments {
		if c != nil && load(ctx).undecided(c) {
			thunks[i] = load(ctx).post.ask(ctx, c.PostID)
		}
	}
	posts := make([]found[*clients.Post], len(comments))
	for i, thunk := range thunks {
		if thunk == nil {
			continue
		}
		var err error
		if posts[i], err = thunk(); err != nil {
			posts[i].Err = err
		}
	}
	return posts
}

// readable gives the comment that the field of ctx has loaded, nil if the viewer may not read it.
func readable(ctx context.Context, comment *clients.Comment, err error) (*clients.Comment, error) {
	if comment == nil || err != nil {
		return nil, err
	}
	gate := gates(ctx, []*clients.Comment{comment})[0]
	if gate.Err != nil || gate.absent {
		return nil, gate.Err
	}
	if gate.Stale != nil {
		load(ctx).report.stale(ctx, graphql.GetPath(ctx), gate.Stale)
	}
	return comment, nil
}

// eachReadable is readable for the comments that a batch of parents leads to; err is what each said of them.
func eachReadable(ctx context.Context, comments []*clients.Comment, err error) ([]*clients.Comment, error) {
	failed, partly := err.(graphql.BatchErrorList)
	if err != nil && !partly {
		return nil, err
	}
	for i, gate := range gates(ctx, comments) {
		switch {
		case gate.Err != nil:
			failed = failedAt(failed, len(comments), i, gate.Err)
			comments[i] = nil
		case gate.absent:
			comments[i] = nil
		case gate.Stale != nil:
			load(ctx).report.stale(ctx, parentPath(ctx, i), gate.Stale)
		}
	}
	return comments, asError(failed)
}

// readableNodes takes the comments that the viewer may not read out of a list of nodes. Where that cannot be told, an error stands at
// the place in the list.
func readableNodes(ctx context.Context, nodes []clients.Node) []clients.Node {
	comments := make([]*clients.Comment, len(nodes))
	for i, node := range nodes {
		comments[i], _ = node.(*clients.Comment)
	}
	for i, gate := range gates(ctx, comments) {
		switch {
		case gate.Err != nil:
			graphql.AddError(ctx, gqlErrorAt(memberPath(ctx, i), gate.Err))
			nodes[i] = nil
		case gate.absent:
			nodes[i] = nil
		case gate.Stale != nil:
			load(ctx).report.stale(ctx, memberPath(ctx, i), gate.Stale)
		}
	}
	return nodes
}

// readablePages takes the comments that the viewer may not read out of pages, which are shorter then. A page of which that cannot be
// told is null with an error, since its items cannot be: one that is left out would not be told from one that nobody may read.
func readablePages[T any](ctx context.Context, pages []*relay.Connection[T], err error) ([]*relay.Connection[T], error) {
	failed, partly := err.(graphql.BatchErrorList)
	if err != nil && !partly {
		return nil, err
	}
	if !selectsPage(ctx) {
		return pages, err // no item is shown, and no cursor
	}
	rest := gates(ctx, commentsOf(pages))
	for i, page := range pages {
		if page == nil {
			continue
		}
		var mine []found[*clients.Post]
		mine, rest = rest[:len(page.Edges)], rest[len(page.Edges):]
		var stale *clients.Outage
		var broken error
		for _, gate := range mine {
			stale = older(stale, gate.Stale)
			if broken == nil {
				broken = gate.Err
			}
		}
		if broken != nil {
			failed = failedAt(failed, len(pages), i, broken)
			pages[i] = nil
			continue
		}
		if stale != nil {
			load(ctx).report.stale(ctx, parentPath(ctx, i), stale)
		}
		page.Keep(func(i int) bool { return !mine[i].absent })
	}
	return pages, asError(failed)
}

// commentsOf are the items of all pages, one after another; nil for those that are no comments.
func commentsOf[T any](pages []*relay.Connection[T]) []*clients.Comment {
	var comments []*clients.Comment
	for _, page := range pages {
		if page == nil {
			continue
		}
		for _, edge := range page.Edges {
			comment, _ := any(edge.Node).(*clients.Comment)
			comments = append(comments, comment)
		}
	}
	return comments
}

// failedAt puts an error at the place of one of n parents.
func failedAt(failed graphql.BatchErrorList, n, i int, err error) graphql.BatchErrorList {
	if failed == nil {
		failed = make(graphql.BatchErrorList, n)
	}
	failed[i] = err
	return failed
}

// asError is nil, and not an empty list, where nothing has failed.
func asError(failed graphql.BatchErrorList) error {
	if failed == nil {
		return nil
	}
	return failed
}

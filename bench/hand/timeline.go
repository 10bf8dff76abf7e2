package hand

import (
	"context"
	"strconv"

	"golang.org/x/sync/errgroup"
)

// What is answered, member by member in the order of the queries.
type (
	personView struct {
		ID     string `json:"id"`
		Handle string `json:"handle"`
		Name   string `json:"name"`
	}
	postView struct {
		ID          string      `json:"id"`
		Title       string      `json:"title"`
		PublishedAt *string     `json:"publishedAt"`
		Author      *personView `json:"author"`
	}
	pageInfoView struct {
		HasNextPage bool    `json:"hasNextPage"`
		EndCursor   *string `json:"endCursor"`
	}
	timelineView struct {
		Nodes      []postView   `json:"nodes"`
		PageInfo   pageInfoView `json:"pageInfo"`
		TotalCount int          `json:"totalCount"`
	}
)

// timeline is one page of posts with their authors: two calls, one after the other.
func (s *Server) timeline(ctx context.Context, first int) (any, error) {
	posts, err := s.posts(ctx, first, "")
	if err != nil {
		return nil, err
	}
	views, err := s.withAuthors(ctx, []page[*post]{posts})
	if err != nil {
		return nil, err
	}
	return map[string]*timelineView{"posts": views[0]}, nil
}

// longPages is how many pages of 100 the long timeline has.
const longPages = 10

// longTimeline is ten pages of 100 posts, p0 to p9, each behind its cursor, a1 to a9: all pages at once, then all authors.
func (s *Server) longTimeline(ctx context.Context, cursors map[string]string) (any, error) {
	var pages [longPages]page[*post]
	group, groupCtx := errgroup.WithContext(ctx)
	for i := range pages {
		group.Go(func() (err error) {
			pages[i], err = s.posts(groupCtx, 100, cursors["a"+strconv.Itoa(i)])
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	views, err := s.withAuthors(ctx, pages[:])
	if err != nil {
		return nil, err
	}
	answer := make(map[string]*timelineView, len(views))
	for i, view := range views {
		answer["p"+strconv.Itoa(i)] = view
	}
	return answer, nil
}

// withAuthors gives pages their answers' shape, with the authors of all of them read together.
func (s *Server) withAuthors(ctx context.Context, pages []page[*post]) ([]*timelineView, error) {
	ids := map[string]bool{}
	for _, p := range pages {
		for _, post := range p.Items {
			ids[post.AuthorID] = true
		}
	}
	authors, err := s.users(ctx, ids)
	if err != nil {
		return nil, err
	}
	views := make([]*timelineView, len(pages))
	for i, p := range pages {
		view := &timelineView{Nodes: make([]postView, len(p.Items)), TotalCount: p.Total}
		view.PageInfo = pageInfoView{
			HasNextPage: p.Next != nil,
			EndCursor:   p.cursor(func(p *post) (string, string) { return p.CreatedAt, p.ID }),
		}
		for j, post := range p.Items {
			view.Nodes[j] = postView{ID: "post_" + post.ID, Title: post.Title, PublishedAt: post.PublishedAt, Author: person(authors[post.AuthorID])}
		}
		views[i] = view
	}
	return views, nil
}

// person is null for who is not there.
func person(u *user) *personView {
	if u == nil {
		return nil
	}
	return &personView{ID: "user_" + u.ID, Handle: u.Handle, Name: u.Name}
}

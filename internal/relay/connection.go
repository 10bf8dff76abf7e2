// Package relay gives the clients' windows the shape of Relay connections: arguments in, edges and page info out.
// See https://relay.dev/graphql/connections.htm.
package relay

import (
	"slices"
	"time"

	"tributary/clients"
)

// Edge is an item of a list and its position there.
type Edge[T any] struct {
	Node  T
	place func(T) clients.Cursor
}

// Cursor is the position of the item. It is made when it is asked for: most queries select none.
func (e *Edge[T]) Cursor() string { return string(e.place(e.Node)) }

// Connection is one page of a list. TotalCount counts the whole list.
type Connection[T any] struct {
	Edges      []Edge[T]
	PageInfo   PageInfo
	TotalCount int
}

// Nodes are the items of the edges, never nil.
func (c *Connection[T]) Nodes() []T {
	nodes := make([]T, len(c.Edges))
	for i := range c.Edges {
		nodes[i] = c.Edges[i].Node
	}
	return nodes
}

// PageInfo is what a page knows of the list around it. The zero value is that of an empty list.
type PageInfo struct {
	HasNextPage     bool
	HasPreviousPage bool
	Start, End      Positioned // nil on an empty page
}

// Positioned is something whose position in its list a cursor can tell.
type Positioned interface{ Cursor() string }

// At is a cursor that is known already.
type At string

// Cursor is the cursor itself.
func (a At) Cursor() string { return string(a) }

// StartCursor is the position of the page's first item, nil on an empty page. Like EndCursor it is made when it is asked for.
func (p PageInfo) StartCursor() *string { return cursorOf(p.Start) }

// EndCursor is the position of the page's last item, nil on an empty page.
func (p PageInfo) EndCursor() *string { return cursorOf(p.End) }

func cursorOf(place Positioned) *string {
	if place == nil {
		return nil
	}
	cursor := place.Cursor()
	return &cursor
}

// The pages and edges of the graph.
type (
	UserConnection     = Connection[*clients.User]
	UserEdge           = Edge[*clients.User]
	PostConnection     = Connection[*clients.Post]
	PostEdge           = Edge[*clients.Post]
	CommentConnection  = Connection[*clients.Comment]
	CommentEdge        = Edge[*clients.Comment]
	ActivityConnection = Connection[clients.ActivityItem]
	ActivityEdge       = Edge[clients.ActivityItem]
)

// FollowEdge is a user on the other side of a follow edge; who that is, is loaded where it is asked for.
type FollowEdge struct {
	FollowedAt time.Time
	UserID     clients.UserID
}

// Cursor is the position of the edge in its list.
func (e *FollowEdge) Cursor() string { return string(clients.CursorAt(e.FollowedAt, string(e.UserID))) }

// FollowConnection is one page of follow edges. TotalCount counts the whole list.
type FollowConnection struct {
	Edges      []FollowEdge
	PageInfo   PageInfo
	TotalCount int
}

// UserIDs are the users of the edges.
func (c *FollowConnection) UserIDs() []clients.UserID {
	ids := make([]clients.UserID, len(c.Edges))
	for i := range c.Edges {
		ids[i] = c.Edges[i].UserID
	}
	return ids
}

// Users turns a window of users into a page in the order that args asks for.
func Users(args Args, w clients.Window[*clients.User]) *UserConnection {
	return connect(args, w, func(u *clients.User) clients.Cursor { return clients.CursorAt(u.CreatedAt, string(u.ID)) })
}

// Posts turns a window of posts into a page in the order that args asks for.
func Posts(args Args, w clients.Window[*clients.Post]) *PostConnection {
	return connect(args, w, func(p *clients.Post) clients.Cursor { return clients.CursorAt(p.CreatedAt, string(p.ID)) })
}

// Comments turns a window of comments into a page in the order that args asks for.
func Comments(args Args, w clients.Window[*clients.Comment]) *CommentConnection {
	return connect(args, w, func(c *clients.Comment) clients.Cursor { return clients.CursorAt(c.CreatedAt, string(c.ID)) })
}

// Followers turns a window of edges towards a user into a page of those who follow.
func Followers(args Args, w clients.Window[clients.Follow]) *FollowConnection {
	return follows(args, w, func(f clients.Follow) clients.UserID { return f.FollowerID })
}

// Following turns a window of edges from a user into a page of those who are followed.
func Following(args Args, w clients.Window[clients.Follow]) *FollowConnection {
	return follows(args, w, func(f clients.Follow) clients.UserID { return f.FolloweeID })
}

func follows(args Args, w clients.Window[clients.Follow], other func(clients.Follow) clients.UserID) *FollowConnection {
	page := connect(args, w, func(f clients.Follow) clients.Cursor { return clients.CursorAt(f.FollowedAt, string(other(f))) })
	edges := make([]FollowEdge, len(page.Edges))
	for i, e := range page.Edges {
		edges[i] = FollowEdge{FollowedAt: e.Node.FollowedAt, UserID: other(e.Node)}
	}
	return &FollowConnection{Edges: edges, PageInfo: page.PageInfo, TotalCount: page.TotalCount}
}

func connect[T any](args Args, w clients.Window[T], cursor func(T) clients.Cursor) *Connection[T] {
	c := &Connection[T]{
		Edges:      make([]Edge[T], len(w.Items)),
		PageInfo:   PageInfo{HasNextPage: w.Next, HasPreviousPage: w.Prev},
		TotalCount: w.Total,
	}
	for i, item := range w.Items {
		c.Edges[i] = Edge[T]{item, cursor}
	}
	if args.reversed {
		slices.Reverse(c.Edges)
		c.PageInfo.HasNextPage, c.PageInfo.HasPreviousPage = w.Prev, w.Next
	}
	if len(c.Edges) > 0 {
		c.bound()
	}
	return c
}

// bound gives a page that is not empty its ends.
func (c *Connection[T]) bound() {
	c.PageInfo.Start, c.PageInfo.End = &c.Edges[0], &c.Edges[len(c.Edges)-1]
}

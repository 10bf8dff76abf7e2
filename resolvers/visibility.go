package resolvers

import (
	"tributary/clients"
	"tributary/internal/auth"
)

// userEntity says who may see a user: everybody, unless the account is frozen.
func userEntity(u *clients.User) auth.Entity {
	return auth.Entity{OwnerID: string(u.ID), Public: u.Status == clients.UserActive}
}

// postEntity says who may see a post: everybody, once it is published.
func postEntity(p *clients.Post) auth.Entity {
	return auth.Entity{OwnerID: string(p.AuthorID), Public: p.Status == clients.PostPublished}
}

// visibility is how much of an author's posts the viewer may list.
func visibility(v auth.Viewer, author clients.UserID) clients.Visibility {
	if auth.CanSee(v, auth.Entity{OwnerID: string(author)}) {
		return clients.VisibilityAuthor
	}
	return clients.VisibilityPublic
}

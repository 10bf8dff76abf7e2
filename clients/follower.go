package clients

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"
)

// Follow is one edge of the follower graph.
type Follow struct {
	FollowerID UserID    `json:"followerId"`
	FolloweeID UserID    `json:"followeeId"`
	FollowedAt time.Time `json:"followedAt"`
	Version    int       `json:"version"`
}

// Pair names an edge, existing or not.
type Pair struct{ Follower, Followee UserID }

// FollowCounts are the two sizes of a user's neighbourhood.
type FollowCounts struct {
	Followers int `json:"followers"`
	Following int `json:"following"`
}

func (f *Follow) usable() bool {
	return validID(string(f.FollowerID)) && validID(string(f.FolloweeID)) && !f.FollowedAt.IsZero()
}

// text is the pair as the contract writes it, or "" if there can be no such edge.
func (p Pair) text() string {
	if !validID(string(p.Follower)) || !validID(string(p.Followee)) {
		return ""
	}
	return string(p.Follower) + ":" + string(p.Followee)
}

// Followers is the client of the follower service.
type Followers struct{ svc *service }

// What edges, lists and counts depend on.
func followersOf(user UserID) tag { return tagOf("followers", user) }
func followedBy(user UserID) tag  { return tagOf("following", user) }
func edge(pair Pair) tag          { return tagOf("edge", pair.text()) }

// Followers reads a page of the edges that lead to each user.
func (f *Followers) Followers(ctx context.Context, users []UserID, page Page) map[UserID]Answer[Window[Follow]] {
	return f.list(ctx, "/followers", users, page, followersOf)
}

// Following reads a page of the edges that start at each user.
func (f *Followers) Following(ctx context.Context, users []UserID, page Page) map[UserID]Answer[Window[Follow]] {
	return f.list(ctx, "/following", users, page, followedBy)
}

// list reads pages of edges. Edges are their own data, so a page is cached as it is.
func (f *Followers) list(ctx context.Context, endpoint string, users []UserID, page Page, of func(UserID) tag) map[UserID]Answer[Window[Follow]] {
	query, err := page.query()
	if err != nil {
		return invalidAll[UserID, Window[Follow]](f.svc, users, err)
	}
	target := commas(endpoint + "?" + query + "&userIds=")
	b := &batch[UserID, Window[Follow]]{svc: f.svc, endpoint: endpoint, space: target(""), target: target, text: idText[UserID],
		tags: func(user UserID) tags { return tagged(of(user)) }}
	b.keep = func(user UserID, w Window[Follow], epoch uint64) (Window[Follow], standing) {
		b.store(user, w, epoch, 64+160*len(w.Items))
		return w, shown
	}
	b.decode = func(body []byte, _ []UserID) (found[UserID, Window[Follow]], error) {
		docs, err := decodeGroups[UserID](body, readFollow)
		got := found[UserID, Window[Follow]]{values: make(map[UserID]Window[Follow], len(docs))}
		for user, doc := range docs {
			w, odd := followWindow(doc, page)
			got.values[user] = w
			got.odd += odd
		}
		return got, err
	}
	return b.read(ctx, users)
}

// followWindow takes what is usable from a page, and no more of it than was asked for.
func followWindow(doc *pageDoc[*Follow], page Page) (w Window[Follow], odd int) {
	items, next, prev, odd := trim(doc, page)
	w = Window[Follow]{Items: make([]Follow, 0, len(items)), Next: next, Prev: prev, Total: max(doc.total, 0)}
	for _, item := range items {
		if !item.usable() {
			odd++
			continue
		}
		w.Items = append(w.Items, *item)
	}
	return w, odd
}

// Counts counts the edges of each user.
func (f *Followers) Counts(ctx context.Context, users []UserID) map[UserID]Answer[FollowCounts] {
	return newCounts(f.svc, "/counts", "/counts?userIds=", func(user UserID) tags {
		return tagged(followersOf(user)).and(followedBy(user))
	}, readFollowCounts).read(ctx, users)
}

// Edges reads the edges that exist among the pairs.
func (f *Followers) Edges(ctx context.Context, pairs []Pair) map[Pair]Answer[Follow] {
	b := &batch[Pair, Follow]{svc: f.svc, endpoint: "/edges", space: "edge", target: commas("/edges?pairs="), mayMiss: true,
		text: Pair.text, tags: func(pair Pair) tags { return tagged(edge(pair)) }}
	b.keep = func(pair Pair, follow Follow, epoch uint64) (Follow, standing) {
		b.store(pair, follow, epoch, 160)
		return follow, shown
	}
	b.decode = func(body []byte, _ []Pair) (found[Pair, Follow], error) {
		follows, err := decodeItems(body, readFollow)
		got := found[Pair, Follow]{values: make(map[Pair]Follow, len(follows))}
		for _, follow := range follows {
			pair := Pair{follow.FollowerID, follow.FolloweeID}
			if follow.usable() {
				got.values[pair] = *follow
			} else {
				got.unusable = append(got.unusable, pair)
			}
		}
		return got, err
	}
	return b.read(ctx, pairs)
}

// Follow makes an edge; created is false where it already stood.
func (f *Followers) Follow(ctx context.Context, pair Pair) (follow Follow, created bool, err error) {
	if pair.text() == "" {
		return Follow{}, false, &Error{Kind: KindNotFound, Service: f.svc.name}
	}
	type made struct {
		follow  Follow
		created bool
	}
	got, _, since, err := write(ctx, f.svc, http.MethodPut, "/edges/{id}/{id}", pair.target(), 0, nil, func(a answer) (made, error) {
		follow, err := decodeFollow(a.body)
		if err == nil && (Pair{follow.FollowerID, follow.FolloweeID}) != pair {
			err = errors.New("answered another edge")
		}
		return made{follow, a.status == http.StatusCreated}, err
	})
	f.svc.gens.invalidate(since, edge(pair), followersOf(pair.Followee), followedBy(pair.Follower))
	if err == nil {
		f.wrote(ctx, Change{ID: pair.text(), Version: got.follow.Version, Type: "follower.added"})
	}
	return got.follow, got.created, err
}

// Unfollow removes an edge. Where there is none the error is of KindNotFound.
func (f *Followers) Unfollow(ctx context.Context, pair Pair) error {
	if pair.text() == "" {
		return &Error{Kind: KindNotFound, Service: f.svc.name}
	}
	_, _, since, err := write(ctx, f.svc, http.MethodDelete, "/edges/{id}/{id}", pair.target(), 0, nil, decodeNothing)
	if err == nil || kindOf(err) == KindNotFound || kindOf(err) == KindUnknownOutcome {
		f.svc.gens.withdraw(edge(pair), followersOf(pair.Followee), followedBy(pair.Follower))
	} else {
		f.svc.gens.invalidate(since, edge(pair), followersOf(pair.Followee), followedBy(pair.Follower))
	}
	if err == nil {
		f.wrote(ctx, Change{ID: pair.text(), Type: "follower.removed", Gone: true})
	}
	return err
}

// wrote passes a change on that has no version of its own where the service did not say one.
func (f *Followers) wrote(ctx context.Context, change Change) {
	change.Kind = "follow"
	if change.Version == 0 {
		change.Mark = rand.Text()
	}
	f.svc.wrote(ctx, change)
}

// apply invalidates an edge and the lists and counts at both its ends. Edges stand in the lists themselves, so lists that
// hold one that is gone are withdrawn with it.
func (f *Followers) apply(change Change) {
	follower, followee, _ := strings.Cut(change.ID, ":")
	pair := Pair{UserID(follower), UserID(followee)}
	switch {
	case pair.text() == "":
		f.svc.gens.withdrawAll()
	case change.Gone || change.verb() == "removed":
		f.svc.gens.withdraw(edge(pair), followersOf(pair.Followee), followedBy(pair.Follower))
	default:
		f.svc.gens.invalidate(0, edge(pair), followersOf(pair.Followee), followedBy(pair.Follower))
	}
}

func (p Pair) target() string { return "/edges/" + string(p.Follower) + "/" + string(p.Followee) }

package hand

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
)

// What the services answer, as far as it is needed. Times stay as they are written.
type (
	user struct {
		ID        string  `json:"id"`
		Handle    string  `json:"handle"`
		Name      string  `json:"name"`
		Bio       *string `json:"bio"`
		Status    string  `json:"status"`
		CreatedAt string  `json:"createdAt"`
	}
	post struct {
		ID          string  `json:"id"`
		AuthorID    string  `json:"authorId"`
		Title       string  `json:"title"`
		PublishedAt *string `json:"publishedAt"`
		CreatedAt   string  `json:"createdAt"`
	}
	comment struct {
		ID        string  `json:"id"`
		AuthorID  *string `json:"authorId"`
		Body      string  `json:"body"`
		CreatedAt string  `json:"createdAt"`
	}
	follow struct {
		FollowerID string `json:"followerId"`
	}
	followCounts struct {
		Followers int `json:"followers"`
		Following int `json:"following"`
	}

	page[T any] struct {
		Items []T     `json:"items"`
		Next  *string `json:"next"`
		Total int     `json:"total"`
	}
	groups[T any] struct {
		Groups map[string]page[T] `json:"groups"`
	}
	numbers[T any] struct {
		Counts map[string]T `json:"counts"`
	}
)

// maxIDs is how many ids the contract allows in one batch.
const maxIDs = 500

// users reads users by id, those who are active only: nobody else is shown to anonymous callers.
func (s *Server) users(ctx context.Context, ids map[string]bool) (map[string]*user, error) {
	batches := slices.Collect(slices.Chunk(slices.Collect(maps.Keys(ids)), maxIDs))
	answers := make([]page[*user], len(batches))
	group, ctx := errgroup.WithContext(ctx)
	for i, batch := range batches {
		group.Go(func() error {
			return s.get(ctx, s.services.User+"/users?ids="+strings.Join(batch, ","), &answers[i])
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	found := make(map[string]*user, len(ids))
	for _, answer := range answers {
		for _, u := range answer.Items {
			if u.Status == "active" {
				found[u.ID] = u
			}
		}
	}
	return found, nil
}

// posts reads one page of everybody's posts.
func (s *Server) posts(ctx context.Context, first int, after string) (page[*post], error) {
	url := s.services.Post + "/posts?limit=" + strconv.Itoa(first)
	if after != "" {
		url += "&after=" + after
	}
	var answer page[*post]
	return answer, s.get(ctx, url, &answer)
}

// cursor is the position of the last item of a page, as the contract encodes it.
func (p page[T]) cursor(last func(T) (createdAt, id string)) *string {
	if p.Next != nil || len(p.Items) == 0 {
		return p.Next
	}
	at, id := last(p.Items[len(p.Items)-1])
	encoded := base64.RawURLEncoding.EncodeToString([]byte(at + "|" + id))
	return &encoded
}

package hand

import (
	"context"

	"golang.org/x/sync/errgroup"
)

type (
	profileView struct {
		ID        string        `json:"id"`
		Handle    string        `json:"handle"`
		Name      string        `json:"name"`
		Bio       *string       `json:"bio"`
		CreatedAt string        `json:"createdAt"`
		Stats     statsView     `json:"stats"`
		Posts     postsView     `json:"posts"`
		Followers followersView `json:"followers"`
	}
	statsView struct {
		Posts     int `json:"posts"`
		Comments  int `json:"comments"`
		Followers int `json:"followers"`
		Following int `json:"following"`
	}
	postsView struct {
		Nodes []discussionView `json:"nodes"`
	}
	discussionView struct {
		ID          string       `json:"id"`
		Title       string       `json:"title"`
		PublishedAt *string      `json:"publishedAt"`
		Comments    commentsView `json:"comments"`
	}
	commentsView struct {
		Nodes []commentView `json:"nodes"`
	}
	commentView struct {
		ID        string      `json:"id"`
		Body      string      `json:"body"`
		CreatedAt string      `json:"createdAt"`
		Author    *personView `json:"author"`
	}
	followersView struct {
		TotalCount int           `json:"totalCount"`
		Nodes      []*personView `json:"nodes"`
	}
)

// facts are what the profile is made of.
type facts struct {
	user                    page[*user]
	posts                   groups[*post]
	comments                groups[*comment]
	followers               groups[follow]
	postCount, commentCount numbers[int]
	followCount             numbers[followCounts]
}

// profile takes eight calls in three rounds: what the user's id is enough for, the comments below the posts, and all people together.
func (s *Server) profile(ctx context.Context, id string) (any, error) {
	var f facts
	if err := s.firstRound(ctx, id, &f); err != nil {
		return nil, err
	}
	if len(f.user.Items) == 0 || f.user.Items[0].Status != "active" {
		return map[string]any{"user": nil}, nil
	}
	people := map[string]bool{}
	for _, edge := range f.followers.Groups[id].Items {
		people[edge.FollowerID] = true
	}
	if posts := f.posts.Groups[id].Items; len(posts) > 0 {
		url := s.services.Comment + "/comments/by-post?limit=5&postIds=" + posts[0].ID
		for _, p := range posts[1:] {
			url += "," + p.ID
		}
		if err := s.get(ctx, url, &f.comments); err != nil {
			return nil, err
		}
	}
	for _, comments := range f.comments.Groups {
		for _, c := range comments.Items {
			if c.AuthorID != nil {
				people[*c.AuthorID] = true
			}
		}
	}
	known, err := s.users(ctx, people)
	if err != nil {
		return nil, err
	}
	return map[string]*profileView{"user": f.view(id, known)}, nil
}

func (s *Server) firstRound(ctx context.Context, id string, f *facts) error {
	group, ctx := errgroup.WithContext(ctx)
	read := func(url string, value any) {
		group.Go(func() error { return s.get(ctx, url+id, value) })
	}
	read(s.services.User+"/users?ids=", &f.user)
	read(s.services.Post+"/posts/by-author?limit=10&authorIds=", &f.posts)
	read(s.services.Post+"/posts/counts?authorIds=", &f.postCount)
	read(s.services.Comment+"/comments/counts?authorIds=", &f.commentCount)
	read(s.services.Follower+"/followers?limit=20&userIds=", &f.followers)
	read(s.services.Follower+"/counts?userIds=", &f.followCount)
	return group.Wait()
}

// view puts the answer together; people are those who can be shown.
func (f *facts) view(id string, people map[string]*user) *profileView {
	u := f.user.Items[0]
	v := &profileView{ID: "user_" + u.ID, Handle: u.Handle, Name: u.Name, Bio: u.Bio, CreatedAt: u.CreatedAt}
	v.Stats = statsView{
		Posts: f.postCount.Counts[id], Comments: f.commentCount.Counts[id],
		Followers: f.followCount.Counts[id].Followers, Following: f.followCount.Counts[id].Following,
	}
	posts := f.posts.Groups[id].Items
	v.Posts.Nodes = make([]discussionView, len(posts))
	for i, p := range posts {
		comments := f.comments.Groups[p.ID].Items
		views := make([]commentView, len(comments))
		for j, c := range comments {
			views[j] = commentView{ID: "comment_" + c.ID, Body: c.Body, CreatedAt: c.CreatedAt}
			if c.AuthorID != nil {
				views[j].Author = person(people[*c.AuthorID])
			}
		}
		v.Posts.Nodes[i] = discussionView{ID: "post_" + p.ID, Title: p.Title, PublishedAt: p.PublishedAt, Comments: commentsView{views}}
	}
	followers := f.followers.Groups[id]
	v.Followers = followersView{TotalCount: followers.Total, Nodes: make([]*personView, len(followers.Items))}
	for i, edge := range followers.Items {
		v.Followers.Nodes[i] = person(people[edge.FollowerID])
	}
	return v
}

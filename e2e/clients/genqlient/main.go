// The program reads, writes and hears of what was written.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/Khan/genqlient/graphql"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, cmp.Or(os.Getenv("TRIBUTARY_URL"), "http://127.0.0.1:8080/graphql"), os.Getenv("TRIBUTARY_TOKEN")); err != nil {
		log.Fatal(err)
	}
}

// authorized sends the token with each request.
type authorized string

func (token authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(token))
	return http.DefaultTransport.RoundTrip(r)
}

func run(ctx context.Context, url, token string) error {
	client := graphql.NewClient(url, &http.Client{Transport: authorized(token)})
	read, err := Posts(ctx, client, 3)
	if err != nil {
		return err
	}
	var authors []string
	for _, post := range read.Posts.Nodes {
		if post.Author != nil { // as it is while the user service is down
			authors = append(authors, post.Author.Handle)
		}
	}
	written, err := Write(ctx, client, "From genqlient")
	if err != nil {
		return err
	}
	post := written.CreatePost.Post
	if post == nil {
		return errors.New(written.CreatePost.UserErrors[0].Message)
	}
	heard, err := listen(ctx, client, url, token, post.Id)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"authors": authors, "title": post.Title, "heard": heard})
}

// listen comments on a post until it hears of it: over a websocket the server does not say when it has begun to listen.
func listen(ctx context.Context, client graphql.Client, url, token, postID string) (*SaidCommentAddedComment, error) {
	live := graphql.NewClientUsingWebSocket(strings.Replace(url, "http", "ws", 1), dial{},
		graphql.WithConnectionParams(map[string]any{"Authorization": "Bearer " + token}))
	failed, err := live.Start(ctx)
	if err != nil {
		return nil, err
	}
	defer live.Close()
	events, _, err := Said(ctx, live, postID)
	if err != nil {
		return nil, err
	}
	for {
		if _, err := Comment(ctx, client, postID); err != nil {
			return nil, err
		}
		select {
		case event := <-events:
			if event.Errors != nil {
				return nil, event.Errors
			}
			return event.Data.CommentAdded.Comment, nil
		case err := <-failed:
			return nil, err
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

package rest

import "encoding/json"

// documentProfile is the document of a profile. It is good in every version.
const documentProfile = `query RestProfile($id: ID!, $posts: Int!, $postsAfter: String, $followers: Int!, $followersAfter: String) {
  user(id: $id) {
    id handle name bio avatarUrl createdAt
    stats { posts comments followers following }
    posts(first: $posts, after: $postsAfter) {
      items: nodes { id title body status publishedAt }
      page: pageInfo { more: hasNextPage end: endCursor }
      total: totalCount
    }
    followers(first: $followers, after: $followersAfter) {
      items: edges { followedAt user: node { id handle name avatarUrl } }
      page: pageInfo { more: hasNextPage end: endCursor }
      total: totalCount
    }
  }
}`

const (
	standardPosts     = 10
	standardFollowers = 10
)

// profileBody is the answer of GET /api/profile/{id}. What a service that is down has is null: a number of stats, a list, the user of a
// follower.
type profileBody struct {
	ID        string          `json:"id"`
	Handle    string          `json:"handle"`
	Name      string          `json:"name"`
	Bio       *string         `json:"bio"`
	AvatarURL *string         `json:"avatarUrl"`
	CreatedAt string          `json:"createdAt"`
	Stats     json.RawMessage `json:"stats"`
	Posts     *page           `json:"posts"`
	Followers *page           `json:"followers"`
	marks
}

func askProfile(id string, given parameters) (question, error) {
	posts, err := given.limit("postsLimit", standardPosts)
	if err != nil {
		return question{}, err
	}
	followers, err := given.limit("followersLimit", standardFollowers)
	if err != nil {
		return question{}, err
	}
	return question{
		document: documentProfile,
		variables: map[string]any{
			"id": id, "posts": posts, "postsAfter": given.cursor("postsAfter"), "followers": followers, "followersAfter": given.cursor("followersAfter"),
		},
		root: "user",
		blame: map[string]*parameterError{
			"": {"id", wrongID}, "/posts": {"postsAfter", wrongCursor("postsAfter")}, "/followers": {"followersAfter", wrongCursor("followersAfter")},
		},
		shape: shaped[profileBody],
	}, nil
}

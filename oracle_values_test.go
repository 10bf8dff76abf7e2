package main

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"tributary/clients"
)

// idOf draws a global id, most of the time of something that exists.
func idOf(r *rand.Rand, kind string) string {
	most := map[string]int{"user": worldUsers + 1, "post": worldPosts + 1, "comment": worldComments + 1, "job": 5, "saga": 5, "wh": 4}[kind]
	n := strconv.Itoa(r.IntN(most))
	switch {
	case r.IntN(40) == 0:
		return "nonsense"
	case r.IntN(40) == 0:
		return "user_nobody"
	case kind == "user" && r.IntN(3) == 0:
		return "user_u1" // who asks, most of the time
	case kind == "job" || kind == "saga" || kind == "wh":
		return kind + "_" + kind + n
	}
	return kind + "_" + kind[:1] + n
}

// idKinds are the kinds of the ids that arguments and members of inputs take, where their names do not tell.
var idKinds = map[string]string{
	"Query.user(id:)": "user", "Query.post(id:)": "post", "Query.comment(id:)": "comment", "Query.job(id:)": "job", "Query.saga(id:)": "saga",
	"Query.webhook(id:)": "wh", "UpdateUserInput.id": "user", "UpdatePostInput.id": "post", "PublishPostInput.id": "post", "DeletePostInput.id": "post",
	"UpdateCommentInput.id": "comment", "DeleteCommentInput.id": "comment", "AddCommentInput.parentId": "comment", "AddCommentInput.postId": "post",
	"Mutation.cancelJob(id:)": "job", "Mutation.retryJob(id:)": "job",
}

// valueOf gives what exists to the arguments that ask for it.
func valueOf(r *rand.Rand, coordinate string) (any, bool) {
	name := coordinate[strings.LastIndexAny(coordinate, ".(")+1:]
	name = strings.TrimSuffix(name, ":)")
	if kind, ok := idKinds[coordinate]; ok {
		return idOf(r, kind), true
	}
	switch name {
	case "id", "entityId":
		return idOf(r, []string{"user", "post", "comment", "wh"}[r.IntN(4)]), true
	case "ids":
		return several(r, "user", "post", "comment"), true
	case "representations":
		return representationsOf(r), true
	case "authorIds":
		return several(r, "user"), true
	case "authorId", "userId", "ownerId", "actorId", "followerId", "fromId", "intoId":
		return idOf(r, "user"), true
	case "handle":
		return "handle_" + strconv.Itoa(r.IntN(worldUsers+1)), true
	case "first", "last":
		if r.IntN(25) == 0 {
			return r.IntN(3) - 1, true
		}
		return 1 + r.IntN(4), true
	case "after", "before":
		return cursorOf(r, coordinate), true
	case "at", "from", "to", "publishAt", "expiresAt":
		return worldStart.Add(time.Duration(r.IntN(20)-10) * time.Second).Format(time.RFC3339Nano), true
	case "types", "eventTypes":
		return []any{[]string{"post.published", "user.updated", "comment.created"}[r.IntN(3)]}, true
	}
	return nil, false
}

func several(r *rand.Rand, kinds ...string) []any {
	ids := make([]any, r.IntN(4))
	for i := range ids {
		ids[i] = idOf(r, kinds[r.IntN(len(kinds))])
	}
	return ids
}

// representationsOf draws what a federated router asks for; some of it makes no sense.
func representationsOf(r *rand.Rand) []any {
	list := make([]any, r.IntN(4))
	for i := range list {
		name := []string{"User", "Post", "Comment"}[r.IntN(3)]
		switch object := map[string]any{"__typename": name, "id": idOf(r, strings.ToLower(name))}; r.IntN(12) {
		case 0:
			delete(object, "id")
			list[i] = object
		case 1:
			object["__typename"] = "PageInfo"
			list[i] = object
		case 2:
			list[i] = "no object"
		default:
			list[i] = object
		}
	}
	return list
}

// cursorOf draws a place in a list.
func cursorOf(r *rand.Rand, coordinate string) string {
	n := r.IntN(20)
	cursor := string(clients.CursorAt(worldStart.Add(-time.Duration(n)*61*time.Minute), "p"+strconv.Itoa(n)))
	switch {
	case strings.Contains(coordinate, ".activity("):
		return "post:" + cursor
	case strings.Contains(coordinate, ".history("), strings.Contains(coordinate, ".auditLog("):
		return "e" + strconv.Itoa(1+r.IntN(4))
	case r.IntN(20) == 0:
		return "nonsense"
	}
	return cursor
}

// pages are the lists that only go forward, whose arguments may all be left out.
var pages = map[string]bool{
	"Query.apiKeys": true, "Query.jobs": true, "Query.sagas": true, "Query.webhooks": true, "Query.auditLog": true, "Webhook.deliveries": true,
	"User.history": true, "Post.history": true, "Comment.history": true,
}

// argumentsOf chooses arguments that go together, most of the time.
func argumentsOf(r *rand.Rand, coordinate string) (names []string, ok bool) {
	field := coordinate[strings.Index(coordinate, ".")+1:]
	may := func(share float64, more ...string) {
		if r.Float64() < share {
			names = append(names, more[r.IntN(len(more))])
		}
	}
	switch {
	case coordinate == "Query.user":
		may(0.98, "id", "handle")
	case pages[coordinate]:
		may(0.6, "first")
		may(0.08, "after")
		may(0.3, "states", "filter", "ownerId")
	case strings.HasPrefix(coordinate, "Mutation."):
		return nil, false
	case field == "posts" || field == "comments" || field == "users" || field == "followers" || field == "following" || field == "replies" || field == "activity" || field == "feed":
		may(0.97, "first", "first", "last")
		may(0.1, "after", "before")
		may(0.25, "orderBy")
		may(0.4, "authorIds", "topLevel")
	default:
		return nil, false
	}
	return names, true
}

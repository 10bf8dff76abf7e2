package event

// TopicAll is the topic of every event.
const TopicAll = "*"

// Topics returns the topics of an event, by which subscribers ask for it: "entity:<subject>" and "*" always; "post.added" and
// "post.added:<authorId>" when a post became public, by post.published or as created in public; "comment.added:<postId>" for
// comment.created; "follower.added:<followeeId>" for follower.added. A snapshot tells nothing new and has "*" alone; an event
// that was redacted is not found by the names that its data had.
func Topics(e Event) []string {
	if e.Snapshot() {
		return []string{TopicAll}
	}
	topics := []string{TopicAll, "entity:" + e.Subject}
	switch e.Type {
	case "post.published", "post.created", "comment.created", "follower.added":
	default:
		return topics
	}
	data, err := members(e.Data)
	if err != nil {
		data = nil
	}
	add := func(topic, member string) {
		if name := text(data[member]); name != "" {
			topics = append(topics, topic+":"+name)
		}
	}
	switch {
	case e.Type == "post.published", e.Type == "post.created" && text(data["status"]) == "published":
		topics = append(topics, "post.added")
		add("post.added", "authorId")
	case e.Type == "comment.created":
		add("comment.added", "postId")
	case e.Type == "follower.added":
		add("follower.added", "followeeId")
	}
	return topics
}

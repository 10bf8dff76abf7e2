package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// maxEntityIDBytes is the longest id that the services' contract knows.
const maxEntityIDBytes = 64

// Types returns the types of event that a service may send: what can happen to its entities, and the snapshot of one. None for a
// service that is not known.
func Types(source string) []string {
	switch source {
	case "user":
		return []string{"user.created", "user.updated", "user.frozen", "user.deleted", "user.restored", "user.snapshot"}
	case "post":
		return []string{"post.created", "post.updated", "post.published", "post.hidden", "post.deleted", "post.restored", "post.snapshot"}
	case "comment":
		return []string{"comment.created", "comment.updated", "comment.deleted", "comment.restored", "comment.snapshot"}
	case "follower":
		return []string{"follower.added", "follower.removed", "follower.snapshot"}
	}
	return nil
}

// checkEvent holds the event at an index against what its source may say: type, subject, merge patch and names. One without data
// was redacted before it was sent: there is only the envelope.
func checkEvent(e Event, index int) *refusal {
	if !slices.Contains(Types(e.Source), e.Type) {
		return unfit(index, "the type is none of this source's")
	}
	kind, id, _ := strings.Cut(e.Subject, "/")
	if !fits(e.Source, kind, id) {
		return unfit(index, "the subject does not fit the type")
	}
	if e.Data == nil {
		return nil
	}
	data, err := members(e.Data)
	if err != nil {
		return unfit(index, "data must be a merge patch: an object that names each member once")
	}
	if detail := checkNames(e.Source, id, data); detail != "" {
		return unfit(index, detail)
	}
	return nil
}

// fits says whether a source may speak of a subject: user/{id}, post/{id}, comment/{id} or follow/{follower}:{followee}.
func fits(source, kind, id string) bool {
	if source == "follower" {
		follower, followee, ok := strings.Cut(id, ":")
		return kind == "follow" && ok && validID(follower) && validID(followee)
	}
	return kind == source && validID(id)
}

// checkNames says what is wrong with the members that tell whom and what else an event concerns; "" when nothing is.
func checkNames(source, id string, data map[string]json.RawMessage) string {
	switch source {
	case "follower":
		follower, followee, _ := strings.Cut(id, ":")
		if !is(data["followerId"], follower) || !is(data["followeeId"], followee) {
			return "data must name followerId and followeeId, as in the subject"
		}
		return ""
	case "post":
		if !names(data, "authorId", false) {
			return "data must name the post's authorId"
		}
	case "comment":
		if !names(data, "postId", false) || !names(data, "parentId", true) || !names(data, "authorId", true) {
			return "data must name the comment's postId, and parentId and authorId, which may be null"
		}
	}
	if raw, ok := data["id"]; ok && !is(raw, id) {
		return "id must be the subject's"
	}
	if _, ok := data["previousAuthorId"]; ok && !names(data, "previousAuthorId", true) {
		return "previousAuthorId must be an id or null"
	}
	return ""
}

// names says whether a member is an id, or null where that is allowed.
func names(data map[string]json.RawMessage, member string, orNull bool) bool {
	raw, ok := data[member]
	if string(raw) == "null" {
		return orNull
	}
	return ok && validID(text(raw))
}

func is(raw json.RawMessage, id string) bool { return text(raw) == id }

// text is the string that raw is in JSON; "" for everything else.
func text(raw json.RawMessage) (s string) {
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// validID says whether s is an id of the contract: 1 to 64 bytes out of A-Z a-z 0-9 - . _ ~.
func validID(s string) bool {
	if len(s) == 0 || len(s) > maxEntityIDBytes {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && c != '-' && c != '.' && c != '_' && c != '~' {
			return false
		}
	}
	return true
}

// members reads an object. Unlike json.Unmarshal it tells names apart by case, and refuses one that stands there twice: which of
// the two would hold is anybody's guess.
func members(raw json.RawMessage) (map[string]json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('{') {
		return nil, errors.New("not an object")
	}
	found := map[string]json.RawMessage{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name := token.(string) // in an object nothing else stands here
		if _, twice := found[name]; twice {
			return nil, errors.New("a member stands there twice")
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		found[name] = value
	}
	_, err := decoder.Token() // the end of the object
	return found, err
}

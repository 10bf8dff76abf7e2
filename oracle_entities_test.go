package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// worldStart is when everything in a world began.
var worldStart = time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)

// How many entities of each kind there are; ids beyond that do not exist.
const (
	worldUsers    = 30
	worldPosts    = 60
	worldComments = 90
)

func atoi(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// entityOf is the entity of a service with an id; nil where there is none.
func entityOf(service, id string) map[string]any {
	switch service {
	case "user":
		return userOf(id)
	case "post":
		return postOf(id)
	}
	return commentOf(id)
}

// numberIn is the number in an id such as u12; not ok for one of another kind or beyond what there is.
func numberIn(kind, id string, most int) (n int, ok bool) {
	text, ok := strings.CutPrefix(id, kind)
	n, err := strconv.Atoi(text)
	return n, ok && err == nil && n >= 0 && n < most && strconv.Itoa(n) == text
}

// texts need care when they are written as JSON.
var texts = []string{"plain", "a \"quoted\" \\ word", "line\nbreak\ttab", "é 漢字 \U0001F600", "<b>&amp;</b>", "\u2028\u007f\u0001", ""}

func textOf(parts ...string) string { return texts[hashed(parts...)%uint64(len(texts))] }

// maybe is nothing for every third.
func maybe(parts ...string) any {
	if hashed(parts...)%3 == 0 {
		return nil
	}
	return textOf(parts...)
}

// aged is an entity with what all have; n orders them.
func aged(id string, n int, members map[string]any) map[string]any {
	created := worldStart.Add(-time.Duration(n) * 61 * time.Minute)
	members["id"], members["createdAt"], members["updatedAt"], members["version"] = id, created, created.Add(time.Duration(n)*time.Second), 1+n%5
	return members
}

func userOf(id string) map[string]any {
	n, ok := numberIn("u", id, worldUsers)
	if !ok {
		return nil
	}
	status := "active"
	if n%9 == 8 {
		status = "frozen"
	}
	return aged(id, n, map[string]any{
		"handle": "handle_" + strconv.Itoa(n), "name": textOf(id, "name"), "email": maybe(id, "email"), "bio": maybe(id, "bio"),
		"avatarUrl": maybe(id, "avatar"), "status": status,
	})
}

func postOf(id string) map[string]any {
	n, ok := numberIn("p", id, worldPosts)
	if !ok {
		return nil
	}
	post := aged(id, n, map[string]any{
		"authorId": "u" + strconv.Itoa(n*7%(worldUsers+3)), // some authors are gone
		"title":    textOf(id, "title"), "body": textOf(id, "body"), "status": "published",
	})
	post["publishedAt"] = post["createdAt"]
	if n%7 == 3 {
		post["status"], post["publishedAt"] = "draft", nil
	}
	return post
}

func commentOf(id string) map[string]any {
	n, ok := numberIn("c", id, worldComments)
	if !ok {
		return nil
	}
	comment := aged(id, n, map[string]any{
		"postId": "p" + strconv.Itoa(n%(worldPosts+2)), "parentId": nil, "authorId": "u" + strconv.Itoa(n*11%(worldUsers+2)),
		"body": textOf(id, "body"), "status": "published",
	})
	if n%3 == 1 {
		comment["parentId"] = "c" + strconv.Itoa(n/2)
	}
	if n%6 == 5 {
		comment["authorId"] = nil
	}
	if n%10 == 5 {
		comment["status"], comment["body"] = "deleted", ""
	}
	return comment
}

func edgeOf(follower, followee string, n int) map[string]any {
	return map[string]any{"followerId": follower, "followeeId": followee, "followedAt": worldStart.Add(-time.Duration(n) * time.Hour), "version": 1}
}

// list is the whole list that a key has, the newest first; many are empty.
func (a *asked) list(key string) []map[string]any {
	most := map[string]int{"user": worldUsers, "post": worldPosts, "comment": worldComments, "follower": worldUsers}[a.service]
	seed := hashed(a.path, key, a.query.Get("visibility"), a.query.Get("topLevel"))
	size, first, step := int(seed%7), int(seed/7%uint64(most)), 1+int(seed/1000%4)
	if key == "*" {
		size = most
	}
	list := []map[string]any{}
	for n := first % (1 + most - min(size*step, most)); n < most && len(list) < size; n += step {
		item := a.member(key, n)
		if item == nil || a.query.Get("visibility") == "public" && item["status"] != "published" || item["status"] == "frozen" {
			continue
		}
		list = append(list, item)
	}
	return list
}

// member is the n-th item that a list may have.
func (a *asked) member(key string, n int) map[string]any {
	id := strconv.Itoa(n)
	switch a.path {
	case "/users":
		return userOf("u" + id)
	case "/followers":
		return edgeOf("u"+id, key, n)
	case "/following":
		return edgeOf(key, "u"+id, n)
	}
	item := entityOf(a.service, a.service[:1]+id)
	switch a.path {
	case "/posts/by-author", "/comments/by-author":
		item["authorId"] = key
	case "/comments/by-post":
		item["postId"] = key
	case "/comments/replies":
		item["parentId"] = key
	}
	return item
}

// positionOf is where an item stands in a list, as its cursor says it.
func positionOf(item map[string]any) string {
	if at, ok := item["followedAt"]; ok {
		return at.(time.Time).Format(time.RFC3339Nano)
	}
	return item["createdAt"].(time.Time).Format(time.RFC3339Nano)
}

// decodedCursor is the time in a cursor; no two items of a list have the same.
func decodedCursor(cursor string) string {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return ""
	}
	at, _, _ := strings.Cut(string(raw), "|")
	return at
}

// write answers a write as if it had been done, or refuses it.
func (a *asked) write(r *http.Request) (int, []byte) {
	switch roll := a.roll(a.method, a.path, "refused"); {
	case a.faulty && roll < 0.08:
		return http.StatusConflict, []byte(`{"code":"CONFLICT"}`)
	case a.faulty && roll < 0.16:
		return http.StatusUnprocessableEntity, []byte(`{"code":"INVALID","errors":[{"field":"name","code":"TOO_LONG","message":"too \"long\""},{"field":"body","code":"ODD","message":"odd"}]}`)
	case a.faulty && roll < 0.2:
		return http.StatusNotFound, []byte(`{"code":"NOT_FOUND"}`)
	case r.Method == http.MethodDelete:
		return http.StatusNoContent, nil
	}
	steps := strings.Split(a.path, "/")
	var made map[string]any
	switch {
	case len(steps) == 4:
		made = edgeOf(steps[2], steps[3], 0)
	case len(steps) == 3:
		made = entityOf(a.service, steps[2])
	default:
		made = entityOf(a.service, a.service[:1]+"4")
	}
	if made == nil {
		return http.StatusNotFound, []byte(`{"code":"NOT_FOUND"}`)
	}
	var sent map[string]any
	if err := json.NewDecoder(r.Body).Decode(&sent); err == nil {
		for member, value := range sent {
			made[member] = value
		}
	}
	body, err := json.Marshal(made)
	if err != nil {
		return http.StatusInternalServerError, nil
	}
	return http.StatusOK, body
}

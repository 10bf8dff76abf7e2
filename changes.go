package main

import (
	"encoding/json"
	"slices"
	"strings"

	"tributary/clients"
	"tributary/internal/event"
)

// changeOf says what an event means to the cache. ok is false for one that means nothing, such as a snapshot.
func changeOf(e event.Event) (change clients.Change, ok bool) {
	kind, id, found := strings.Cut(e.Subject, "/")
	if !found || e.Snapshot() {
		return clients.Change{}, false
	}
	var data struct{ AuthorID, PreviousAuthorID, PostID, PreviousPostID, ParentID, PreviousParentID, Handle, Status string }
	_ = json.Unmarshal(e.Data, &data) // what is not there is not known, and costs more than the change
	change = clients.Change{
		Kind: kind, ID: id, Version: int(e.Version), Type: e.Type,
		AuthorIDs: given(data.AuthorID, data.PreviousAuthorID), PostIDs: given(data.PostID, data.PreviousPostID),
		ParentIDs: given(data.ParentID, data.PreviousParentID), Handles: given(data.Handle),
		Moved: data.PreviousAuthorID != "",
		Draft: e.Type == "post.created" && data.Status == "draft",
	}
	_, verb, _ := strings.Cut(e.Type, ".")
	change.Gone = slices.Contains([]string{"deleted", "hidden", "removed", "frozen"}, verb) || e.Data == nil
	return change, true
}

// given leaves out what is empty.
func given(ids ...string) []string {
	return slices.DeleteFunc(ids, func(id string) bool { return id == "" })
}

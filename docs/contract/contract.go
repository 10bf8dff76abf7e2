// Package contract holds the OpenAPI 3.1 documents of the four services behind the graph. What they share
// (order, cursors, pages, visibility, idempotency) is told in README.md beside them.
package contract

import "embed"

//go:embed user.yaml post.yaml comment.yaml follower.yaml
var documents embed.FS

// Services returns the names of the services that have a document, in the order user, post, comment, follower.
// The slice is the caller's.
func Services() []string { return []string{"user", "post", "comment", "follower"} }

// Document returns the OpenAPI document (YAML) of a service named by Services, and false for any other name.
// The bytes are a copy of the caller's own.
func Document(service string) ([]byte, bool) {
	document, err := documents.ReadFile(service + ".yaml")
	return document, err == nil
}

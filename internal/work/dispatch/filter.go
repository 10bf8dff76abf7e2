package dispatch

import (
	"slices"
	"strings"

	"tributary/internal/event"
)

// wants says whether a consumer gets an event: none of its types, "*" and "post.*" pick what happened, and only its exact type
// picks a snapshot.
func wants(types []string, e event.Event) bool {
	if slices.Contains(types, e.Type) {
		return true
	}
	return !e.Snapshot() && (len(types) == 0 || slices.ContainsFunc(types, func(pattern string) bool {
		prefix, open := strings.CutSuffix(pattern, "*")
		return open && (prefix == "" || strings.HasSuffix(prefix, ".")) && strings.HasPrefix(e.Type, prefix)
	}))
}

package webhook

import (
	"slices"
	"strings"

	"tributary/internal/event"
)

// TypePing is the type of the event that Endpoints.Ping sends.
const TypePing = "webhook.ping"

const maxTypes = 50 // of one endpoint

// EventTypes returns the types of events that an endpoint can ask for by name, sorted: the services' and the gateway's own.
func EventTypes() []string {
	types := []string{"saga.failed", "saga.stuck", "saga.completed", "export.completed", "webhook.disabled", TypePing}
	for _, source := range []string{"user", "post", "comment", "follower"} {
		types = append(types, event.Types(source)...)
	}
	slices.Sort(types)
	return types
}

// checkTypes returns the types without repetitions.
func checkTypes(types []string) ([]string, *Error) {
	if len(types) == 0 || len(types) > maxTypes {
		return nil, refuse("eventTypes", CodeInvalid, "Name 1 to 50 types of events.")
	}
	known := EventTypes()
	var chosen []string
	for _, t := range types {
		prefix, open := strings.CutSuffix(t, ".*")
		fits := func(name string) bool { return name == t || (open && strings.HasPrefix(name, prefix+".")) }
		switch {
		case t != "*" && !slices.ContainsFunc(known, fits):
			return nil, refuse("eventTypes", CodeUnknownEventType, "A type is one of "+strings.Join(known, ", ")+", all of a kind such as post.*, or *.")
		case !slices.Contains(chosen, t):
			chosen = append(chosen, t)
		}
	}
	return chosen, nil
}

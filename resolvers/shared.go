package resolvers

// Shared says whether a field of an object may be answered by the run of another operation that asks the same, with the same rights and at
// the same time: see operation.Coalescing. That is what comes from the four services, of whose changes clients.Clients.Changes tells.
// What comes from anywhere else (the log of events, durable work, API keys), or is about the operation itself, each reads for itself.
func Shared(object, field string) bool {
	if object != "Query" {
		return field != "history" && field != "asOf"
	}
	switch field {
	case "node", "nodes", "viewer", "user", "users", "post", "posts", "feed", "comment", "_entities":
		return true
	}
	return false
}

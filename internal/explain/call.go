package explain

import (
	"fmt"
	"strings"

	"tributary/clients"
)

// sent says whether a call went out, and was not answered out of the cache or by another one's answer.
func sent(call clients.Call) bool { return !call.Cached && !call.Joined && !call.Stale }

// describeCall tells one call: service, request, keys and how it went, as columns.
func describeCall(call clients.Call, keys, asked int) string {
	how := milliseconds(call.Duration)
	switch {
	case call.Cached:
		how = "from the cache"
	case call.Joined:
		how = "joined an identical call"
	case call.Stale:
		how = "stale, from the cache"
	case call.Err != nil:
		how += ", failed"
		if call.Status != 0 {
			how += fmt.Sprintf(" with %d", call.Status)
		}
	}
	if call.Attempt > 1 {
		how += fmt.Sprintf(", attempt %d", call.Attempt)
	}
	count := plural(call.Keys, "key")
	if call.Keys == keys && asked > keys {
		count += fmt.Sprintf(" (wanted %d times)", asked)
	}
	if call.Bytes > 0 {
		how += fmt.Sprintf(", %.1f kB", float64(call.Bytes)/1000)
	}
	return strings.Join([]string{call.Service, count, how, call.Method + " " + clip(call.Target)}, "\t")
}

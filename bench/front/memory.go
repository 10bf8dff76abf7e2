package front

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
)

// shape is how an answer of the contract is made up of parts, one for each key asked for.
type shape int

const (
	whole  shape = iota // of one part
	items               // {"items":[…]}, each with its id; what does not exist is left out
	groups              // {"groups":{key:…}}
	counts              // {"counts":{key:…}}
)

// keyed says which parameter of an endpoint holds the keys, and what the answer is made up of. Batches then need not hold the same
// keys in the same order to be known. Other reads are remembered whole.
var keyed = map[string]struct {
	parameter string
	shape     shape
}{
	"/users":              {"ids", items},
	"/posts":              {"ids", items},
	"/comments":           {"ids", items},
	"/posts/by-author":    {"authorIds", groups},
	"/posts/counts":       {"authorIds", counts},
	"/comments/by-post":   {"postIds", groups},
	"/comments/counts":    {"authorIds", counts},
	"/comments/by-author": {"authorIds", groups},
	"/comments/replies":   {"parentIds", groups},
	"/followers":          {"userIds", groups},
	"/following":          {"userIds", groups},
	"/counts":             {"userIds", counts},
}

// ask is a read, taken apart.
type ask struct {
	rest  string   // path and query without the keys
	keys  []string // one empty key for what is remembered whole
	shape shape
}

func parse(u *url.URL) ask {
	of, known := keyed[u.Path]
	if !known {
		return ask{rest: u.RequestURI(), keys: []string{""}}
	}
	rest := make([]string, 0, 8)
	rest = append(rest, u.Path)
	var keys string
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if value, ok := strings.CutPrefix(pair, of.parameter+"="); ok {
			keys = value
		} else {
			rest = append(rest, pair)
		}
	}
	if strings.Contains(keys, "%") {
		keys, _ = url.QueryUnescape(keys) // malformed: the service says so
	}
	if keys == "" {
		return ask{rest: u.RequestURI(), keys: []string{""}}
	}
	return ask{rest: strings.Join(rest, "&"), keys: strings.Split(keys, ","), shape: of.shape}
}

// memory holds the parts of answers. It is safe for concurrent use.
type memory struct {
	mu    sync.RWMutex
	left  int                          // bytes that it may still take
	parts map[string]map[string]string // by upstream and rest of the read, then by key; empty: there is nothing of that key
}

// answer puts an answer together; ok is false when a part is not known.
func (m *memory) answer(upstream string, a ask) (body []byte, ok bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	parts := m.parts[upstream+a.rest]
	if a.shape == whole {
		part, ok := parts[""]
		return []byte(part), ok
	}
	size := 64
	for _, key := range a.keys {
		part, ok := parts[key]
		if !ok {
			return nil, false
		}
		size += len(key) + len(part) + 4
	}
	body = append(make([]byte, 0, size), opening[a.shape]...)
	start := len(body)
	for _, key := range a.keys {
		part := parts[key]
		if part == "" {
			continue
		}
		if len(body) > start {
			body = append(body, ',')
		}
		if a.shape != items {
			body = append(append(append(body, '"'), key...), '"', ':') // ids need no escaping
		}
		body = append(body, part...)
	}
	return append(body, closing[a.shape]...), true
}

var (
	opening = [...]string{items: `{"items":[`, groups: `{"groups":{`, counts: `{"counts":{`}
	closing = [...]string{items: `]}`, groups: `}}`, counts: `}}`}
)

// learn remembers an answer of the service, unless there is no room.
func (m *memory) learn(upstream string, a ask, body []byte) error {
	parts, err := split(a, body)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	const overhead = 64 // of a map's entry
	name := upstream + a.rest
	known := m.parts[name]
	if known == nil {
		if m.left < len(name)+overhead {
			return nil
		}
		m.left -= len(name) + overhead
		known = map[string]string{}
		m.parts[name] = known
	}
	for key, part := range parts {
		if _, ok := known[key]; ok || m.left < len(key)+len(part)+overhead {
			continue
		}
		m.left -= len(key) + len(part) + overhead
		known[key] = part
	}
	return nil
}

// split takes an answer apart: a part for every key that was asked for.
func split(a ask, body []byte) (map[string]string, error) {
	parts := make(map[string]string, len(a.keys))
	for _, key := range a.keys {
		parts[key] = ""
	}
	if a.shape == whole {
		parts[""] = string(body)
		return parts, nil
	}
	var answer struct {
		Items          []json.RawMessage
		Groups, Counts map[string]json.RawMessage
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("the service's answer: %w", err)
	}
	for _, item := range answer.Items {
		var entity struct{ ID string }
		if err := json.Unmarshal(item, &entity); err != nil {
			return nil, fmt.Errorf("an item of the service's answer: %w", err)
		}
		parts[entity.ID] = string(item)
	}
	for _, members := range []map[string]json.RawMessage{answer.Groups, answer.Counts} {
		for key, member := range members {
			parts[key] = string(member)
		}
	}
	return parts, nil
}

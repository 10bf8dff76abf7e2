package doctor

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// endpoint describes one read of the contract.
type endpoint struct {
	name   string // part of the names of its checks
	path   string
	keys   string // query parameter that names what is asked for; empty for a list
	schema string
	at     string            // member that orders its lists first
	by     string            // and second
	label  func(item) string // a batch read's word for an item, as asked for; nil where that is its id
	folded bool              // names are compared without case, and label is in lower case
	rules  []rule
}

// rule is an invariant of each item that an endpoint shows.
type rule struct {
	name string
	test func(it item, key string, query url.Values) error
}

// Invariants of the answers of endpoints, each behind the endpoint's name.
const (
	ruleSchema    = ".schema"
	ruleType      = ".content-type"
	ruleLimit     = ".limit"
	ruleOrder     = ".order"
	ruleCursors   = ".cursors"
	ruleTotal     = ".total"
	ruleEveryKey  = ".every-key"
	ruleOnlyAsked = ".only-asked"
)

// page is one page of a list, checked.
type page struct {
	items      []item
	next, prev string // empty for null
	total      int64
	request    string
}

func (ep endpoint) asked(item item) string {
	if ep.label != nil {
		return ep.label(item)
	}
	return item.text("id")
}

func (ep endpoint) request(keys []string, query url.Values) request {
	query = maps.Clone(query)
	if query == nil {
		query = url.Values{}
	}
	if ep.keys != "" && keys != nil {
		query.Set(ep.keys, strings.Join(keys, ","))
	}
	return request{name: ep.name, method: http.MethodGet, path: ep.path, query: query, schema: ep.schema}
}

// declareReads announces the invariants of an endpoint.
func (s *inspection) declareReads(ep endpoint, names ...string) {
	s.declare(ep.name+ruleSchema, ep.name+ruleType)
	for _, name := range names {
		s.declare(ep.name + name)
	}
	for _, r := range ep.rules {
		s.declare(ep.name + "." + r.name)
	}
}

func (s *inspection) declareList(ep endpoint) {
	s.declareReads(ep, ruleLimit, ruleOrder, ruleCursors, ruleTotal)
}

func (s *inspection) declareWindows(ep endpoint) {
	s.declareReads(ep, ruleLimit, ruleOrder, ruleCursors, ruleTotal, ruleEveryKey)
}

// list reads a page of a list endpoint.
func (s *inspection) list(ctx context.Context, ep endpoint, query url.Values) (page, error) {
	r := ep.request(nil, query)
	ans, err := s.expect(ctx, r, http.StatusOK)
	if err != nil {
		return page{}, err
	}
	return s.page(ep, "", ans.request, r.query, ans.tree)
}

// groups reads a windowed endpoint: a page for each key, and for no other.
func (s *inspection) groups(ctx context.Context, ep endpoint, keys []string, query url.Values) (map[string]page, error) {
	r := ep.request(keys, query)
	ans, err := s.expect(ctx, r, http.StatusOK)
	if err != nil {
		return nil, err
	}
	groups := members(ans.tree["groups"])
	if err := s.hold(ep.name+ruleEveryKey, sameKeys(ans.request, keys, groups)); err != nil {
		return nil, err
	}
	out := make(map[string]page, len(groups))
	for key, group := range groups {
		if out[key], err = s.page(ep, key, ans.request, r.query, members(group)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// batch reads things by name. What nobody asked for breaches the endpoint's only-asked.
func (s *inspection) batch(ctx context.Context, ep endpoint, names []string, query url.Values) ([]item, error) {
	r := ep.request(names, query)
	ans, err := s.expect(ctx, r, http.StatusOK)
	if err != nil {
		return nil, err
	}
	items, err := s.items(ep, "", ans.request, r.query, ans.tree)
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		name := ep.asked(it)
		if !slices.ContainsFunc(names, func(n string) bool { return n == name || ep.folded && strings.ToLower(n) == name }) {
			return nil, s.hold(ep.name+ruleOnlyAsked, sawInstead(ans.request, "only what was asked for", "%s too", quote(name)))
		}
	}
	return items, s.hold(ep.name+ruleOnlyAsked, nil)
}

// counts reads a counting endpoint. A plain number comes back under the empty name.
func (s *inspection) counts(ctx context.Context, ep endpoint, keys []string, query url.Values) (map[string]map[string]int64, error) {
	ans, err := s.expect(ctx, ep.request(keys, query), http.StatusOK)
	if err != nil {
		return nil, err
	}
	counts := members(ans.tree["counts"])
	if err := s.hold(ep.name+ruleEveryKey, sameKeys(ans.request, keys, counts)); err != nil {
		return nil, err
	}
	out := make(map[string]map[string]int64, len(counts))
	for key, count := range counts {
		out[key] = make(map[string]int64)
		if n, ok := integer(count); ok {
			out[key][""] = n
		}
		for name, number := range members(count) {
			out[key][name], _ = integer(number)
		}
	}
	return out, nil
}

func sameKeys[V any](request string, asked []string, got map[string]V) error {
	for _, key := range asked {
		if _, ok := got[key]; !ok {
			return sawInstead(request, "an entry for every id asked for", "none for %s", quote(key))
		}
	}
	for key := range got {
		if !slices.Contains(asked, key) {
			return sawInstead(request, "entries for the ids asked for", "one for %s too", quote(key))
		}
	}
	return nil
}

// items reads the items of an answer and holds them to the endpoint's rules.
func (s *inspection) items(ep endpoint, key, shown string, query url.Values, tree map[string]any) ([]item, error) {
	list, _ := tree["items"].([]any)
	items := make([]item, 0, len(list))
	for _, raw := range list {
		it := item{members: members(raw)}
		it.id = it.text(ep.by)
		at, err := time.Parse(time.RFC3339Nano, it.text(ep.at))
		if err != nil {
			return nil, s.hold(ep.name+ruleSchema, sawInstead(shown, "a time in "+ep.at, "%s", quote(it.text(ep.at))))
		}
		it.at = at
		for _, rule := range ep.rules {
			if err := s.hold(ep.name+"."+rule.name, ofItem(shown, it, rule.test(it, key, query))); err != nil {
				return nil, err
			}
		}
		items = append(items, it)
	}
	return items, nil
}

// ofItem names request and item of a rule's breach.
func ofItem(shown string, it item, err error) error {
	broken, ok := err.(*breach)
	if !ok {
		return err
	}
	return &breach{want: broken.want, saw: fmt.Sprintf("%s in %s", broken.saw, quote(it.id)), request: shown}
}

// limitOf is the limit that a request asks for.
func limitOf(query url.Values) int {
	n, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		return 20
	}
	return n
}

package doctor

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

func TestBrokenReadsAreNamed(t *testing.T) {
	t.Parallel()
	n := openNetwork(t).people(t)
	t.Run("cases", func(t *testing.T) {
		for service, cases := range map[string][]broken{
			"user": brokenUsers(), "post": brokenPosts(n), "comment": brokenComments(n), "follower": brokenEdges(),
		} {
			for _, b := range cases {
				t.Run(service+"/"+b.name, func(t *testing.T) {
					t.Parallel()
					n.expectBreaches(t, service, b, reading)
				})
			}
		}
	})
}

// everyCheckIsProvoked holds the tables of broken services to provoking every kind of check. A kind is the last word
// of its name: those of several endpoints are the same code.
func everyCheckIsProvoked(t *testing.T, n *network, r Report) {
	t.Helper()
	kind := func(name string) string { return name[strings.LastIndex(name, ".")+1:] }
	provoked := map[string]bool{"reachable": true, "total-counted": true} // by TestHostileConnections and TestLongListsAreCounted
	tables := append(slices.Collect(maps.Values(brokenWrites(n))), brokenUsers(), brokenPosts(n), brokenComments(n), brokenEdges())
	for _, b := range slices.Concat(tables...) {
		for _, want := range b.want {
			provoked[kind(want)] = true
			if !slices.ContainsFunc(names(r), func(name string) bool { return strings.HasSuffix(name, "."+want) }) {
				t.Errorf("a healthy service is not checked for %s", want)
			}
		}
	}
	for _, name := range names(r) {
		if !provoked[kind(name)] {
			t.Errorf("no broken service breaches %s", name)
		}
	}
}

// TestAWriteBetweenTwoReadsIsNoBreach breaks one page once, as a write by someone else does.
func TestAWriteBetweenTwoReadsIsNoBreach(t *testing.T) {
	t.Parallel()
	n := openNetwork(t, "user").people(t)
	var moved atomic.Bool
	f := onQuery("/users", func(q url.Values) {
		if q.Get("limit") == "3" && q.Has("after") && moved.CompareAndSwap(false, true) {
			q.Set("from", "end")
		}
	})
	n.expectBreaches(t, "user", broken{"moved", f, nil}, reading)
	if !moved.Load() {
		t.Error("no page was broken")
	}
}

// TestLongListsAreCounted has a list whose total is off by one and longer than any page that is read.
func TestLongListsAreCounted(t *testing.T) {
	t.Parallel()
	n := openNetwork(t, "user")
	for i := range pageSize + 3 {
		n.make(t, "user", "/users", fmt.Sprintf(`{"handle":"person_%d","name":"Person"}`, i))
	}
	n.expectBreaches(t, "user", broken{"total", fault{}, nil}, reading)
	off := onList("/users", func(tree map[string]any) { tree["total"] = plus(tree["total"], 1) })
	n.expectBreaches(t, "user", broken{"total", off, []string{"list.total-counted"}}, reading)
}

// status answers requests with a status of its own.
func status(when func(r *http.Request) bool, code int, word string, header http.Header) fault {
	return fault{answer: func(r *http.Request, a *passing) {
		if when(r) {
			a.problem(code, word)
			for name, values := range header {
				a.header[name] = values
			}
		}
	}}
}

// endless reads as spaces without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// dropValid takes a well-formed cursor out of a query.
func dropValid(q url.Values, name string) {
	if _, err := decodeCursor(q.Get(name)); err == nil {
		q.Del(name)
	}
}

package hand

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Answers of services that hold one user with one post and the comments of three others: one frozen, one gone, one without a name.
var stored = map[string]string{
	"/users?ids=1":                          `{"items":[{"id":"1","handle":"ann","name":"Ann <3","bio":null,"status":"active","createdAt":"2025-01-01T00:00:00Z"}]}`,
	"/users?ids=2,3":                        `{"items":[{"id":"2","handle":"bob","name":"Bob","bio":"b","status":"frozen","createdAt":"2025-01-01T00:00:00Z"}]}`,
	"/users?ids=2":                          `{"items":[{"id":"2","handle":"bob","name":"Bob","bio":"b","status":"frozen","createdAt":"2025-01-01T00:00:00Z"}]}`,
	"/posts/by-author?limit=10&authorIds=1": `{"groups":{"1":{"items":[{"id":"7","authorId":"1","title":"T","createdAt":"2025-01-01T00:00:00Z","publishedAt":"2025-01-02T00:00:00Z"}],"next":null,"total":1}}}`,
	"/posts/counts?authorIds=1":             `{"counts":{"1":1}}`,
	"/comments/counts?authorIds=1":          `{"counts":{"1":4}}`,
	"/comments/by-post?limit=5&postIds=7":   `{"groups":{"7":{"items":[{"id":"8","authorId":"2","body":"B","createdAt":"2025-01-03T00:00:00Z"},{"id":"9","authorId":null,"body":"C","createdAt":"2025-01-04T00:00:00Z"}],"next":null,"total":2}}}`,
	"/followers?limit=20&userIds=1":         `{"groups":{"1":{"items":[{"followerId":"3"}],"next":null,"total":21}}}`,
	"/counts?userIds=1":                     `{"counts":{"1":{"followers":21,"following":5}}}`,
	"/posts?limit=1":                        `{"items":[{"id":"7","authorId":"1","title":"T","createdAt":"2025-01-01T00:00:00Z","publishedAt":null}],"next":null,"total":1}`,
	"/posts?limit=2":                        `{"items":[{"id":"7","authorId":"2","title":"T","createdAt":"2025-01-01T00:00:00Z","publishedAt":null}],"next":"abc","total":3}`,
	"/posts/by-author?limit=10&authorIds=2": `{"groups":{"2":{"items":[]}}}`,
	"/posts/counts?authorIds=2":             `{"counts":{"2":0}}`,
	"/comments/counts?authorIds=2":          `{"counts":{"2":0}}`,
	"/followers?limit=20&userIds=2":         `{"groups":{"2":{"items":[]}}}`,
	"/counts?userIds=2":                     `{"counts":{"2":{}}}`,
}

// startHand runs a server above services that answer as answer does.
func startHand(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	services := httptest.NewServer(answer)
	t.Cleanup(services.Close)
	s := New(Config{User: services.URL, Post: services.URL, Comment: services.URL, Follower: services.URL})
	t.Cleanup(s.Close)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.URL
}

func send(t *testing.T, url, body string) (status int, answer string) {
	t.Helper()
	defer http.DefaultClient.CloseIdleConnections()
	response, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(raw))
}

// known answers from stored; ids may come in any order.
func known(w http.ResponseWriter, r *http.Request) {
	if before, ids, ok := strings.Cut(r.URL.RequestURI(), "?ids="); ok {
		fmt.Fprint(w, stored[before+"?ids="+strings.Join(slices.Sorted(slices.Values(strings.Split(ids, ","))), ",")])
		return
	}
	fmt.Fprint(w, stored[r.URL.RequestURI()])
}

func TestAnswers(t *testing.T) {
	tests := []struct{ request, want string }{
		{`{"query":"{__typename}"}`, `{"data":{"__typename":"Query"}}`},
		{`{"operationName":"Timeline","variables":{"first":1}}`,
			`{"data":{"posts":{"nodes":[{"id":"post_7","title":"T","publishedAt":null,"author":{"id":"user_1","handle":"ann","name":"Ann <3"}}],"pageInfo":{"hasNextPage":false,"endCursor":"MjAyNS0wMS0wMVQwMDowMDowMFp8Nw"},"totalCount":1}}}`},
		{`{"operationName":"Timeline","variables":{"first":2}}`,
			`{"data":{"posts":{"nodes":[{"id":"post_7","title":"T","publishedAt":null,"author":null}],"pageInfo":{"hasNextPage":true,"endCursor":"abc"},"totalCount":3}}}`},
		{`{"operationName":"Profile","variables":{"id":"user_1"}}`,
			`{"data":{"user":{"id":"user_1","handle":"ann","name":"Ann <3","bio":null,"createdAt":"2025-01-01T00:00:00Z",` +
				`"stats":{"posts":1,"comments":4,"followers":21,"following":5},` +
				`"posts":{"nodes":[{"id":"post_7","title":"T","publishedAt":"2025-01-02T00:00:00Z","comments":{"nodes":[` +
				`{"id":"comment_8","body":"B","createdAt":"2025-01-03T00:00:00Z","author":null},{"id":"comment_9","body":"C","createdAt":"2025-01-04T00:00:00Z","author":null}]}}]},` +
				`"followers":{"totalCount":21,"nodes":[null]}}}}`},
		{`{"operationName":"Profile","variables":{"id":"user_2"}}`, `{"data":{"user":null}}`},
	}
	url := startHand(t, known)
	for _, test := range tests {
		if status, got := send(t, url, test.request); status != http.StatusOK || got != test.want {
			t.Errorf("%s\n got %d %s\nwant 200 %s", test.request, status, got, test.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	url := startHand(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "out of order", http.StatusInternalServerError)
	})
	for request, want := range map[string]int{
		`{`: http.StatusBadRequest,
		`{"operationName":"Timeline","variables":{"first":1}}`:    http.StatusBadGateway,
		`{"operationName":"Profile","variables":{"id":"user_1"}}`: http.StatusBadGateway,
		`{"operationName":"LongTimeline","variables":{}}`:         http.StatusBadGateway,
		`{"operationName":"Other"}`:                               http.StatusBadGateway,
		`{"operationName":"Timeline","variables":{"first":"x"}}`:  http.StatusBadGateway,
	} {
		if status, answer := send(t, url, request); status != want {
			t.Errorf("%s was answered %d %s, want %d", request, status, answer, want)
		}
	}
}

// TestLongTimelineReadsAllAuthorsTogether has 1,000 posts of 600 authors.
func TestLongTimelineReadsAllAuthorsTogether(t *testing.T) {
	var mu sync.Mutex
	var batches, pages []int
	url := startHand(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if ids := r.URL.Query().Get("ids"); ids != "" {
			batches = append(batches, len(strings.Split(ids, ",")))
			fmt.Fprint(w, `{"items":[]}`)
			return
		}
		items := make([]string, 100)
		for i := range items {
			n := 100*len(pages) + i
			items[i] = fmt.Sprintf(`{"id":"%d","authorId":"%d","title":"T","createdAt":"x","publishedAt":null}`, n, n%600)
		}
		pages = append(pages, len(items))
		fmt.Fprintf(w, `{"items":[%s],"next":null,"total":1000}`, strings.Join(items, ","))
	})
	status, answer := send(t, url, `{"operationName":"LongTimeline","variables":{"a1":"c"}}`)
	if n := strings.Count(answer, `"title"`); status != http.StatusOK || n != 1000 {
		t.Errorf("status %d with %d posts", status, n)
	}
	slices.Sort(batches)
	if len(pages) != 10 || !slices.Equal(batches, []int{100, 500}) {
		t.Errorf("%d pages and batches of %v authors were read, want 10 and [100 500]", len(pages), batches)
	}
}

package front

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// service answers like one of the contract's, for ids of letters other than x, and remembers what it was asked.
type service struct {
	*httptest.Server
	asked []string
}

func startService(t *testing.T) *service {
	t.Helper()
	s := &service{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked = append(s.asked, r.URL.RequestURI())
		q := r.URL.Query()
		limit := q.Get("limit")
		var parts []string
		keys := strings.Split(q.Get("ids")+q.Get("authorIds")+q.Get("userIds"), ",")
		switch r.URL.Path {
		case "/users":
			for _, id := range keys {
				if id != "x" {
					parts = append(parts, fmt.Sprintf(`{"name":"N","id":%q}`, id))
				}
			}
			fmt.Fprintf(w, `{"items":[%s]}`, strings.Join(parts, ","))
		case "/posts/by-author":
			for _, id := range keys {
				parts = append(parts, fmt.Sprintf(`%q:{"items":[{"id":"p"}],"next":null,"total":%s}`, id, limit))
			}
			fmt.Fprintf(w, `{"groups":{%s}}`, strings.Join(parts, ","))
		case "/counts":
			for _, id := range keys {
				parts = append(parts, fmt.Sprintf(`%q:{"followers":1}`, id))
			}
			fmt.Fprintf(w, `{"counts":{%s}}`, strings.Join(parts, ","))
		case "/posts":
			fmt.Fprintf(w, `{"items":[],"total":%s}`, limit)
		default:
			http.Error(w, "nothing here", http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func startFront(t *testing.T, memory int, upstream string) (*Front, *httptest.Server) {
	t.Helper()
	f := New(memory)
	t.Cleanup(f.Close)
	server := httptest.NewServer(f.Service(upstream))
	t.Cleanup(server.Close)
	return f, server
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(raw)
}

func TestWhatIsKnownIsAnsweredFromMemory(t *testing.T) {
	tests := []struct {
		name          string
		first, second string // asked through the front; the second must be answered from what the first left
	}{
		{"same", "/posts?limit=3", "/posts?limit=3"},
		{"other order", "/users?ids=a,b,x", "/users?ids=b,x,a"},
		{"fewer", "/users?ids=a,b,x", "/users?ids=b"},
		{"none exists", "/users?ids=a,x", "/users?ids=x"},
		{"groups", "/posts/by-author?authorIds=a,b&limit=3", "/posts/by-author?limit=3&authorIds=b,a"},
		{"escaped", "/posts/by-author?authorIds=a%2Cb&limit=3", "/posts/by-author?authorIds=a,b&limit=3"},
		{"counts", "/counts?userIds=a,b", "/counts?userIds=b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := startService(t)
			_, server := startFront(t, 1<<20, s.URL)
			for _, target := range []string{test.first, test.second} {
				status, got := get(t, server.URL+target)
				asked := len(s.asked)
				_, want := get(t, s.URL+target)
				if !equal(t, got, want) || status != http.StatusOK {
					t.Errorf("%s was answered %d %s, want %s", target, status, got, want)
				}
				s.asked = s.asked[:asked]
			}
			if !slices.Equal(s.asked, []string{test.first}) {
				t.Errorf("the service was asked %v, want only the first", s.asked)
			}
		})
	}
}

// equal compares as JSON; the order of items is free.
func equal(t *testing.T, a, b string) bool {
	t.Helper()
	var answers [2]map[string]any
	for i, text := range []string{a, b} {
		if err := json.Unmarshal([]byte(text), &answers[i]); err != nil {
			t.Fatal(err)
		}
		if list, ok := answers[i]["items"].([]any); ok {
			slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
	}
	return reflect.DeepEqual(answers[0], answers[1])
}

func TestWhatDiffersIsAskedAgain(t *testing.T) {
	s := startService(t)
	_, server := startFront(t, 1<<20, s.URL)
	targets := []string{"/users?ids=a", "/users?ids=a,b", "/posts/by-author?authorIds=a&limit=3", "/posts/by-author?authorIds=a&limit=4", "/posts?limit=3", "/posts?limit=4"}
	for _, target := range targets {
		get(t, server.URL+target)
	}
	if !slices.Equal(s.asked, targets) {
		t.Errorf("the service was asked %v, want %v", s.asked, targets)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	for name, target := range map[string]string{"many keys": "/users?ids=a%d", "many reads": "/posts?limit=%d"} {
		s := startService(t)
		f, server := startFront(t, 2000, s.URL)
		for i := range 200 {
			asked := fmt.Sprintf(target, i)
			if status, got := get(t, server.URL+asked); status != http.StatusOK || !strings.Contains(got, fmt.Sprint(i)) {
				t.Errorf("%s was answered %d %s", asked, status, got)
			}
		}
		held := 0
		for name, parts := range f.memory.parts {
			held += len(name)
			for key, part := range parts {
				held += len(key) + len(part)
			}
		}
		if held == 0 || held > 2000 || f.memory.left < 0 {
			t.Errorf("%s: %d bytes are held, %d left: want up to 2000", name, held, f.memory.left)
		}
	}
}

func TestFailuresAreNotRemembered(t *testing.T) {
	s := startService(t)
	_, server := startFront(t, 1<<20, s.URL)
	for range 2 {
		if status, _ := get(t, server.URL+"/nothing"); status != http.StatusBadGateway {
			t.Errorf("a failure was answered with status %d", status)
		}
	}
	if len(s.asked) != 2 {
		t.Errorf("the service was asked %d times, want twice", len(s.asked))
	}
	response, err := http.Post(server.URL+"/users", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed || len(s.asked) != 2 {
		t.Errorf("a write was answered with status %d", response.StatusCode)
	}
}

func TestControlCountsAndDelays(t *testing.T) {
	s := startService(t)
	f, server := startFront(t, 1<<20, s.URL)
	control := httptest.NewServer(f.Control())
	defer control.Close()
	get(t, server.URL+"/users?ids=a")
	get(t, server.URL+"/users?ids=a")
	if _, calls := get(t, control.URL+"/calls"); calls != "2\n" {
		t.Errorf("two calls are counted as %q", calls)
	}
	put := func(query string) int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, control.URL+"/latency"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Close = true
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}
	if status := put("?wait=40ms"); status != http.StatusOK {
		t.Fatalf("the latency was refused with status %d", status)
	}
	start := time.Now()
	get(t, server.URL+"/users?ids=a")
	if took := time.Since(start); took < 40*time.Millisecond {
		t.Errorf("an answer came after %v, want 40 ms", took)
	}
	for _, query := range []string{"", "?wait=-1s", "?wait=2h", "?wait=x"} {
		if status := put(query); status != http.StatusBadRequest {
			t.Errorf("latency%s was answered with status %d", query, status)
		}
	}
}

// FuzzParse takes reads apart: no key may get lost, and nothing else may pass for one.
func FuzzParse(f *testing.F) {
	f.Add("/users", "ids=a,b&x=1")
	f.Add("/posts", "limit=3&authorIds=a")
	f.Add("/counts", "userIds=%zz")
	f.Fuzz(func(t *testing.T, path, query string) {
		a := parse(&url.URL{Path: path, RawQuery: query})
		if len(a.keys) == 0 || (a.shape == whole) != (a.keys[0] == "" && len(a.keys) == 1 && strings.Contains(a.rest, query)) {
			t.Errorf("%q?%q: keys %q, shape %d, rest %q", path, query, a.keys, a.shape, a.rest)
		}
	})
}

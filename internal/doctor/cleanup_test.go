package doctor

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestWritesLeaveNothing compares what a service shows before and after a run, and after one that is interrupted.
func TestWritesLeaveNothing(t *testing.T) {
	t.Parallel()
	n := openNetwork(t).people(t)
	before := n.everything(t)
	for _, stop := range []string{"", "user.freeze.freezes", "comment.delete.with-replies", "follower.transfer-all.affected"} {
		ctx, cancel := context.WithCancel(t.Context())
		var r Report
		_, err := Check(ctx, n.targets(), Options{Write: true, Timeout: time.Minute, Progress: func(f Finding) {
			r.Findings = append(r.Findings, f)
			if f.Check == stop {
				cancel()
			}
		}})
		cancel()
		if (err != nil) != (stop != "") {
			t.Fatal(stop, err)
		}
		last := r.Findings[len(r.Findings)-1]
		if service, _, _ := strings.Cut(stop, "."); stop != "" && (last.Check != service+".cleanup" || last.Severity != Pass) {
			t.Errorf("stopped at %s: it ended with %+v", stop, last)
		}
		for i, after := range n.everything(t) {
			if after != before[i] {
				t.Errorf("stopped at %q: a service shows %d bytes, not %d: %s…", stop, len(after), len(before[i]), after[:200])
			}
		}
	}
}

// everything reads what the lists and counts of a network show.
func (n *network) everything(t *testing.T) []string {
	t.Helper()
	ids := strings.Join(n.users, ",")
	var out []string
	for _, read := range [][2]string{
		{"user", "/users?limit=500"},
		{"post", "/posts?limit=500&visibility=author"},
		{"comment", "/comments/by-post?limit=500&postIds=" + strings.Join(n.posts, ",")},
		{"follower", "/counts?userIds=" + ids},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.urls[read[0]]+read[1], nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+testToken)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var tree any
		err = json.NewDecoder(res.Body).Decode(&tree)
		res.Body.Close()
		cancel()
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatal(read, res.Status, err)
		}
		text, _ := json.Marshal(tree)
		out = append(out, string(text))
	}
	return out
}

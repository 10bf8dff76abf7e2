package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// stream is an event stream of the program.
type stream struct {
	header   http.Header
	payloads chan answer
	cursors  chan string
	done     chan struct{}
	close    func()
}

// subscribe opens an event stream for a subscription; it ends with the test.
func (p *program) subscribe(t *testing.T, token, query string, header ...string) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/graphql?query="+url.QueryEscape(query), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d", query, response.StatusCode)
	}
	s := &stream{header: response.Header, payloads: make(chan answer, 10_000), cursors: make(chan string, 10_000), done: make(chan struct{})}
	s.close = func() {
		cancel()
		<-s.done
	}
	t.Cleanup(s.close)
	go s.read(response)
	return s
}

func (s *stream) read(response *http.Response) {
	defer close(s.done)
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	cursor := ""
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			cursor = value
		case "data":
			var a answer
			if json.Unmarshal([]byte(value), &a) == nil {
				s.cursors <- cursor
				s.payloads <- a
			}
		}
	}
}

// next is the next payload and the cursor behind it.
func (s *stream) next(t *testing.T) (answer, string) {
	t.Helper()
	select {
	case a := <-s.payloads:
		return a, <-s.cursors
	case <-s.done:
		t.Fatal("the stream has ended")
	case <-time.After(20 * time.Second):
		t.Fatal("nothing comes")
	}
	return answer{}, ""
}

// write runs a mutation that must succeed and returns its data.
func (p *program) write(t *testing.T, token, mutation string) map[string]any {
	t.Helper()
	r := p.send(t, mutation, "Authorization", "Bearer "+token)
	if len(r.Errors) > 0 || !strings.Contains(r.raw, `"userErrors":[]`) {
		t.Fatalf("%s: %s", mutation, r.raw)
	}
	return r.Data
}

func publish(title string) string {
	return `mutation { x: createPost(input: {title: "` + title + `", body: "b", publish: true}) { post { id } userErrors { code } } }`
}

// TestASubscriberHearsOfEverythingOnce leaves and comes back at random while posts are published.
func TestASubscriberHearsOfEverythingOnce(t *testing.T) {
	p, dir := serveSmallDemo(t, "--limit-ip-points", "1000000", "--limit-user-points", "1000000")
	token := tokenFor(t, dir, "u1", "")
	const query = `subscription { postAdded(authorIds: ["user_u1"]) { post { title author { handle } } cursor } }`
	s := p.subscribe(t, "", query)
	const posts = 60
	go func() {
		for i := range posts {
			p.send(t, publish(fmt.Sprint("t", i)), "Authorization", "Bearer "+token)
		}
	}()
	for i := range posts {
		a, cursor := s.next(t)
		if title := at(t, a.Data, "postAdded", "post", "title"); title != fmt.Sprint("t", i) || cursor == "" || at(t, a.Data, "postAdded", "cursor") != cursor {
			t.Fatalf("payload %d is %v behind %q", i, a.Data, cursor)
		}
		if i%7 == 3 {
			s.close()
			s = p.subscribe(t, "", query, "Last-Event-ID", cursor)
		}
	}
	if len(s.payloads) > 0 {
		t.Errorf("%d payloads too many", len(s.payloads))
	}
	for _, bad := range []string{"nonsense", "QVE0RUlTMk5UTExZRERVS1hUSkM1T1JPQkg6NDEwMDE"} {
		status, _, body := p.get(t, "/graphql?query="+url.QueryEscape(strings.Replace(query, `["user_u1"]`, `["user_u1"], after: "`+bad+`"`, 1)), func(r *http.Request) {
			r.Header.Set("Accept", "text/event-stream")
		})
		if !strings.Contains(body, "CURSOR_EXPIRED") {
			t.Errorf("cursor %s: %d %s", bad, status, body)
		}
	}
}

// TestWhoeverReactsSeesTheChange asks for an entity as soon as it is told to have changed.
func TestWhoeverReactsSeesTheChange(t *testing.T) {
	p, dir := serveSmallDemo(t, "--limit-ip-points", "1000000", "--limit-user-points", "1000000")
	token := tokenFor(t, dir, "u1", "")
	id := at(t, p.write(t, token, publish("first")), "x", "post", "id").(string)
	s := p.subscribe(t, "", `subscription { entityChanged(ids: ["`+id+`"]) { type version entity { id ... on Post { version title } } } }`)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 50 {
			p.send(t, fmt.Sprintf(`mutation { updatePost(input: {id: %q, title: "t%d"}) { userErrors { code } } }`, id, i), "Authorization", "Bearer "+token)
		}
	}()
	for seen := 0.0; seen < 51; {
		a, _ := s.next(t)
		seen = at(t, a.Data, "entityChanged", "version").(float64)
		if at(t, a.Data, "entityChanged", "entity", "version").(float64) < seen {
			t.Fatalf("the payload is older than its event: %v", a.Data)
		}
		r := p.send(t, `{ post(id: "`+id+`") { version } }`)
		if at(t, r.Data, "post", "version").(float64) < seen {
			t.Fatalf("told of version %v a query sees %s", seen, r.raw)
		}
	}
	<-done
}

// TestADraftDoesNotLeak has a stranger listen to a post that is not published.
func TestADraftDoesNotLeak(t *testing.T) {
	p, dir := serveSmallDemo(t)
	token := tokenFor(t, dir, "u1", "")
	id := at(t, p.write(t, token, `mutation { x: createPost(input: {title: "secret", body: "b"}) { post { id } userErrors { code } } }`), "x", "post", "id").(string)
	query := `subscription { entityChanged(ids: ["` + id + `"]) { type entity { id ... on Post { title } } } }`
	stranger, author := p.subscribe(t, "", query), p.subscribe(t, token, query)
	p.write(t, token, `mutation { updatePost(input: {id: "`+id+`", title: "still secret"}) { userErrors { code } } }`)
	heard := ""
	for range 2 { // its making may come before or after the subscription
		if a, _ := author.next(t); heard != "post.updated" {
			heard = at(t, a.Data, "entityChanged", "type").(string)
		}
		if heard == "post.updated" {
			break
		}
	}
	if heard != "post.updated" {
		t.Errorf("its author hears of %s last", heard)
	}
	p.write(t, token, `mutation { publishPost(input: {id: "`+id+`"}) { userErrors { code } } }`)
	if a, _ := stranger.next(t); at(t, a.Data, "entityChanged", "type") != "post.published" {
		t.Errorf("a stranger hears %v first", a.Data)
	}
	p.write(t, token, `mutation { deletePost(input: {id: "`+id+`"}) { userErrors { code } } }`)
	if a, _ := stranger.next(t); at(t, a.Data, "entityChanged", "type") != "post.deleted" || at(t, a.Data, "entityChanged", "entity") != nil {
		t.Errorf("of the deletion a stranger hears %v", a.Data)
	}
}

func TestHistoryAsFarAsOneMayKnow(t *testing.T) {
	p, dir := serveSmallDemo(t)
	token := tokenFor(t, dir, "u1", "")
	id := at(t, p.write(t, token, `mutation { x: createPost(input: {title: "draft", body: "b"}) { post { id } userErrors { code } } }`), "x", "post", "id").(string)
	p.write(t, token, `mutation { publishPost(input: {id: "`+id+`"}) { userErrors { code } } }`)
	between := time.Now().UTC().Format(time.RFC3339Nano)
	p.write(t, token, `mutation { updatePost(input: {id: "`+id+`", title: "changed"}) { userErrors { code } } }`)
	p.write(t, token, `mutation { updateUser(input: {id: "user_u1", email: "new@example.org", bio: "B"}) { userErrors { code } } }`)
	query := `{ post(id: "` + id + `") { asOf(at: "` + between + `") { title status version } early: asOf(at: "2020-01-01T00:00:00Z") { title }
	  history(first: 10) { nodes { type version actor { handle } changes { field before after } } pageInfo { hasNextPage } } } user(id: "user_u1") { history { nodes { type changes { field } } } } }`
	types := func(r reply) (list []any) {
		for _, node := range at(t, r.Data, "post", "history", "nodes").([]any) {
			list = append(list, at(t, node, "type"))
		}
		return list
	}
	var mine reply
	for deadline := time.Now().Add(20 * time.Second); ; { // until the events have come
		mine = p.send(t, query, "Authorization", "Bearer "+token)
		if len(mine.Errors) == 0 && len(types(mine)) == 3 && strings.Contains(mine.raw, `"email"`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(mine.raw)
		}
	}
	mine = p.send(t, query, "Authorization", "Bearer "+token) // its fields are read one after another: the last events may have come between
	if got := fmt.Sprint(types(mine)); got != "[post.updated post.published post.created]" {
		t.Errorf("its author reads %s", got)
	}
	if change := at(t, mine.Data, "post", "history", "nodes", 0, "changes", 0); fmt.Sprint(change) != "map[after:changed before:draft field:title]" {
		t.Errorf("the change is %v", change)
	}
	if was := at(t, mine.Data, "post", "asOf"); at(t, was, "title") != "draft" || at(t, was, "status") != "PUBLISHED" || at(t, mine.Data, "post", "early") != nil {
		t.Errorf("it was %v", was)
	}
	others := p.send(t, query)
	if got := fmt.Sprint(types(others)); got != "[post.updated post.published]" || strings.Contains(others.raw, `"email"`) {
		t.Errorf("a stranger reads %s of %s", got, others.raw)
	}
	audit := `{ auditLog(first: 5, filter: {types: ["post.created"]}) { nodes { type entityId } } }`
	if r := p.send(t, audit, "Authorization", "Bearer "+token); at(t, r.Data, "auditLog", "nodes", 0, "entityId") != id {
		t.Error(r.raw)
	}
	if r := p.send(t, strings.Replace(audit, "filter: {", `filter: {actorId: "user_u1", `, 1), "Authorization", "Bearer "+tokenFor(t, dir, "u2", "")); r.codes()[`"auditLog"`] != "FORBIDDEN" {
		t.Errorf("what others did: %s", r.raw)
	}
	if r := p.send(t, audit); r.codes()[`"auditLog"`] != "UNAUTHENTICATED" {
		t.Errorf("to nobody: %s", r.raw)
	}
}

// Whoever subscribed with an API key hears no more once it is revoked.
func TestARevokedKeyHearsNoMore(t *testing.T) {
	p, dir := serveSmallDemo(t)
	admin := "Bearer " + tokenFor(t, dir, "u1", "admin")
	made := p.send(t, `mutation { createApiKey(input: {name: "listener"}) { secret apiKey { id } } }`, "Authorization", admin)
	s := p.subscribe(t, "", `subscription { postAdded { cursor } }`, "X-API-Key", at(t, made.Data, "createApiKey", "secret").(string))
	other := p.subscribe(t, "", `subscription { postAdded { cursor } }`)
	p.send(t, `mutation { revokeApiKey(input: {id: "`+at(t, made.Data, "createApiKey", "apiKey", "id").(string)+`"}) { apiKey { id } } }`, "Authorization", admin)
	last, _ := s.next(t)
	if len(last.Errors) != 1 || last.Errors[0].Extensions["code"] != "UNAUTHENTICATED" {
		t.Errorf("it ends with %+v", last)
	}
	<-s.done
	p.write(t, tokenFor(t, dir, "u1", ""), publish("for those who may hear"))
	if heard, _ := other.next(t); len(heard.Errors) > 0 {
		t.Errorf("somebody else hears %+v", heard)
	}
}

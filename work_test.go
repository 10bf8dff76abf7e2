package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestProgressIsHeardOf schedules a post and deletes an account while its owner listens.
func TestProgressIsHeardOf(t *testing.T) {
	p, dir := serveSmallDemo(t, "--account-grace", "1h")
	owner, stranger := tokenFor(t, dir, "u7", ""), tokenFor(t, dir, "u3", "")
	when := time.Now().Add(3 * time.Second).UTC().Format(time.RFC3339Nano)
	begun := p.write(t, owner, `mutation { x: schedulePost(input: {title: "later", body: "b", publishAt: "`+when+`"}) { job { id name state owner { id } progress attempts runAt post { id } exportUrl createdAt endedAt failure { code } } userErrors { code } } }`)
	id := at(t, begun, "x", "job", "id").(string)
	if at(t, begun, "x", "job", "name") != "schedulePost" || at(t, begun, "x", "job", "owner", "id") != "user_u7" || !strings.HasPrefix(id, "job_") {
		t.Fatal(begun)
	}
	s := p.subscribe(t, owner, `subscription { jobProgress(id: "`+id+`") { job { state progress post { title author { id } } } at cursor } }`)
	heard := until(t, s, "jobProgress", "job", "COMPLETED")
	if at(t, heard.Data, "jobProgress", "job", "post", "title") != "later" || at(t, heard.Data, "jobProgress", "job", "post", "author", "id") != "user_u7" || at(t, heard.Data, "jobProgress", "job", "progress") != 1.0 {
		t.Error(heard.Data)
	}
	late := p.write(t, owner, `mutation { x: deleteAccount { saga { id name state user { id } steps { name state attempts undoAttempts failure { code } at } runAt createdAt updatedAt endedAt } userErrors { code } } }`)
	saga := at(t, late, "x", "saga", "id").(string)
	s = p.subscribe(t, owner, `subscription { sagaProgress(id: "`+saga+`") { saga { state runAt steps { name state } } cursor } }`)
	waits := func() bool {
		now := p.post(t, owner, `{ saga(id: "`+saga+`") { state } }`, nil)
		return at(t, now.Data, "saga", "state") == "WAITING"
	}
	for begin := time.Now(); !waits(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > 20*time.Second {
			t.Fatal("the deletion does not come to its grace period")
		}
	}
	p.write(t, owner, `mutation { x: restoreAccount { saga { state } userErrors { code } } }`)
	until(t, s, "sagaProgress", "saga", "COMPENSATED")
	for query, absent := range map[string]string{
		`{ x: job(id: "` + id + `") { id } }`:                      "",
		`{ x: saga(id: "` + saga + `") { id } }`:                   "",
		`{ x: job(id: "` + saga + `") { id } }`:                    "BAD_USER_INPUT",
		`{ x: job(id: "job_` + saga[len("saga_"):] + `") { id } }`: "",
		`{ x: node(id: "` + id + `") { id } }`:                     "BAD_USER_INPUT",
	} {
		if a := p.post(t, stranger, query, nil); at(t, a.Data, "x") != nil || a.codes()[`"x"`] != absent {
			t.Errorf("%s: %v %v", query, a.Data, a.Errors)
		}
	}
	if status, _, body := p.get(t, "/graphql?query="+url.QueryEscape(`subscription { jobProgress(id: "`+id+`") { cursor } }`), func(r *http.Request) {
		r.Header.Set("Accept", "text/event-stream")
		r.Header.Set("Authorization", "Bearer "+stranger)
	}); !strings.Contains(body, "BAD_USER_INPUT") {
		t.Errorf("a stranger may listen: %d %s", status, body)
	}
}

// until reads a stream of progress until its subject is in a state.
func until(t *testing.T, s *stream, field, subject, state string) answer {
	t.Helper()
	for {
		a, cursor := s.next(t)
		if at(t, a.Data, field, "cursor") != cursor {
			t.Errorf("%v behind %q", a.Data, cursor)
		}
		if at(t, a.Data, field, subject, "state") == state {
			return a
		}
	}
}

// TestUserErrorsOfWork provokes what can be wrong with a request for durable work.
func TestUserErrorsOfWork(t *testing.T) {
	p, dir := serveSmallDemo(t, "--account-grace", "1h")
	me, admin := tokenFor(t, dir, "u7", "webhooks"), tokenFor(t, dir, "u2", "admin")
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	job := at(t, p.write(t, me, `mutation { x: schedulePost(input: {title: "t", body: "b", publishAt: "`+in(time.Hour)+`"}) { job { id } userErrors { code } } }`), "x", "job", "id").(string)
	p.write(t, admin, `mutation { x: deleteAccount(userId: "user_u8") { saga { id } userErrors { code } } }`)
	for _, c := range []struct{ token, mutation, field, code string }{
		{me, `schedulePost(input: {title: "t", body: "b", publishAt: "` + in(-time.Second) + `"})`, "input,publishAt", "IN_THE_PAST"},
		{me, `schedulePost(input: {title: "t", body: "b", publishAt: "` + in(400*24*time.Hour) + `"})`, "input,publishAt", "TOO_FAR"},
		{me, `schedulePost(input: {title: "", body: "b", publishAt: "` + in(time.Hour) + `"})`, "input,title", "REQUIRED"},
		{me, `schedulePost(input: {title: "` + strings.Repeat("x", 201) + `", body: "b", publishAt: "` + in(time.Hour) + `"})`, "input,title", "TOO_LONG"},
		{me, `cancelJob(id: "job_NONE")`, "id", "NOT_FOUND"},
		{tokenFor(t, dir, "u3", ""), `cancelJob(id: "` + job + `")`, "id", "NOT_FOUND"},
		{admin, `retryJob(id: "` + job + `")`, "id", "NOT_FAILED"},
		{admin, `retryJob(id: "job_NONE")`, "id", "NOT_FOUND"},
		{admin, `deleteAccount(userId: "user_u8")`, "userId", "ALREADY_DELETING"},
		{admin, `deleteAccount(userId: "user_nobody")`, "userId", "NOT_FOUND"},
		{me, `restoreAccount`, "userId", "NOT_DELETING"},
		{admin, `mergeAccounts(input: {fromId: "user_u4", intoId: "user_u4"})`, "input,intoId", "SAME_ACCOUNT"},
		{admin, `mergeAccounts(input: {fromId: "user_nobody", intoId: "user_u4"})`, "input,fromId", "NOT_FOUND"},
		{admin, `mergeAccounts(input: {fromId: "user_u4", intoId: "user_nobody"})`, "input,intoId", "NOT_FOUND"},
		{admin, `mergeAccounts(input: {fromId: "user_u8", intoId: "user_u4"})`, "", "BUSY"},
		{me, `createWebhook(input: {url: "nonsense", eventTypes: ["*"]})`, "input,url", "INVALID"},
		{me, `createWebhook(input: {url: "https://10.0.0.1", eventTypes: ["*"]})`, "input,url", "TARGET_NOT_ALLOWED"},
		{me, `createWebhook(input: {url: "http://127.0.0.1:9", eventTypes: ["post.exploded"]})`, "input,eventTypes", "UNKNOWN_EVENT_TYPE"},
		{me, `createWebhook(input: {url: "http://127.0.0.1:9", eventTypes: []})`, "input,eventTypes", "INVALID"},
		{me, `createWebhook(input: {url: "http://127.0.0.1:9", eventTypes: ["*"], secret: "short"})`, "input,secret", "INVALID"},
		{me, `updateWebhook(input: {id: "wh_none", url: "http://127.0.0.1:9"})`, "input,id", "NOT_FOUND"},
		{me, `rotateWebhookSecret(id: "wh_none")`, "id", "NOT_FOUND"},
		{me, `deleteWebhook(id: "wh_none")`, "id", "NOT_FOUND"},
		{me, `pingWebhook(id: "wh_none")`, "id", "NOT_FOUND"},
		{me, `redeliverWebhook(id: "wh_none", delivery: 1)`, "id", "NOT_FOUND"},
		{me, `replayWebhook(input: {id: "wh_none", from: "` + in(-time.Hour) + `"})`, "input,id", "NOT_FOUND"},
	} {
		t.Run(c.mutation[:min(len(c.mutation), 60)], func(t *testing.T) {
			a := p.post(t, c.token, "mutation { x: "+c.mutation+" { userErrors { field code message } } }", nil)
			if len(a.Errors) > 0 {
				t.Fatal(a.Errors)
			}
			problem := at(t, a.Data, "x", "userErrors", 0)
			var field []string
			if list, ok := at(t, problem, "field").([]any); ok {
				for _, name := range list {
					field = append(field, fmt.Sprint(name))
				}
			}
			if at(t, problem, "code") != c.code || strings.Join(field, ",") != c.field || at(t, problem, "message") == "" {
				t.Errorf("%v", problem)
			}
		})
	}
	if done := p.write(t, me, `mutation { x: cancelJob(id: "`+job+`") { job { id } userErrors { code } } }`); at(t, done, "x", "job", "id") != job {
		t.Error(done)
	}
}

// The link to an export is its owner's alone: not even an admin gets it, and whoever has it gets the data.
func TestAnExportIsItsOwners(t *testing.T) {
	p, dir := serveSmallDemo(t)
	token, admin := tokenFor(t, dir, "u7", ""), tokenFor(t, dir, "u1", "admin")
	id := at(t, p.write(t, token, `mutation { x: requestDataExport { job { id } userErrors { code } } }`), "x", "job", "id").(string)
	query := `{ job(id: "` + id + `") { state exportUrl } }`
	var link string
	for deadline := time.Now().Add(30 * time.Second); link == ""; time.Sleep(20 * time.Millisecond) {
		r := p.send(t, query, "Authorization", "Bearer "+token)
		link, _ = at(t, r.Data, "job", "exportUrl").(string)
		if time.Now().After(deadline) {
			t.Fatal(r.raw)
		}
	}
	if r := p.send(t, query, "Authorization", "Bearer "+admin); at(t, r.Data, "job", "state") != "COMPLETED" || at(t, r.Data, "job", "exportUrl") != nil {
		t.Errorf("an admin reads %s", r.raw)
	}
	for address, want := range map[string]int{link: http.StatusOK, strings.Replace(link, "signature=", "signature=0", 1): http.StatusForbidden} {
		response, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != want || want == http.StatusOK && !bytes.HasPrefix(raw, []byte("PK")) {
			t.Errorf("%d for %s, %d bytes, %v", response.StatusCode, address, len(raw), err)
		}
	}
}

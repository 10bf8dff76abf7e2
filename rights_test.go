package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/demo"
	"tributary/internal/event"
	"tributary/internal/work/webhook"
)

// asOneself are the commands that make something in the caller's name.
func asOneself(receiver string) []string {
	return []string{
		`createPost(input: {title: "t", body: "b", publish: true})`, `addComment(input: {postId: "post_p1", body: "b"})`,
		`follow(input: {userId: "user_u3"})`, `requestDataExport`,
		`schedulePost(input: {title: "t", body: "b", publishAt: "` + time.Now().Add(time.Hour).UTC().Format(time.RFC3339) + `"})`,
		`createWebhook(input: {url: "` + receiver + `", eventTypes: ["post.*"]})`,
	}
}

// refusedToAll checks that none of them may be had, by neither way in.
func (p *program) refusedToAll(t *testing.T, whose, token, receiver string) {
	t.Helper()
	for _, mutation := range asOneself(receiver) {
		if a := p.post(t, token, "mutation { x: "+mutation+" { userErrors { code } } }", nil); a.codes()[`"x"`] != "FORBIDDEN" {
			t.Errorf("%s, %s: %v %v", whose, mutation, a.Data, a.Errors)
		}
	}
	status, body := postHook(t, p, token, []byte(`{"url": "`+receiver+`", "events": ["post.*"]}`))
	if status != http.StatusForbidden || !strings.Contains(string(body), `"FORBIDDEN"`) {
		t.Errorf("%s, over REST: %d %s", whose, status, body)
	}
}

// TestATokenMayOutliveItsAccount has people act who are not there any more, or never were.
func TestATokenMayOutliveItsAccount(t *testing.T) {
	p, dir := serveSmallDemo(t, "--account-grace", "0s", "--work-time-scale", "0.01")
	var got atomic.Int64
	receiver := startReceiver(t, &got, nil).URL
	someone := tokenFor(t, dir, "u7", "webhooks")
	for _, mutation := range asOneself(receiver) {
		p.write(t, someone, "mutation { x: "+mutation+" { userErrors { code } } }")
	}
	p.refusedToAll(t, "who never was", tokenFor(t, dir, "ghost", "webhooks"), receiver)
	id := at(t, p.write(t, someone, `mutation { x: deleteAccount { saga { id } userErrors { code } } }`), "x", "saga", "id").(string)
	admin := tokenFor(t, dir, "u2", "admin")
	eventuallySo(t, "the account is erased", func() bool {
		return at(t, p.post(t, admin, `{ saga(id: "`+id+`") { state } }`, nil).Data, "saga", "state") == "COMPLETED"
	})
	p.refusedToAll(t, "who was erased", someone, receiver)
	p.write(t, tokenFor(t, dir, "machine-of-an-operator", "admin"), `mutation { x: createWebhook(input: {url: "`+receiver+`", eventTypes: ["post.*"]}) { userErrors { code } } }`)
}

// TestWritesNeedNoUserService: whether the account is there is asked once for each write, and no answer is no refusal.
func TestWritesNeedNoUserService(t *testing.T) {
	d := startDemo(t, seededDir(t))
	u := startUpstream(t, d)
	g := openGateway(t, u.urls, func(c *config.Gateway) { uncached(c); c.User.Retries = 0 })
	const mutation = `mutation { x: createPost(input: {title: "t", body: "b", publish: true}) { post { id } userErrors { code } } }`
	if a := ask(t, g, auth.Viewer{UserID: "u1"}, mutation, nil); len(a.Errors) > 0 || len(u.take()) != 2 {
		t.Error(a.Errors)
	}
	if a := ask(t, g, auth.Viewer{UserID: "ghost"}, mutation, nil); a.codes()[`"x"`] != "FORBIDDEN" || len(u.take()) != 1 {
		t.Error(a.Errors)
	}
	breakService(t, d, "user", demo.Fault{ErrorRate: 1})
	a := ask(t, g, auth.Viewer{UserID: "u1"}, mutation, nil)
	if len(a.Errors) > 0 || at(t, a.Data, "x", "post", "id") == nil || strings.Contains(fmt.Sprint(a), "degraded") {
		t.Errorf("without the user service: %+v", a)
	}
}

// TestADeletionByAnAdminIsNotTakenBackByItsAccount, whose webhooks stop with it and go on when an admin restores it.
func TestADeletionByAnAdminIsNotTakenBackByItsAccount(t *testing.T) {
	p, dir := serveSmallDemo(t, "--account-grace", "1h", "--work-time-scale", "0.01")
	me, admin := tokenFor(t, dir, "u7", "webhooks"), tokenFor(t, dir, "u2", "admin")
	var got atomic.Int64
	receiver := startReceiver(t, &got, nil)
	hook := fmt.Sprintf(`mutation { x: createWebhook(input: {url: %q, secret: %q, eventTypes: ["post.*"]}) { webhook { id } userErrors { code } } }`, receiver.URL, receiversSecret)
	id := at(t, p.write(t, me, hook), "x", "webhook", "id").(string)
	reason := func() any {
		return at(t, p.post(t, admin, `{ webhook(id: "`+id+`") { reason } }`, nil).Data, "webhook", "reason")
	}
	state := func(id string) any {
		return at(t, p.post(t, admin, `{ saga(id: "`+id+`") { state } }`, nil).Data, "saga", "state")
	}
	saga := at(t, p.write(t, admin, `mutation { x: deleteAccount(userId: "user_u7") { saga { id } userErrors { code } } }`), "x", "saga", "id").(string)
	eventuallySo(t, "the account is hidden", func() bool { return state(saga) == "WAITING" })
	eventuallySo(t, "its webhook stops", func() bool { return reason() == webhook.ReasonAccount })
	heard := got.Load()
	if a := p.post(t, me, `mutation { x: pingWebhook(id: "`+id+`") { delivery { problem } userErrors { code } } }`, nil); at(t, a.Data, "x", "delivery", "problem") != webhook.ProblemAccount {
		t.Error(a)
	}
	p.write(t, tokenFor(t, dir, "u3", ""), publish("meanwhile"))
	for _, mutation := range []string{`restoreAccount`, `restoreAccount(userId: "user_u7")`, asOneself(receiver.URL)[5]} {
		if a := p.post(t, me, "mutation { x: "+mutation+" { userErrors { code } } }", nil); a.codes()[`"x"`] != "FORBIDDEN" {
			t.Errorf("%s: %v %v", mutation, a.Data, a.Errors)
		}
	}
	if state(saga) != "WAITING" || got.Load() != heard {
		t.Errorf("the deletion is %v, %d deliveries more", state(saga), got.Load()-heard)
	}
	p.write(t, admin, `mutation { x: restoreAccount(userId: "user_u7") { userErrors { code } } }`)
	eventuallySo(t, "the account is back", func() bool { return state(saga) == "COMPENSATED" })
	eventuallySo(t, "its webhook goes on", func() bool { return reason() == nil && got.Load() > heard })
	p.write(t, me, `mutation { x: deleteAccount { userErrors { code } } }`) // one's own order one may take back
	p.write(t, me, `mutation { x: restoreAccount { userErrors { code } } }`)
}

// TestInactiveAccountsAreShownNothing: neither as owner nor as the admin who made an endpoint; an account that the log does not know is
// none of them.
func TestInactiveAccountsAreShownNothing(t *testing.T) {
	log, err := event.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "events.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	s, noon, version := &showing{log: log}, time.Now().Add(-time.Hour).UTC(), int64(0)
	story := func(typ, data string, inactive bool) {
		t.Helper()
		version++
		e := event.Event{ID: fmt.Sprint("e", version), Source: "user", Type: typ, Subject: "user/u1", Version: version, Time: noon.Add(time.Duration(version) * time.Minute), Data: json.RawMessage(data)}
		if _, err := log.Append(t.Context(), "user", []event.Event{e}); err != nil {
			t.Fatal(err)
		}
		public := event.Event{ID: "f", Source: "follower", Type: "follower.added", Subject: "follow/u3:u4", Version: 1, Time: noon, Data: json.RawMessage(`{}`)}
		for _, endpoint := range []webhook.Endpoint{{OwnerID: "u1"}, {MakerID: "u1"}, {OwnerID: "u2"}, {MakerID: "u2"}, {}} {
			_, shown, err := s.show(t.Context(), endpoint, public)
			if barred := endpoint.Account() == "u1" && inactive; shown == barred || (err == webhook.ErrAccount) != barred {
				t.Errorf("%s, %+v: %t, %v", typ, endpoint, shown, err)
			}
		}
	}
	story("user.created", `{"id":"u1","status":"active"}`, false)
	story("user.frozen", `{"status":"frozen"}`, true)
	story("user.restored", `{"id":"u1","status":"active"}`, false)
	story("user.deleted", `{}`, true)
}

// TestAWebhookIsMadeOnceUnderAKey, and its secret is told once.
func TestAWebhookIsMadeOnceUnderAKey(t *testing.T) {
	p, dir := serveSmallDemo(t)
	token := tokenFor(t, dir, "u7", "webhooks")
	made := func(key, url string) (id, secret any, code string) {
		r := p.send(t, `mutation { x: createWebhook(input: {url: "`+url+`", eventTypes: ["post.*"]}) { webhook { id } secret userErrors { code } } }`, "Authorization", "Bearer "+token, "Idempotency-Key", key)
		if problems := at(t, r.Data, "x", "userErrors").([]any); len(problems) > 0 {
			return nil, nil, at(t, problems, 0, "code").(string)
		}
		return at(t, r.Data, "x", "webhook", "id"), at(t, r.Data, "x", "secret"), ""
	}
	const url = "http://127.0.0.1:9/hook"
	first, secret, _ := made("one", url)
	again, none, _ := made("one", url)
	if first == nil || secret == nil || again != first || none != nil {
		t.Errorf("%v and %v, with a secret: %t, again: %t", first, again, secret != nil, none != nil)
	}
	if _, _, code := made("one", url+"/other"); code != "IDEMPOTENCY_KEY_REUSED" {
		t.Error(code)
	}
	if other, _, _ := made("two", url); other == first || other == nil {
		t.Errorf("another key: %v", other)
	}
}

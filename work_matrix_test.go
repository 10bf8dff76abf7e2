package main

import (
	"strings"
	"testing"
	"time"

	"tributary/internal/auth"
)

// TestRolesAndWork is the permission table for jobs, sagas and webhooks, towards what user 1 owns. An absence is a null without an error.
func TestRolesAndWork(t *testing.T) {
	p, dir := serveSmallDemo(t, "--account-grace", "1h", "--limit-user-points", "1000000", "--limit-ip-points", "1000000")
	tokens := map[string]string{
		"anonymous": "", "stranger": tokenFor(t, dir, "u3", ""), "self": tokenFor(t, dir, "u1", ""), "admin": tokenFor(t, dir, "u2", "admin"),
		"stranger with webhooks": tokenFor(t, dir, "u3", "webhooks"), "self with webhooks": tokenFor(t, dir, "u1", "webhooks"),
	}
	when := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	schedule := `schedulePost(input: {authorId: "user_u1", title: "t", body: "b", publishAt: "` + when + `"}) { job { id } userErrors { code } }`
	begin := func(token, mutation string, path ...any) string {
		return at(t, p.write(t, token, "mutation { x: "+mutation+" }"), append([]any{"x"}, path...)...).(string)
	}
	job := begin(tokens["self"], schedule, "job", "id")
	hook := begin(tokens["self with webhooks"], `createWebhook(input: {url: "http://127.0.0.1:9", eventTypes: ["export.completed"]}) { webhook { id } userErrors { code } }`, "webhook", "id")
	saga := "" // is begun when it is asked for
	const (
		refused, shown, null, absent = "refused", "shown", "null", "NOT_FOUND"
		any                          = "" // shown, or a userError that says nothing of rights
	)
	for _, c := range []struct {
		operation                                                        string
		anonymous, stranger, self, admin, strangerWebhooks, selfWebhooks string
	}{
		{`{ x: job(id: "JOB") { id } }`, refused, null, shown, shown, null, shown},
		{`{ x: jobs(first: 1) { nodes { id } } }`, refused, refused, refused, shown, refused, refused},
		{`{ x: sagas(first: 1) { nodes { id } } }`, refused, refused, refused, shown, refused, refused},
		{`{ x: webhooks(first: 1) { nodes { id } } }`, refused, refused, refused, shown, shown, shown},
		{`{ x: webhook(id: "HOOK") { id } }`, refused, refused, refused, shown, null, shown},
		{`mutation { x: ` + schedule + ` }`, refused, refused, shown, refused, refused, shown},
		{`mutation { x: requestDataExport { userErrors { code } } }`, refused, shown, shown, shown, shown, shown},
		{`mutation { x: cancelJob(id: "JOB") { userErrors { code } } }`, refused, absent, any, any, absent, any},
		{`mutation { x: retryJob(id: "JOB") { userErrors { code } } }`, refused, refused, refused, any, refused, refused},
		{`mutation { x: updateWebhook(input: {id: "HOOK", description: "d"}) { userErrors { code } } }`, refused, refused, refused, shown, absent, shown},
		{`mutation { x: rotateWebhookSecret(id: "HOOK") { userErrors { code } } }`, refused, refused, refused, shown, absent, shown},
		{`mutation { x: pingWebhook(id: "HOOK") { userErrors { code } } }`, refused, refused, refused, shown, absent, shown},
		{`mutation { x: redeliverWebhook(id: "HOOK", delivery: 1) { userErrors { code } } }`, refused, refused, refused, any, absent, any},
		{`mutation { x: replayWebhook(input: {id: "HOOK", from: "2026-01-01T00:00:00Z"}) { userErrors { code } } }`, refused, refused, refused, any, absent, any},
		{`mutation { x: createWebhook(input: {url: "http://127.0.0.1:9", eventTypes: ["*"]}) { userErrors { code } } }`, refused, refused, refused, shown, shown, shown},
		{`mutation { x: deleteWebhook(id: "HOOK") { userErrors { code } } }`, refused, refused, refused, absent, absent, shown},
		// Last: an account that is merged or about to be deleted is frozen, and makes nothing.
		{`{ x: saga(id: "SAGA") { id } }`, refused, null, shown, shown, null, shown},
		{`mutation { x: deleteAccount(userId: "user_u1") { userErrors { code } } }`, refused, refused, any, any, refused, any},
		{`mutation { x: restoreAccount(userId: "user_u1") { userErrors { code } } }`, refused, refused, any, any, refused, any},
		{`mutation { x: mergeAccounts(input: {fromId: "user_u1", intoId: "user_u1"}) { userErrors { code } } }`, refused, refused, refused, any, refused, refused},
	} {
		if saga == "" && strings.Contains(c.operation, "SAGA") {
			saga = begin(tokens["admin"], `mergeAccounts(input: {fromId: "user_u1", intoId: "user_u5"}) { saga { id } userErrors { code } }`, "saga", "id")
		}
		query := strings.NewReplacer("JOB", job, "SAGA", saga, "HOOK", hook).Replace(c.operation)
		for _, role := range []struct{ name, want string }{
			{"anonymous", c.anonymous}, {"stranger", c.stranger}, {"stranger with webhooks", c.strangerWebhooks}, {"self", c.self},
			{"self with webhooks", c.selfWebhooks}, {"admin", c.admin},
		} {
			if got := outcomeOfWork(t, p.post(t, tokens[role.name], query, nil), tokens[role.name] == ""); got != role.want && (role.want != any || got == refused || got == absent) {
				t.Errorf("%s for %s: %s, want %q", c.operation, role.name, got, role.want)
			}
		}
	}
}

// outcomeOfWork is what came of the field x.
func outcomeOfWork(t *testing.T, a answer, anonymous bool) string {
	t.Helper()
	if x, ok := at(t, a.Data, "x").(map[string]any); ok {
		if problems, ok := x["userErrors"].([]any); ok && len(problems) > 0 {
			return at(t, problems[0], "code").(string)
		}
		return "shown"
	}
	if len(a.Errors) == 0 {
		return "null"
	}
	viewer := auth.Viewer{UserID: "u"}
	if anonymous {
		viewer = auth.Viewer{}
	}
	return outcome(t, a, viewer)
}

// TestWithoutWork: where there is no durable work, nothing of it can be begun or read.
func TestWithoutWork(t *testing.T) {
	g := openGateway(t, startUpstream(t, startDemo(t, seededDir(t))).urls, nil)
	admin := auth.Viewer{UserID: "u1", Scopes: []string{auth.ScopeAdmin}}
	for _, query := range []string{
		`{ x: job(id: "job_A") { id } }`, `{ x: sagas { nodes { id } } }`, `{ x: webhooks { nodes { id } } }`,
		`mutation { x: requestDataExport { userErrors { code } } }`, `mutation { x: deleteAccount { userErrors { code } } }`,
		`mutation { x: schedulePost(input: {title: "t", body: "b", publishAt: "2030-01-01T00:00:00Z"}) { userErrors { code } } }`,
		`mutation { x: mergeAccounts(input: {fromId: "user_u1", intoId: "user_u2"}) { userErrors { code } } }`,
		`mutation { x: deleteWebhook(id: "wh_a") { userErrors { code } } }`,
	} {
		if a := ask(t, g, admin, query, nil); a.codes()[`"x"`] != "WORK_DISABLED" {
			t.Errorf("%s: %v %v", query, a.Data, a.Errors)
		}
	}
}

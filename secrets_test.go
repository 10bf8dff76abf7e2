package main

import (
	"net/http"
	"strings"
	"testing"

	"tributary/internal/demo"
	"tributary/internal/redisclient/redistest"
)

// TestNothingSecretIsTold shows credentials of every kind, good and bad ones, to a gateway whose services fail, and looks for
// them in what it logs, measures and answers.
func TestNothingSecretIsTold(t *testing.T) {
	const password, serviceToken, email = "redis-passw0rd", "service-t0ken", "very.secret@example.org"
	redis := redistest.Start(t, "--requirepass", password)
	d := startDemo(t, seededDir(t))
	i := startIssuer(t)
	args := []string{"serve", "--addr", "127.0.0.1:0", "--data-dir", t.TempDir(), "--log-level", "debug", "--service-token", serviceToken,
		"--redis-url", "redis://:" + password + "@" + redis.Address(),
		"--jwks-url", i.url, "--jwt-issuer", "https://id.example", "--jwt-audience", "graph", "--user-retries", "0"}
	for _, service := range demo.Services() {
		args = append(args, "--"+service+"-url", d.URL(service))
	}
	p := start(t, args...)
	admin, forged := i.token(t, map[string]any{"scope": "admin"}), "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSJ9.c2VjcmV0LXNpZ25hdHVyZQ"
	var answers strings.Builder
	send := func(query string, header ...string) reply {
		r := p.send(t, query, header...)
		answers.WriteString(r.raw)
		for _, values := range r.header {
			answers.WriteString(strings.Join(values, " "))
		}
		return r
	}
	made := p.send(t, `mutation { createApiKey(input: {name: "n"}) { secret } }`, "Authorization", "Bearer "+admin)
	key := at(t, made.Data, "createApiKey", "secret").(string)
	send(`mutation { updateUser(input: {id: "user_u1", email: "`+email+`"}) { user { version } userErrors { message } } }`, "Authorization", "Bearer "+admin)
	send(`{ viewer { handle } }`, "X-API-Key", key)
	send(`{ viewer { handle } }`, "X-API-Key", key[:len(key)-1]+"x")
	send(`{ viewer { handle } }`, "Authorization", "Bearer "+forged)
	send(`{ user(handle: "` + email + `") { id } }`)
	send(`{ user(id: "` + email + `") { ` + email + ` } }`)
	redis.Kill()
	for _, service := range demo.Services() {
		if err := d.Faults(service).Set(demo.Fault{ErrorRate: 1}); err != nil {
			t.Fatal(err)
		}
	}
	send(`{ viewer { name } posts(first: 1) { nodes { id } } }`, "Authorization", "Bearer "+admin)
	send(`{ viewer { handle } }`, "X-API-Key", key[:20]+strings.Repeat("A", len(key)-20))
	d.Faults("user").Clear()
	_, _, metrics := p.get(t, "/metrics?token="+forged, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+forged) })
	told := map[string]string{"the log": p.stderr.String(), "standard output": p.stdout.String(), "the metrics": metrics, "an answer": answers.String()}
	if len(told["the log"]) < 2000 || len(metrics) < 2000 {
		t.Fatalf("only %d bytes of log and %d of metrics", len(told["the log"]), len(metrics))
	}
	secrets := map[string]string{
		"the password of Redis": password, "the gateway's own token": serviceToken, "an e-mail address": email, "an API key": key, "a part of an API key": key[20:],
		"a token": admin, "the signature of a token": admin[strings.LastIndexByte(admin, '.')+1:], "a forged token": forged,
	}
	for where, text := range told {
		for what, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s stands in %s", what, where)
			}
		}
		for _, inside := range []string{d.URL("user"), strings.TrimPrefix(d.URL("user"), "http://"), "goroutine ", ".go:"} {
			if where == "an answer" && strings.Contains(text, inside) {
				t.Errorf("%s stands in %s", inside, where)
			}
		}
	}
}

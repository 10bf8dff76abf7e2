package demo

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestUserCreate(t *testing.T) {
	l := start(t)
	r := l.post("user", "/users", `{"handle":"Anna_1","name":"Anna \u00e9 \u0000 \"x\"","email":"a@example.org","bio":null,"avatarUrl":""}`, "X-Actor", "root").want(201)
	u := as[user](r)
	equal(t, "handle", u.Handle, "anna_1")
	equal(t, "name", u.Name, "Anna é \x00 \"x\"")
	equal(t, "state", fmt.Sprint(u.Status, u.Version, *u.Email, u.Bio, *u.AvatarURL, u.CreatedAt == u.UpdatedAt), fmt.Sprint("active", 1, "a@example.org", nil, "", true))
	equal(t, "headers", r.header.Get("ETag")+r.header.Get("Location"), `"1"/users/`+u.ID)
	equal(t, "read", string(l.get("user", "/users?ids="+u.ID).raw), `{"items":[`+string(r.raw)+`]}`)
	equal(t, "events", l.rows("user", "SELECT seq, type, subject, version, actor, json_extract(data, '$.email') FROM outbox"),
		[]string{"1 user.created user/" + u.ID + " 1 root a@example.org"})
}

func TestUserRefusals(t *testing.T) {
	l := start(t)
	u := l.newUser("anna")
	for body, fields := range map[string][]string{
		`{}`:                                       {"handle REQUIRED", "name REQUIRED"},
		`{"handle":null,"name":"N"}`:               {"handle REQUIRED"},
		`{"handle":"ab","name":""}`:                {"handle TOO_SHORT", "name REQUIRED"},
		`{"handle":"a-b","name":"N"}`:              {"handle INVALID"},
		`{"handle":"abc","name":"N","email":"@x"}`: {"email INVALID"},
		`{"handle":"abc","name":"N","email":"x@"}`: {"email INVALID"},
		`{"handle":"ANNA","name":"N"}`:             {"handle TAKEN"},
		`{"handle":5,"name":["N"]}`:                {"handle INVALID", "name INVALID"},
		`{"handle":"abc","name":"N","id":"x"}`:     {"id INVALID"},
		fmt.Sprintf(`{"handle":"%s","name":"%s","email":"%s","bio":"%s","avatarUrl":"%s"}`, strings.Repeat("x", 31), strings.Repeat("é", 101),
			strings.Repeat("e", 253)+"@x", strings.Repeat("b", 501), strings.Repeat("a", 2049)): {
			"handle TOO_LONG", "name TOO_LONG", "email TOO_LONG", "bio TOO_LONG", "avatarUrl TOO_LONG"},
	} {
		l.post("user", "/users", body).refused(422, "INVALID", fields...)
	}
	l.post("user", "/users", fmt.Sprintf(`{"handle":"%s","name":"%s","email":"%s","bio":"%s","avatarUrl":"%s"}`, strings.Repeat("x", 30),
		strings.Repeat("é", 100), strings.Repeat("e", 252)+"@x", strings.Repeat("b", 500), strings.Repeat("a", 2048))).want(201)
	l.do("PATCH", "user", "/users/"+u.ID, `{"name":null,"status":"frozen"}`, "If-Match", `"1"`).refused(422, "INVALID", "status INVALID", "name REQUIRED")
	equal(t, "users", as[page[user]](l.get("user", "/users")).Total, 2)
	equal(t, "outbox", l.rows("user", "SELECT count(*) FROM outbox"), []string{"2"})
}

func TestUserVersions(t *testing.T) {
	l := start(t)
	u, other := l.newUser("anna"), l.newUser("bert")
	path := "/users/" + u.ID
	r := l.do("PATCH", "user", path, `{"email":"a@example.org","handle":"Anne"}`, "If-Match", `"1"`, "Content-Type", "application/merge-patch+json").want(200)
	equal(t, "etag", r.header.Get("ETag"), `"2"`)
	if v := as[user](r); v.Handle != "anne" || v.UpdatedAt <= u.UpdatedAt || v.CreatedAt != u.CreatedAt {
		t.Errorf("patched: %+v", v)
	}
	stale := l.do("PATCH", "user", path, `{"name":"X"}`, "If-Match", `"1"`).refused(412, "VERSION_MISMATCH")
	equal(t, "current version", as[struct{ Version int }](stale).Version, 2)
	for _, bad := range []string{"2", `W/"2"`, `"x"`, `"2", "3"`, `*`, `"0"`, `"+2"`, `"2`} {
		l.do("PATCH", "user", path, `{"name":"X"}`, "If-Match", bad).refused(400, "BAD_REQUEST")
	}
	same := l.do("PATCH", "user", path, `{"handle":"ANNE"}`, "If-Match", `"2"`).want(200)
	equal(t, "a patch that changes nothing", string(same.raw), string(r.raw))
	l.do("PATCH", "user", path, `{"handle":"bert"}`, "If-Match", `"2"`).refused(422, "INVALID", "handle TAKEN")
	last := as[user](l.do("PATCH", "user", path, `{"email":null}`, "If-Match", `"2"`).want(200))
	l.do("DELETE", "user", path, "", "If-Match", `"2"`).refused(412, "VERSION_MISMATCH")
	l.do("DELETE", "user", path, "", "If-Match", `"3"`).want(204)
	l.do("DELETE", "user", path, "").refused(404, "NOT_FOUND")
	l.do("PATCH", "user", path, `{}`, "If-Match", `"4"`).refused(404, "NOT_FOUND")
	l.do("PATCH", "user", "/users/"+other.ID, `{"handle":"anne"}`, "If-Match", `"1"`).refused(422, "INVALID", "handle TAKEN") // it may be restored
	equal(t, "events", l.events("user", "user/"+u.ID)[1:], []string{
		fmt.Sprintf(`user.updated 2 {"email":"a@example.org","handle":"anne","id":"%s","updatedAt":"%s","version":2}`, u.ID, as[user](r).UpdatedAt),
		fmt.Sprintf(`user.updated 3 {"email":null,"id":"%s","updatedAt":"%s","version":3}`, u.ID, last.UpdatedAt),
		fmt.Sprintf(`user.deleted 4 {"id":"%s"}`, u.ID),
	})
}

func TestUserLife(t *testing.T) {
	l := start(t)
	u := l.newUser("anna")
	path := "/users/" + u.ID
	seen := func(batch, list int) {
		t.Helper()
		equal(t, "by id", len(as[page[user]](l.get("user", "/users?ids="+u.ID)).Items), batch)
		equal(t, "by handle", len(as[page[user]](l.get("user", "/users?handles=anna")).Items), batch)
		p := as[page[user]](l.get("user", "/users"))
		equal(t, "list and total", [2]int{len(p.Items), p.Total}, [2]int{list, list})
	}
	l.post("user", path+"/restore", "").refused(409, "CONFLICT")
	frozen := as[user](l.post("user", path+"/freeze", "").want(200))
	equal(t, "frozen", fmt.Sprint(frozen.Status, frozen.Version), "frozen2")
	seen(1, 0)
	equal(t, "frozen again", as[user](l.post("user", path+"/freeze", "").want(200)).Version, 2)
	l.do("DELETE", "user", path, "").want(204)
	seen(0, 0)
	l.post("user", path+"/freeze", "").refused(404, "NOT_FOUND")
	back := as[user](l.post("user", path+"/restore", "").want(200))
	equal(t, "undeleted", fmt.Sprint(back.Status, back.Version), "frozen4")
	seen(1, 0)
	back = as[user](l.post("user", path+"/restore", "").want(200))
	equal(t, "unfrozen", fmt.Sprint(back.Status, back.Version), "active5")
	seen(1, 1)
	l.post("user", path+"/purge", "").want(204)
	seen(0, 0)
	l.post("user", path+"/restore", "").refused(404, "NOT_FOUND")
	l.post("user", path+"/purge", "").refused(404, "NOT_FOUND")
	equal(t, "types", l.rows("user", "SELECT type || version FROM outbox"),
		[]string{"user.created1", "user.frozen2", "user.deleted3", "user.restored4", "user.restored5", "user.deleted6"})
	l.newUser("anna") // the handle is free again
}

// TestPurgeLeavesNoTrace looks for an erased address in every file, with kept answers, events and the log of SQLite.
func TestPurgeLeavesNoTrace(t *testing.T) {
	dir := t.TempDir()
	l := start(t, func(o *Options) { o.Dir = dir })
	const secret = "very.secret.address@example.org"
	u := as[user](l.post("user", "/users", `{"handle":"anna","name":"N","email":"`+secret+`"}`, "Idempotency-Key", "k1").want(201))
	l.do("PATCH", "user", "/users/"+u.ID, `{"name":"M"}`, "If-Match", `"1"`, "Idempotency-Key", "k2").want(200)
	l.get("user", "/users")
	l.post("user", "/users/"+u.ID+"/purge", "", "Idempotency-Key", "k3").want(204)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if content, err := os.ReadFile(file); err != nil || strings.Contains(string(content), secret) {
			t.Errorf("%s still has the address, or %v", filepath.Base(file), err)
		}
	}
	erased, err := l.try("POST", "user", "/users", `{"handle":"anna","name":"N","email":"`+secret+`"}`, "Idempotency-Key", "k1")
	if err != nil {
		t.Fatal(err)
	}
	erased.refused(404, "NOT_FOUND")
	equal(t, "k3 repeated", l.post("user", "/users/"+u.ID+"/purge", "", "Idempotency-Key", "k3").want(204).header.Get("Idempotency-Replayed"), "true")
	equal(t, "events", l.rows("user", "SELECT type, data FROM outbox ORDER BY seq"),
		[]string{"user.created {}", "user.updated {}", `user.deleted {"id":"` + u.ID + `"}`})
}

// TestConcurrentUpdates lets many writers change one version: one wins.
func TestConcurrentUpdates(t *testing.T) {
	l := start(t)
	u := l.newUser("anna")
	statuses := make(chan int)
	for i := range 8 {
		go func() {
			r, err := l.try(http.MethodPatch, "user", "/users/"+u.ID, fmt.Sprintf(`{"name":"N%d"}`, i), "If-Match", `"1"`)
			if err != nil {
				t.Error(err)
			}
			statuses <- r.status
		}()
	}
	count := map[int]int{}
	for range 8 {
		count[<-statuses]++
	}
	equal(t, "answers", count, map[int]int{200: 1, 412: 7})
	l.clock.move(time.Hour)
	equal(t, "version", as[page[user]](l.get("user", "/users?ids="+u.ID)).Items[0].Version, 2)
}

package event

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestIngestRefusesTheUnsigned: whatever else is wrong with a delivery, a signature that is not good is all that it is told.
func TestIngestRefusesTheUnsigned(t *testing.T) {
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	stamp := func(d time.Duration) func(*http.Request) {
		return func(r *http.Request) {
			at := sentAt.Add(d)
			r.Header.Set(HeaderTimestamp, fmt.Sprint(at.Unix()))
			r.Header.Set(HeaderSignature, Sign([]byte("secret of the posts"), "msg_1", at, []byte(batchOf())))
		}
	}
	good := Sign([]byte("secret of the posts"), "msg_1", sentAt, []byte(batchOf()))
	for name, c := range map[string]struct {
		edit   func(*http.Request)
		status int
	}{
		"signed":              {nil, 200},
		"by the older secret": {set(HeaderSignature, Sign([]byte("old secret of the posts"), "msg_1", sentAt, []byte(batchOf()))), 200},
		"in a list":           {set(HeaderSignature, "v1,AAAA "+good), 200},
		"4 minutes old":       {stamp(-4 * time.Minute), 200},
		"4 minutes early":     {stamp(4 * time.Minute), 200},
		"6 minutes old":       {stamp(-6 * time.Minute), 401},
		"6 minutes early":     {stamp(6 * time.Minute), 401},
		"no time":             {set(HeaderTimestamp, ""), 401},
		"time of no sense":    {set(HeaderTimestamp, "-9223372036854775808"), 401},
		"time with a dot":     {set(HeaderTimestamp, fmt.Sprint(sentAt.Unix())+".0"), 401},
		"another time":        {set(HeaderTimestamp, fmt.Sprint(sentAt.Unix()+1)), 401},
		"no id":               {set(HeaderID, ""), 401},
		"another id":          {set(HeaderID, "msg_2"), 401},
		"no signature":        {set(HeaderSignature, ""), 401},
		"no source":           {set(HeaderSource, ""), 401},
		"another's secret":    {set(HeaderSource, "user"), 401},
		"source not known":    {set(HeaderSource, "like"), 401},
		"and not our type": {func(r *http.Request) {
			r.Header.Set(HeaderSignature, "v1,AAAA")
			r.Header.Set("Content-Type", "text/plain")
		}, 401},
	} {
		d := newDesk()
		response, answer := d.deliver(batchOf(), c.edit)
		if response.StatusCode != c.status || (c.status == 401 && (answer["code"] != "UNAUTHENTICATED" || response.Header.Get("WWW-Authenticate") == "")) {
			t.Errorf("%s: %s %v", name, response.Status, answer)
		}
	}
	d := newDesk()
	d.deliver("", func(r *http.Request) { r.Header.Set(HeaderSource, "like-"+strings.Repeat("x", 100)) })
	if d.told[0] != "unknown unauthenticated 0" {
		t.Error("a stranger makes labels of its own:", d.told)
	}
	if response, answer := d.deliver("no JSON", func(r *http.Request) { r.Header.Set(HeaderSignature, "v1,AAAA") }); response.StatusCode != 401 {
		t.Error(response.Status, answer)
	}
}

func TestIngestRefusesTheRequest(t *testing.T) {
	many := strings.Repeat(envelope1()+",", 500) + envelope1()
	for name, c := range map[string]struct {
		body        string
		edit        func(*http.Request)
		status      int
		code, field string
	}{
		"method":       {batchOf(), func(r *http.Request) { r.Method = "PUT" }, 405, "METHOD_NOT_ALLOWED", "Allow"},
		"plain JSON":   {batchOf(), func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, 415, "UNSUPPORTED_MEDIA_TYPE", "Accept-Post"},
		"no type":      {batchOf(), func(r *http.Request) { r.Header.Del("Content-Type") }, 415, "UNSUPPORTED_MEDIA_TYPE", "Accept-Post"},
		"charset":      {batchOf(), func(r *http.Request) { r.Header.Set("Content-Type", typeBatch+";charset=latin1") }, 415, "UNSUPPORTED_MEDIA_TYPE", ""},
		"compressed":   {batchOf(), func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, 415, "UNSUPPORTED_MEDIA_TYPE", ""},
		"body":         {"[" + strings.Repeat(" ", 1<<20) + "]", nil, 413, "TOO_LARGE", ""},
		"events":       {batchOf(many), nil, 413, "TOO_LARGE", ""},
		"not JSON":     {"{", nil, 400, "BAD_REQUEST", ""},
		"empty":        {"", nil, 400, "BAD_REQUEST", ""},
		"behind":       {"[] []", nil, 400, "BAD_REQUEST", ""},
		"not UTF-8":    {"[\"\xff\"]", nil, 400, "BAD_REQUEST", ""},
		"null":         {"null", nil, 400, "BAD_REQUEST", ""},
		"one in batch": {envelope1(), nil, 400, "BAD_REQUEST", ""},
		"batch as one": {batchOf(), func(r *http.Request) { r.Header.Set("Content-Type", typeEvent) }, 400, "BAD_REQUEST", ""},
	} {
		d := newDesk()
		response, answer := d.deliver(c.body, c.edit)
		if response.StatusCode != c.status || answer["code"] != c.code || response.Header.Get("Content-Type") != "application/problem+json" ||
			answer["status"] != float64(c.status) || answer["type"] != "about:blank" || answer["title"] != http.StatusText(c.status) || answer["detail"] == "" {
			t.Errorf("%s: %s %v", name, response.Status, answer)
		}
		if c.field != "" && response.Header.Get(c.field) == "" {
			t.Errorf("%s: no %s", name, c.field)
		}
		if _, ok := answer["index"]; ok && name != "batch as one" {
			t.Errorf("%s: is about no event: %v", name, answer)
		}
	}
}

// TestIngestRefusesAnEvent puts each bad event behind one whose version does not follow: the form is looked at first, of all.
func TestIngestRefusesAnEvent(t *testing.T) {
	for name, c := range map[string]struct {
		event  string
		status int
	}{
		"no object":          {`7`, 400},
		"twice":              {`{"id":"a","id":"b"}`, 400},
		"specversion":        {envelope1(`specversion="0.3"`), 400},
		"no specversion":     {envelope1(`specversion=`), 400},
		"case":               {envelope1(`id=`, `ID="e1"`), 400},
		"no id":              {envelope1(`id=""`), 400},
		"long id":            {envelope1(`id="` + strings.Repeat("x", 257) + `"`), 400},
		"control in id":      {envelope1(`id="a\u0000"`), 400},
		"id a number":        {envelope1(`id=7`), 400},
		"mixed sources":      {envelope1(`source="/user"`), 400},
		"bare source":        {envelope1(`source="post"`), 400},
		"no type":            {envelope1(`type=`), 400},
		"no subject":         {envelope1(`subject=null`), 400},
		"no time":            {envelope1(`time=`), 400},
		"local time":         {envelope1(`time="2026-01-02T03:04:05"`), 400},
		"far time":           {envelope1(`time="9999-01-02T03:04:05Z"`), 400},
		"data type":          {envelope1(`datacontenttype="text/xml"`), 400},
		"base64":             {envelope1(`data_base64="e30="`), 400},
		"actor":              {envelope1(`actor="a b"`), 400},
		"no version":         {envelope1(`version=`), 400},
		"version 0":          {envelope1(`version=0`), 400},
		"version 1.0":        {envelope1(`version=1.0`), 400},
		"version text":       {envelope1(`version="1"`), 400},
		"version too large":  {envelope1(`version=9223372036854775808`), 400},
		"sequence a number":  {envelope1(`sequence=7`), 400},
		"sequence signed":    {envelope1(`sequence="+7"`), 400},
		"sequence padded":    {envelope1(`sequence="07"`), 400},
		"unknown type":       {envelope1(`type="post.liked"`), 422},
		"another's type":     {envelope1(`type="user.created"`), 422},
		"another's subject":  {envelope1(`subject="user/p1"`), 422},
		"no such subject":    {envelope1(`subject="post/"`), 422},
		"subject in depth":   {envelope1(`subject="post/p1/x"`), 422},
		"subject of two":     {envelope1(`subject="post/a:b"`), 422},
		"patch a list":       {envelope1(`data=[]`), 422},
		"patch a text":       {envelope1(`data="{}"`), 422},
		"patch twice":        {envelope1(`data={"authorId":"a","authorId":"b"}`), 422},
		"no author":          {envelope1(`data={"title":"T"}`), 422},
		"author null":        {envelope1(`data={"authorId":null}`), 422},
		"author no id":       {envelope1(`data={"authorId":"a b"}`), 422},
		"another id":         {envelope1(`data={"authorId":"a","id":"p2"}`), 422},
		"data's id a number": {envelope1(`data={"authorId":"a","id":1}`), 422},
		"former author":      {envelope1(`data={"authorId":"a","previousAuthorId":1}`), 422},
	} {
		d := newDesk()
		response, answer := d.deliver(batchOf(envelope1(`id="e0"`, `version=5`), c.event), nil)
		if response.StatusCode != c.status || answer["index"] != 1.0 || len(d.tape.events) != 0 {
			t.Errorf("%s: %s %v", name, response.Status, answer)
		}
	}
}

func TestIngestRefusesNames(t *testing.T) {
	comment := func(data string) string {
		return envelope1(`source="/comment"`, `type="comment.deleted"`, `subject="comment/c1"`, `data=`+data)
	}
	follow := func(subject, data string) string {
		return envelope1(`source="/follower"`, `type="follower.removed"`, `subject="`+subject+`"`, `data=`+data)
	}
	for _, c := range []struct{ source, event string }{
		{"comment", comment(`{"parentId":null,"authorId":"a"}`)},
		{"comment", comment(`{"postId":null,"parentId":null,"authorId":"a"}`)},
		{"comment", comment(`{"postId":"p","authorId":"a"}`)},
		{"comment", comment(`{"postId":"p","parentId":null}`)},
		{"follower", follow("follow/a:b", `{"followerId":"a"}`)},
		{"follower", follow("follow/a:b", `{"followerId":"b","followeeId":"a"}`)},
		{"follower", follow("follow/a", `{"followerId":"a","followeeId":""}`)},
		{"follower", follow("follow/a:b:c", `{"followerId":"a","followeeId":"b:c"}`)},
		{"follower", follow("follower/a:b", `{"followerId":"a","followeeId":"b"}`)},
	} {
		if _, err := decode([]byte(batchOf(c.event)), false, c.source, 1); err == nil || err.status != 422 {
			t.Errorf("%s: %+v", c.event, err)
		}
	}
}

// FuzzDecode: nothing breaks the reading of a body, and what is taken keeps the promises of an Event.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{batchOf(envelope1()), envelope1(), `[]`, `[{}]`, `{"id":"a","id":1}`, batchOf(envelope1(`data={"authorId":"\ud800","x":{"y":[1e400]}}`))} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, single bool) {
		batch, err := decode(body, single, "post", 3)
		if err != nil {
			if err.status != 400 && err.status != 413 && err.status != 422 || batch != nil {
				t.Fatalf("%+v", err)
			}
			return
		}
		for _, e := range batch {
			if e.ID == "" || e.Version < 1 || e.Sequence < 0 || !fits("post", "post", e.Subject[len("post/"):]) || e.Time.IsZero() || len(batch) > 3 {
				t.Fatalf("%+v", e)
			}
			if len(Topics(e)) == 0 {
				t.Fatal("no topic")
			}
		}
	})
}

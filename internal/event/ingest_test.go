package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var sentAt = time.Unix(1_700_000_000, 0)

// desk is an Ingest over a tape, and what it told its observer.
type desk struct {
	*Ingest
	tape *tape
	told []string
}

func newDesk() *desk {
	d := &desk{tape: newTape()}
	d.Ingest = &Ingest{Log: d.tape, Now: func() time.Time { return sentAt },
		Secrets: map[string][][]byte{"post": {[]byte("old secret of the posts"), []byte("secret of the posts")}, "user": {[]byte("secret of the users")}},
		Observer: IngestObserver{Received: func(source, outcome string, events int) {
			d.told = append(d.told, fmt.Sprint(source, " ", outcome, " ", events))
		}}}
	return d
}

// delivery is a request as a service sends it; edit changes it after it was signed.
func (d *desk) deliver(body string, edit func(*http.Request)) (*http.Response, map[string]any) {
	r := httptest.NewRequest("POST", "/events", strings.NewReader(body))
	r.Header.Set("Content-Type", typeBatch)
	r.Header.Set(HeaderSource, "post")
	r.Header.Set(HeaderID, "msg_1")
	r.Header.Set(HeaderTimestamp, strconv.FormatInt(sentAt.Unix(), 10))
	r.Header.Set(HeaderSignature, Sign([]byte("secret of the posts"), "msg_1", sentAt, []byte(body)))
	if edit != nil {
		edit(r)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	raw, _ := io.ReadAll(w.Body)
	var answer map[string]any
	if err := json.Unmarshal(raw, &answer); err != nil {
		panic(string(raw))
	}
	return w.Result(), answer
}

// envelope1 is a good event with some attributes, "name=raw JSON", put in place of its own; raw "" takes one away.
func envelope1(changes ...string) string {
	attributes := map[string]string{"specversion": `"1.0"`, "id": `"e1"`, "source": `"/post"`, "type": `"post.created"`, "subject": `"post/p1"`,
		"time": `"2026-01-02T03:04:05.6+01:00"`, "datacontenttype": `"application/json"`, "actor": `"u1"`, "version": `1`, "sequence": `"7"`,
		"data": `{"id":"p1","authorId":"u1","title":"T","status":"published"}`}
	for _, change := range changes {
		name, raw, _ := strings.Cut(change, "=")
		if attributes[name] = raw; raw == "" {
			delete(attributes, name)
		}
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		list = append(list, `"`+name+`": `+attributes[name])
	}
	return "{" + strings.Join(list, ", ") + "}"
}

func batchOf(envelopes ...string) string { return "[" + strings.Join(envelopes, ",") + "]" }

func TestIngestKeepsABatch(t *testing.T) {
	d := newDesk()
	response, answer := d.deliver(batchOf(envelope1(), envelope1(`id="e2"`, `version=2`, `sequence="9"`, `type="post.deleted"`, `data={"authorId":"u1"}`, `other=[1]`)), nil)
	if response.StatusCode != 200 || answer["sequence"] != "9" || response.Header.Get("Content-Type") != "application/json" {
		t.Fatal(response.Status, answer)
	}
	got := d.tape.events[0]
	want := Event{Position: 1, ID: "e1", Source: "post", Sequence: 7, Type: "post.created", Subject: "post/p1", Version: 1, Actor: "u1",
		Time: time.Date(2026, 1, 2, 2, 4, 5, 6e8, time.UTC), Data: json.RawMessage(`{"id":"p1","authorId":"u1","title":"T","status":"published"}`)}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) || len(d.tape.events) != 2 {
		t.Fatalf("%+v", got)
	}
	response, answer = d.deliver(batchOf(), nil) // a heartbeat
	if response.StatusCode != 200 || answer["sequence"] != "9" {
		t.Fatal(response.Status, answer)
	}
	single := envelope1(`id="e3"`, `subject="post/p2"`, `data={"authorId":"u1"}`, `sequence=`, `actor=null`, `datacontenttype=`, `type="post.snapshot"`, `version=41`)
	response, _ = d.deliver(single, func(r *http.Request) { r.Header.Set("Content-Type", typeEvent+"; charset=UTF-8") })
	if response.StatusCode != 200 || d.tape.events[2].Sequence != 0 || d.tape.events[2].Version != 41 {
		t.Fatal(response.Status)
	}
	for i, erased := range []string{`data=`, `data=null`} {
		d.deliver(batchOf(envelope1(erased, `subject="post/p3"`, fmt.Sprintf(`id="x%d"`, i), fmt.Sprintf(`version=%d`, i+1))), nil)
		if e := d.tape.events[3+i]; e.Data != nil {
			t.Fatalf("%s: %s", erased, e.Data)
		}
	}
	if want := []string{"post kept 2", "post heartbeat 0", "post kept 1", "post kept 1", "post kept 1"}; !slices.Equal(d.told, want) {
		t.Fatal(d.told)
	}
}

func TestIngestTakesEveryType(t *testing.T) {
	data := map[string]string{"user": `{"name":"N"}`, "post": `{"authorId":"a","previousAuthorId":"b"}`, "follower": `{"followerId":"a","followeeId":"b"}`,
		"comment": `{"id":"1","postId":"p","parentId":null,"authorId":null,"previousAuthorId":null}`}
	subject := map[string]string{"user": "user/1", "post": "post/1", "comment": "comment/1", "follower": "follow/a:b"}
	for source := range data {
		for i, kind := range Types(source) {
			raw := envelope1(`type="`+kind+`"`, `source="/`+source+`"`, `subject="`+subject[source]+`"`, `data=`+data[source])
			if _, err := decode([]byte(batchOf(raw)), false, source, 1); err != nil {
				t.Errorf("%d %s: %+v", i, kind, err)
			}
		}
	}
	if Types("like") != nil {
		t.Error("there is no such source")
	}
}

func TestIngestLogTrouble(t *testing.T) {
	d := newDesk()
	d.tape.broken = errors.New("connection to 10.0.0.7 refused")
	response, answer := d.deliver(batchOf(envelope1()), nil)
	if response.StatusCode != 503 || response.Header.Get("Retry-After") != "1" || answer["code"] != "UNAVAILABLE" || strings.Contains(fmt.Sprint(answer), "10.0.0.7") {
		t.Fatal(response.Status, answer)
	}
	if !slices.Equal(d.told, []string{"post unavailable 0"}) {
		t.Fatal(d.told)
	}
}

func TestIngestGapIsAllOrNothing(t *testing.T) {
	d := newDesk()
	d.deliver(batchOf(envelope1()), nil)
	next := envelope1(`id="e2"`, `version=2`, `type="post.updated"`)
	response, answer := d.deliver(batchOf(envelope1(), next, envelope1(`id="e3"`, `version=4`, `type="post.updated"`)), nil)
	if response.StatusCode != 409 || answer["index"] != 2.0 || answer["expected"] != 3.0 || answer["code"] != "GAP" || len(d.tape.events) != 1 {
		t.Fatal(response.Status, answer)
	}
	// What is known is skipped before its version is looked at.
	response, _ = d.deliver(batchOf(envelope1(`version=9`), next), nil)
	if response.StatusCode != 200 || len(d.tape.events) != 2 {
		t.Fatal(response.Status)
	}
}

package clients

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// agree decodes a body in each way there is, and by the oracle: both fail, or both have the same.
func agree(t rapid.TB, body []byte) {
	if misspelt(body) {
		return
	}
	same(t, body, "users", read(decodePage, readUser), oracleItems[*User])
	same(t, body, "posts", read(decodePage, readPost), oracleItems[*Post])
	same(t, body, "comments", read(decodePage, readComment), oracleItems[*Comment])
	same(t, body, "edges", read(decodePage, readFollow), oracleItems[*Follow])
	same(t, body, "groups of users", askable(read(decodeGroups[UserID], readUser)), askable(oracleGroups[UserID, *User]))
	same(t, body, "groups of posts", askable(read(decodeGroups[UserID], readPost)), askable(oracleGroups[UserID, *Post]))
	same(t, body, "groups of comments", askable(read(decodeGroups[PostID], readComment)), askable(oracleGroups[PostID, *Comment]))
	same(t, body, "groups of edges", askable(read(decodeGroups[UserID], readFollow)), askable(oracleGroups[UserID, *Follow]))
	same(t, body, "counts", askable(read(decodeCounts[PostID], readCount)), askable(oracleCounts[PostID, int]))
	same(t, body, "counts of edges", askable(read(decodeCounts[UserID], readFollowCounts)), askable(oracleCounts[UserID, FollowCounts]))
	same(t, body, "a user", read(decodeDocument, readUser), oracleValue[*User])
	same(t, body, "a post", read(decodeDocument, readPost), oracleValue[*Post])
	same(t, body, "a comment", read(decodeDocument, readComment), oracleValue[*Comment])
	same(t, body, "an edge", read(decodeDocument, readFollow), oracleValue[*Follow])
}

// same overwrites the body before it compares, for nothing decoded may lie there.
func same[V any](t rapid.TB, body []byte, what string, ours, oracle func([]byte) (V, error)) {
	t.Helper()
	want, wantErr := oracle(body)
	own := slices.Clone(body)
	got, err := ours(own)
	for i := range own {
		own[i] = '#'
	}
	switch {
	case (err == nil) != (wantErr == nil):
		t.Fatalf("%s of %.300q: %v, not %v", what, body, err, wantErr)
	case err != nil && len(err.Error()) > 300+len(wantErr.Error()):
		t.Fatalf("an error of %d bytes: %.300s", len(err.Error()), err)
	case err == nil && !reflect.DeepEqual(got, want):
		t.Fatalf("%s of %.300q:\n got %s\nwant %s", what, body, asJSON(got), asJSON(want))
	}
}

func asJSON(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}

// askable leaves only the keys that can be asked for. Of others, which are only counted, halves of surrogates may differ.
func askable[K ~string, V any](decode func([]byte) (map[K]V, error)) func([]byte) (map[K]V, error) {
	return func(body []byte) (map[K]V, error) {
		values, err := decode(body)
		maps.DeleteFunc(values, func(k K, _ V) bool { return !validID(string(k)) })
		return values, err
	}
}

// oddAnswers are answers in which something is worth a look.
func oddAnswers() []string {
	whole := `{"id":"a","authorId":"u","postId":"p","parentId":"c","handle":"abc","name":"n","title":"t","body":"b","email":"e","bio":"i",` +
		`"avatarUrl":"v","status":"active","publishedAt":"2025-01-01T00:00:00.5Z","createdAt":"2025-01-01T00:00:00Z","updatedAt":"2025-02-01T10:00:00+02:00",` +
		`"followerId":"f","followeeId":"g","followedAt":"2025-01-01T00:00:00.123456789Z","version":3,"more":{"a":[1,-2.5e+3,true,false,null,"x"]}}`
	odd := []string{"", " ", "null", "5", `"x"`, "[]", "{}", "{", "}", "[" + whole + "]", whole, " \t\r\n" + whole + "\n", whole + whole, whole + ",", "\ufeff" + whole,
		`{"items":null}`, `{"items":[]}`, `{"items":{}}`, `{"items":[null,{},null]}`, `{"items":[` + whole + `,null,` + whole + `],"next":"n","prev":null,"total":7}`,
		`{"items":[` + whole + `],"items":[{"id":"b"}]}`, `{"items":[{}],"items":null}`, `{"items":[],}`, `{"items":[,]}`, `{"items":[{}],"next":5}`,
		`{"items":[],"next":null,"next":"a","total":null,"total":-3}`, `{"items":[],"total":1.0}`, `{"items":[],"total":"1"}`, `{"items":[5]}`, `{"items":[[]]}`,
		`{"groups":null}`, `{"groups":[]}`, `{"groups":{"a":null,"b":{},"c":{"items":null},"d":{"items":[` + whole + `],"total":2}}}`,
		`{"groups":{"a":{"items":[{}]},"a":null},"groups":{"b":{"items":[]}}}`, `{"groups":{"a":{"items":[]}},"groups":null}`, `{"groups":{"\u0061":{"items":[]}}}`,
		`{"counts":{"a":1,"b":null,"c":-0}}`, `{"counts":{"a":1,"a":null}}`, `{"counts":{"a":{"followers":1,"following":null,"x":[]},"b":{}}}`, `{"counts":{"a":"1"}}`,
		`{"counts":{"":1,"\ud800":2}}`, `{"id":"a","id":null,"email":"x","email":null,"bio":null,"bio":"y"}`, `{"parentId":"x","parentId":null,"publishedAt":null}`,
		`{"\u0069d":"a"}`, `{"id" : "a" , "version" :` + "\t1}", "{\"id\":\"a\x00\"}", `{"id":"a","x":tru}`, `{"id":"a" "x":1}`, `{id:"a"}`, `{"id":'a'}`}
	for _, text := range []string{`"\"\\\/\b\f\n\r\t"`, `"\u00e9\ud83d\ude00"`, `"\ud800"`, `"\ud800x"`, `"\ud800\u0041"`, `"\ud800\ud800\udc00"`, `"\udc00"`, `"\ufffd"`,
		"\"\xff\xfe\"", "\"\xe4\xb8\"", "\"\\n\xff\"", `"\u12"`, `"\x"`, `"\`, `"a`, "\"\u2028é\"", `"` + strings.Repeat("x", 9000) + `"`, `5`, `true`, `{}`, `[]`} {
		odd = append(odd, `{"name":`+text+`,"title":`+text+`,"body":`+text+`,"status":`+text+`}`, `{"bio":`+text+`}`, `{"unknown":`+text+`}`, `{"items":[],"prev":`+text+`}`)
	}
	for _, at := range []string{`"2025-01-01T00:00:00Z"`, `"2025-02-29T00:00:00Z"`, `"2024-02-29T23:59:59.999999999Z"`, `"2025-01-01T24:00:00Z"`, `"2025-01-01T00:00:60Z"`,
		`"2025-01-01T00:00:00+00:00"`, `"2025-01-01T00:00:00-23:59"`, `"2025-01-01T00:00:00+24:00"`, `"2025-01-01T00:00:00,5Z"`, `"2025-01-01T00:00:00.Z"`,
		`"2025-01-01T00:00:00.1234567891Z"`, `"2025-01-01t00:00:00z"`, `"2025-01-01T0:00:00Z"`, `"2025-01-01\u005400:00:00Z"`, `"0000-01-01T00:00:00Z"`, `""`, `0`, `{}`} {
		odd = append(odd, `{"createdAt":`+at+`,"followedAt":`+at+`}`, `{"publishedAt":`+at+`}`)
	}
	for _, n := range []string{"0", "-0", "-1", "01", "1.0", "1e2", "-", "+1", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
		"23058430092136939520", "1x", "0x1", "1 2", "NaN", "1e", "1.", "[1]"} {
		odd = append(odd, `{"version":`+n+`}`, `{"counts":{"a":`+n+`}}`, `{"unknown":`+n+`}`)
	}
	for _, depth := range []int{9_998, 9_999, 10_000, 10_001, 20_000} {
		odd = append(odd, `{"x":`+strings.Repeat("[", depth)+strings.Repeat("]", depth)+`}`, `{"items":[`+strings.Repeat(`{"x":`, depth)+"1"+strings.Repeat("}", depth)+`]}`)
	}
	return odd
}

func TestDecodersAgreeWithEncodingJSON(t *testing.T) {
	for _, body := range oddAnswers() {
		agree(t, []byte(body))
	}
	for i := range len(good) {
		agree(t, []byte(good[:i]))
	}
}

func TestNamesAreExact(t *testing.T) {
	if _, err := decodeItems([]byte(`{"Items":[]}`), readUser); err == nil {
		t.Error("Items was taken for items")
	}
	users, err := decodeItems(bytes.Replace([]byte(good), []byte(`"id"`), []byte(`"ID"`), 1), readUser)
	if err != nil || len(users) != 1 || users[0].ID != "" {
		t.Errorf("ID was taken for id: %+v, %v", users, err)
	}
}

// TestOneEntityHoldsNoAnswer keeps one entity, and the id of another, of each of many large answers.
func TestOneEntityHoldsNoAnswer(t *testing.T) {
	posts := samplePosts(100)
	for _, p := range posts {
		p.Body = strings.Repeat("x", 10_000)
	}
	body, err := json.Marshal(items(posts...))
	if err != nil {
		t.Fatal(err)
	}
	held := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var entities []*Post
	var ids []PostID
	before := held()
	for range 10 {
		got, err := decodeItems(body, readPost)
		if err != nil || len(got) != len(posts) {
			t.Fatal(len(got), err)
		}
		entities = append(entities, got[0])
		for _, p := range got[1:] {
			ids = append(ids, p.ID)
		}
	}
	// 10 entities of 10 KB and 990 ids; all texts would be 10 MB.
	if after := held(); after > before+1<<20 {
		t.Errorf("%d bytes are held", after-before)
	}
	runtime.KeepAlive(entities)
	runtime.KeepAlive(ids)
}

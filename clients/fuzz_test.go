package clients

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"", "?", string(CursorAt(epochStart, "p1")), string(CursorAt(time.Time{}, "")), "MjAyNS0wMS0wMVQwMDowMDowMFp8",
		"MjAyNS0wMS0wMVQwMDowMDowMCswMjowMHxw", strings.Repeat("A", 140)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, id, err := Cursor(text).Position()
		if err != nil {
			if !errors.Is(err, ErrMalformedCursor) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		again := CursorAt(at, id)
		at2, id2, err := again.Position()
		if err != nil || !at2.Equal(at) || id2 != id {
			t.Fatalf("%q became %q: %v %q %v", text, again, at2, id2, err)
		}
		query, err := Page{Limit: 1, After: Cursor(text)}.query()
		if len(id) > MaxIDBytes && errors.Is(err, ErrMalformedCursor) {
			return
		}
		if err != nil || query != "limit=1&after="+string(again) {
			t.Fatalf("%q went out as %q, %v", text, query, err)
		}
	})
}

func FuzzGlobalID(f *testing.F) {
	for _, seed := range []string{"", "user_", "user_1", "post_a_b", "comment_~.-", "other_1", "user_" + strings.Repeat("x", 65), "user_ä", "user_1,2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		g, err := ParseGlobalID(text)
		if err != nil {
			if !errors.Is(err, ErrMalformedID) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		var out bytes.Buffer
		g.MarshalGQL(&out)
		if out.String() != `"`+text+`"` || idText(UserID(g.ID)) == "" {
			t.Fatalf("%q came back as %s", text, &out)
		}
	})
}

// FuzzMarshalID tells that whatever id a service invents, the graph's JSON stays JSON.
func FuzzMarshalID(f *testing.F) {
	f.Add("1")
	f.Add("\"\\\x00")
	f.Fuzz(func(t *testing.T, id string) {
		var out bytes.Buffer
		PostID(id).MarshalGQL(&out)
		var back string
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || !strings.HasPrefix(back, "post_") {
			t.Fatalf("%q became %s: %v", id, &out, err)
		}
	})
}

// FuzzAnswers gives arbitrary bodies to every decoder: none may panic, and what passes must be usable.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []any{
		items(user("a", 1), nil), pageOf(3, post("p", "u", 1)), object{"groups": object{"u": pageOf(1, comment("c", "p", "u", 1)), "v": nil}},
		object{"groups": object{"a": pageOf(1, follow(Pair{"a", "b"}), nil)}}, object{"counts": object{"a": 1, "b": nil}},
		object{"counts": object{"a": object{"followers": 1, "following": -2}}}, user("a", 1), post("p", "u", 2), follow(Pair{"a", "b"}), nil,
		object{"items": nil}, object{"groups": object{"u": object{"items": []any{object{"id": 5}}}}},
	} {
		raw, err := json.Marshal(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"items":[{"id":"a"`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if users, err := decodeItems(body, readUser); err == nil {
			checkKeys(t, byKey[UserID](users))
		}
		if posts, err := decodeItems(body, readPost); err == nil {
			checkKeys(t, byKey[PostID](posts))
		}
		if comments, err := decodeItems(body, readComment); err == nil {
			checkKeys(t, byKey[CommentID](comments))
		}
		if docs, err := decodeGroups[UserID](body, readPost); err == nil {
			for _, doc := range docs {
				for _, fromEnd := range []bool{false, true} {
					list, _ := newListing[PostID](doc, Page{Limit: 2, FromEnd: fromEnd})
					if len(list.ids) > 2 || len(list.ids) != len(list.items) || list.total < 0 {
						t.Fatalf("%+v", list)
					}
				}
			}
		}
		if docs, err := decodeGroups[UserID](body, readFollow); err == nil {
			for _, doc := range docs {
				w, _ := followWindow(doc, Page{Limit: 2})
				for _, edge := range w.Items {
					if (Pair{edge.FollowerID, edge.FolloweeID}).text() == "" {
						t.Fatalf("%+v", edge)
					}
				}
			}
		}
		_, _ = decodeCounts[UserID](body, readCount)
		_, _ = decodeCounts[UserID](body, readFollowCounts)
		if v, err := decodeEntity[UserID](body, readUser); err == nil && !v.usable() {
			t.Fatalf("%+v", v)
		}
		_, _ = decodeFollow(body)
	})
}

func checkKeys[K ~string, V record[K]](t *testing.T, got found[K, V]) {
	t.Helper()
	for id, v := range got.values {
		if idText(id) == "" || !v.usable() || v.key() != id || v.bytes() <= 0 {
			t.Fatalf("%q: %+v", id, v)
		}
	}
}

package relay_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"tributary/clients"
)

func TestGlobalIDs(t *testing.T) {
	longest := strings.Repeat("x", clients.MaxIDBytes)
	for _, tt := range []struct {
		text string
		want clients.GlobalID
	}{
		{"user_42", clients.GlobalID{Kind: clients.KindUser, ID: "42"}},
		{"post_a_b", clients.GlobalID{Kind: clients.KindPost, ID: "a_b"}},
		{"comment_A-z.0~_", clients.GlobalID{Kind: clients.KindComment, ID: "A-z.0~_"}},
		{"user_" + longest, clients.GlobalID{Kind: clients.KindUser, ID: longest}},
	} {
		if got, err := clients.ParseGlobalID(tt.text); err != nil || got != tt.want {
			t.Errorf("%s: %+v, %v", tt.text, got, err)
		}
	}
	for _, text := range []string{"", "_", "42", "user", "user_", "User_1", "follow_1", "user-1", "user_a b", "user_é", "user_a\n", "user_" + longest + "x"} {
		if got, err := clients.ParseGlobalID(text); !errors.Is(err, clients.ErrMalformedID) || got != (clients.GlobalID{}) {
			t.Errorf("%q is taken for %+v, %v", text, got, err)
		}
	}
}

func TestTypedIDsTakeTheirOwnKindOnly(t *testing.T) {
	var user clients.UserID
	var post clients.PostID
	var comment clients.CommentID
	for _, tt := range []struct {
		text string
		into interface{ UnmarshalGQL(any) error }
		ok   bool
	}{
		{"user_1", &user, true}, {"post_1", &user, false}, {"comment_1", &user, false},
		{"post_1", &post, true}, {"user_1", &post, false},
		{"comment_1", &comment, true}, {"user_1", &comment, false},
	} {
		if err := tt.into.UnmarshalGQL(tt.text); (err == nil) != tt.ok || (err != nil && !errors.Is(err, clients.ErrMalformedID)) {
			t.Errorf("%T from %s: %v", tt.into, tt.text, err)
		}
	}
	if user != "1" || post != "1" || comment != "1" {
		t.Errorf("got %q, %q, %q: a refusal must leave the id as it was", user, post, comment)
	}
	for _, v := range []any{nil, 1, json.Number("1"), []any{"user_1"}, true} {
		if err := user.UnmarshalGQL(v); !errors.Is(err, clients.ErrMalformedID) {
			t.Errorf("%v is taken for an id: %v", v, err)
		}
	}
}

func TestIDsAreJSONStringsWhateverAServiceSends(t *testing.T) {
	for id, want := range map[string]string{"7": "user_7", `a"b\` + "\n": `user_a"b\` + "\n", "": "user_"} {
		var out strings.Builder
		for _, m := range []interface{ MarshalGQL(io.Writer) }{clients.UserID(id), clients.GlobalID{Kind: clients.KindUser, ID: id}} {
			out.Reset()
			m.MarshalGQL(&out)
			var got string
			if err := json.Unmarshal([]byte(out.String()), &got); err != nil || got != want {
				t.Errorf("%T %q is written %s: %v", m, id, out.String(), err)
			}
		}
	}
}

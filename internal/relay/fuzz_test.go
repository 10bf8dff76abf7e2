package relay_test

import (
	"errors"
	"strings"
	"testing"

	"tributary/clients"
	"tributary/internal/relay"
)

// FuzzCursor holds every cursor that a list takes to be one that the clients write, byte for byte.
func FuzzCursor(f *testing.F) {
	for _, cursor := range malformed {
		f.Add(cursor)
	}
	f.Add(cursorA)
	f.Fuzz(func(t *testing.T, text string) {
		args, err := relay.NewArgs(of(1), &text, nil, nil, nil)
		if err != nil {
			if !errors.Is(err, clients.ErrMalformedCursor) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		at, id, err := args.After.Position()
		if err != nil || string(clients.CursorAt(at, id)) != text {
			t.Fatalf("%q is taken for (%v, %q, %v)", text, at, id, err)
		}
		decoded(args.After)
	})
}

// FuzzActivityPosition holds every position that activity takes to lead to cursors that the services take.
func FuzzActivityPosition(f *testing.F) {
	for _, cursor := range malformed {
		f.Add("post:" + cursor)
	}
	f.Add("post:" + cursorA)
	f.Add("comment:" + cursorB)
	f.Add(cursorA)
	f.Fuzz(func(t *testing.T, text string) {
		args, err := relay.NewActivityArgs(nil, nil, of(1), &text, nil)
		if err != nil {
			if !errors.Is(err, clients.ErrMalformedCursor) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		posts, comments := relay.ActivityPages(args.Page)
		decoded(posts.Before)
		decoded(comments.Before)
	})
}

// FuzzGlobalID holds every id that the graph takes to come out again as it went in.
func FuzzGlobalID(f *testing.F) {
	for _, id := range []string{"user_1", "post_a_b", "comment_~", "user_", "_", "file_1", "user_" + strings.Repeat("a", 65), "user_\x00", "USER_1", ""} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := clients.ParseGlobalID(text)
		if err != nil {
			if !errors.Is(err, clients.ErrMalformedID) || id != (clients.GlobalID{}) {
				t.Fatalf("%q: %v, %+v", text, err, id)
			}
			return
		}
		var out strings.Builder
		id.MarshalGQL(&out)
		if out.String() != `"`+text+`"` {
			t.Fatalf("%q comes out as %s", text, out.String())
		}
		var again clients.GlobalID
		if err := again.UnmarshalGQL(text); err != nil || again != id {
			t.Fatalf("%q: %+v and %+v, %v", text, id, again, err)
		}
	})
}

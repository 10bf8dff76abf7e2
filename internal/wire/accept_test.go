package wire

import (
	"strings"
	"testing"
)

// FuzzNegotiate holds what can be said of every Accept: case and order do not matter, a type comes out when it was asked for or everything
// was, and a type that nobody names or means does not.
func FuzzNegotiate(f *testing.F) {
	for _, seed := range []string{"", "*/*", "application/json;q=0.5, application/graphql-response+json", `text/html;x="a,b\"", application/*;q=0`, ";;;,,=", "application/json;q=0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		media, ok, _ := negotiate([]string{accept})
		if (media == mediaJSON || media == mediaGraphQL) != ok || (!ok && media != "") {
			t.Fatalf("%q: %q, %t", accept, media, ok)
		}
		lower := strings.ToLower(accept)
		if named := strings.Contains(lower, media); ok && !named && !strings.Contains(lower, "*") && strings.Trim(accept, " \t,") != "" {
			t.Errorf("%q gives %q", accept, media)
		}
		if !strings.ContainsAny(accept, `"\`) { // an open quote swallows what follows
			if media, ok, _ := negotiate([]string{accept, "application/json;q=1, application/graphql-response+json;q=0"}); !ok || (media != mediaJSON && !strings.Contains(lower, mediaGraphQL)) {
				t.Errorf("%q with JSON gives %q, %t", accept, media, ok)
			}
		}
	})
}

func TestShortcutsOfAcceptAreWhatReadingGives(t *testing.T) {
	for _, accept := range []string{mediaGraphQL, mediaJSON, "*/*", ""} {
		media, ok, streamed := negotiate([]string{accept})
		if m, o, s := negotiate([]string{accept + " "}); media != m || ok != o || streamed != s {
			t.Errorf("%q gives %q, %t, %d, and read %q, %t, %d", accept, media, ok, streamed, m, o, s)
		}
	}
}

func FuzzTakesGzip(f *testing.F) {
	for _, seed := range []string{"", "gzip", "gzip;q=0", "*;q=0.5", "identity;q=0, x-gzip", `gzip;q="1"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		got := takesGzip([]string{accept})
		if lower := strings.ToLower(accept); got && !strings.Contains(lower, "gzip") && !strings.Contains(lower, "*") {
			t.Errorf("%q is taken to accept gzip", accept)
		}
	})
}

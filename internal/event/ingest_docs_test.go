package event

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// documented reads docs/events.md, and gives its first block of a kind behind a text.
func documented(t *testing.T) (page string, block func(behind, kind string) string) {
	t.Helper()
	raw, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw), func(behind, kind string) string {
		_, rest, _ := strings.Cut(string(raw), behind)
		_, rest, _ = strings.Cut(rest, "```"+kind+"\n")
		text, _, ok := strings.Cut(rest, "```")
		if !ok {
			t.Fatalf("there is no %s block behind %q", kind, behind)
		}
		return text
	}
}

// TestEventsAreDocumented has the example of an event read, and looks for every type.
func TestEventsAreDocumented(t *testing.T) {
	page, block := documented(t)
	if _, err := decode([]byte(block("## An event", "json")), true, "post", 1); err != nil {
		t.Errorf("%+v", err)
	}
	for _, source := range []string{"user", "post", "comment", "follower"} {
		for _, kind := range Types(source) {
			if !strings.Contains(page, "`"+kind+"`") {
				t.Errorf("%s is not in docs/events.md", kind)
			}
		}
	}
}

// TestSigningByHandAsDocumented runs the commands that docs/events.md gives, where the tools that they use are installed; under CI
// they have to be.
func TestSigningByHandAsDocumented(t *testing.T) {
	for _, tool := range []string{"sh", "openssl", "curl", "base64", "od"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing: make deps installs it", tool)
			}
			t.Skipf("needs %s: make deps installs it", tool)
		}
	}
	_, block := documented(t)
	secret, err := ParseSecret(exampleSecret)
	if err != nil {
		t.Fatal(err)
	}
	l := newTape()
	server := httptest.NewServer(&Ingest{Log: l, Secrets: map[string][][]byte{"post": {secret}}})
	defer server.Close()
	commands := exec.Command("sh", "-e", "-c", block("By hand", "sh"))
	commands.Env = append(os.Environ(), "GATEWAY="+server.URL)
	if out, err := commands.CombinedOutput(); err != nil || string(out) != block("curl", "json") || len(l.events) != 1 {
		t.Errorf("%v: %s", err, out)
	}
}

package event

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestIngestAsDocumented runs the commands that docs/events.md gives for signing by hand, and has its example of an event read.
func TestIngestAsDocumented(t *testing.T) {
	raw, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(behind, kind string) string {
		_, rest, _ := strings.Cut(string(raw), behind)
		_, rest, _ = strings.Cut(rest, "```"+kind+"\n")
		text, _, ok := strings.Cut(rest, "```")
		if !ok {
			t.Fatalf("there is no %s block behind %q", kind, behind)
		}
		return text
	}
	if _, err := decode([]byte(block("## An event", "json")), true, "post", 1); err != nil {
		t.Errorf("%+v", err)
	}
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
	for _, source := range []string{"user", "post", "comment", "follower"} {
		for _, kind := range Types(source) {
			if !strings.Contains(string(raw), "`"+kind+"`") {
				t.Errorf("%s is not in docs/events.md", kind)
			}
		}
	}
}

package main

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"tributary/internal/config"
	"tributary/internal/demo"
)

// example is a command of docs/rest.md with what it prints.
var example = regexp.MustCompile("(?s)```sh\ncurl -s '?http://127\\.0\\.0\\.1:8080([^'\n]+)'?\n```\n\n```json\n(.*?)```")

// TestRESTAnswersAsPrinted runs the commands of docs/rest.md; UPDATE=1 writes what they print.
func TestRESTAnswersAsPrinted(t *testing.T) {
	const down = "## When a service is down"
	raw, err := os.ReadFile("docs/rest.md")
	if err != nil {
		t.Fatal(err)
	}
	d := startDemo(t, seededDir(t))
	url := serveREST(t, openGateway(t, startUpstream(t, d).urls, func(g *config.Gateway) { impatient(g); g.Cache.Enabled = false }))
	var page strings.Builder
	count := 0
	for section := range strings.SplitSeq(string(raw), "\n## ") {
		if page.Len() > 0 {
			section = "\n## " + section
		}
		if broken := strings.HasPrefix(section, "\n"+down); broken {
			if err := d.Faults("post").Set(demo.Fault{ErrorRate: 1}); err != nil {
				t.Fatal(err)
			}
		} else if err := d.Faults("post").Clear(); err != nil {
			t.Fatal(err)
		}
		page.WriteString(example.ReplaceAllStringFunc(section, func(block string) string {
			count++
			parts := example.FindStringSubmatch(block)
			got := sendREST(t, url, http.MethodGet, parts[1])
			if os.Getenv("UPDATE") == "" && got.raw != parts[2] {
				t.Errorf("%s answers\n%s\nand not\n%s", parts[1], got.raw, parts[2])
			}
			return strings.TrimSuffix(block, parts[2]+"```") + got.raw + "```"
		}))
	}
	if count != 6 {
		t.Errorf("%d examples", count)
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile("docs/rest.md", []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

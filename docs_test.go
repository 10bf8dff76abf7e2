package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// block is the first fenced block of a kind in a page, behind a mark.
func block(t *testing.T, page, mark, kind string) (text string, from, to int) {
	t.Helper()
	_, rest, ok := strings.Cut(page, mark)
	start := strings.Index(rest, "```"+kind+"\n")
	if !ok || start < 0 {
		t.Fatalf("README has no block of %q behind %q", kind, mark)
	}
	start += len("```" + kind + "\n")
	length := strings.Index(rest[start:], "```")
	from = len(page) - len(rest) + start
	return rest[start : start+length], from, from + length
}

// readme holds a block of README against what it should say; UPDATE=1 writes it.
func readme(t *testing.T, mark, kind, want string, same func(a, b string) bool) {
	t.Helper()
	raw, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	got, from, to := block(t, page, mark, kind)
	if same(got, want) {
		return
	}
	if os.Getenv("UPDATE") == "" {
		t.Fatalf("README says\n%s\nbut it is\n%s", got, want)
	}
	if err := os.WriteFile("README.md", []byte(page[:from]+want+page[to:]), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestReadmeQueryAnswersAsPrinted(t *testing.T) {
	raw, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	command, _, _ := block(t, string(raw), "nothing else:\n\n```sh\ngo run .\n```", "sh")
	_, body, _ := strings.Cut(command, "-d '")
	body, _, _ = strings.Cut(body, "'\n")
	p := start(t, "--addr", "127.0.0.1:0", "--data-dir", filepath.Join(t.TempDir(), "data"))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Post(p.url+"/graphql", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || bytes.Contains(answer, []byte(`"errors"`)) {
		t.Fatalf("%v %s", err, answer)
	}
	readme(t, "\nanswers\n", "json", string(answer)+"\n", func(a, b string) bool { return a == b })
}

// figures are what differs from one run of explain to the next.
var figures = regexp.MustCompile(`[0-9.]+ ms| {2,}`)

func TestReadmeExplainsAsPrinted(t *testing.T) {
	raw, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := block(t, string(raw), "what a query does upstream:", "sh")
	_, query, _ := strings.Cut(text, "'")
	query, _, _ = strings.Cut(query, "'")
	args := []string{"explain", "--data-dir", seededDir(t), "-"}
	if os.Getenv("UPDATE") == "" {
		args = append(args, "--loader-wait", "20ms") // a busy machine must not split batches
	}
	out, err := command(t, query, args...)
	if err != nil {
		t.Fatal(err)
	}
	readme(t, "what a query does upstream:", "text", out, func(a, b string) bool {
		return figures.ReplaceAllString(a, "") == figures.ReplaceAllString(b, "")
	})
}

// TestAddingAServiceIsTrue holds the tables of docs/adding-a-service.md against the tree: what they say of likes must stand there for posts.
func TestAddingAServiceIsTrue(t *testing.T) {
	raw, err := os.ReadFile("docs/adding-a-service.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(string(raw), -1)
	if len(rows) < 10 {
		t.Fatalf("only %d rows", len(rows))
	}
	for _, row := range rows {
		path := strings.ReplaceAll(row[1], "like", "post")
		content, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%s: %v", row[1], err)
			continue
		}
		if !bytes.Contains(bytes.ToLower(content), []byte("post")) {
			t.Errorf("%s does not know posts", path)
		}
	}
	for _, folder := range []string{"docs/contract", "schema", "clients", "internal/demo", "resolvers", "testdata/queries"} {
		for _, entity := range []string{"user", "post", "comment", "follower"} {
			if found, _ := filepath.Glob(filepath.Join(folder, entity+".*")); len(found) == 0 {
				t.Errorf("%s has nothing of the basename %s", folder, entity)
			}
		}
	}
}

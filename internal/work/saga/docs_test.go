package saga_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestThePageQuotesTheCode holds the excerpts of docs/sagas.md against the sources, and its links against the tree.
func TestThePageQuotesTheCode(t *testing.T) {
	const docs = "../../../docs"
	page, err := os.ReadFile(filepath.Join(docs, "sagas.md"))
	if err != nil {
		t.Fatal(err)
	}
	var sources strings.Builder
	for _, name := range []string{"delete_account.go", "merge_accounts.go"} {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources.Write(raw)
	}
	quoted := regexp.MustCompile("(?s)```go\n(.*?)```")
	excerpts := quoted.FindAllSubmatch(page, -1)
	if len(excerpts) != 3 {
		t.Errorf("%d excerpts", len(excerpts))
	}
	for _, excerpt := range excerpts {
		if !strings.Contains(sources.String(), string(excerpt[1])) {
			t.Errorf("the sources do not say\n%s", excerpt[1])
		}
	}
	for _, link := range regexp.MustCompile(`\]\(([^)#]+)`).FindAllSubmatch(quoted.ReplaceAll(page, nil), -1) {
		if _, err := os.Stat(filepath.Join(docs, string(link[1]))); err != nil {
			t.Error(err)
		}
	}
}

package console

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// maxAssets bounds what the pages add to the binary and to a first visit, in bytes as gzipped.
const maxAssets = 1_000_000

func TestAssetsAreSmall(t *testing.T) {
	total := 0
	for _, a := range load(embedded) {
		total += len(a.packed)
	}
	if total >= maxAssets {
		t.Errorf("the assets are %d bytes gzipped, want less than %d", total, maxAssets)
	}
}

var (
	htmlReference = regexp.MustCompile(`(?i)\s(?:src|srcset|href|action|poster|data|data-endpoint)\s*=\s*["']?([^"'\s>]+)`)
	cssReference  = regexp.MustCompile(`(?i)(?:url\(\s*["']?|@import\s*(?:url\()?\s*["'])([^"')\s]+)`)
)

// TestPagesFetchNothingForeign follows what the page and its style sheet load: only data URIs and assets that are embedded.
func TestPagesFetchNothingForeign(t *testing.T) {
	html := references(htmlReference, content(t, "/"))
	css := references(cssReference, content(t, "/assets/playground.css"))
	if len(html) < 4 || len(css) == 0 {
		t.Fatalf("found %d references in the page and %d in its style sheet; the test no longer reads them", len(html), len(css))
	}
	for page, found := range map[string][]string{"/": html, "/assets/playground.css": css} {
		for _, reference := range found {
			u, err := url.Parse(reference)
			if err != nil {
				t.Errorf("%s refers to %q: %v", page, reference, err)
				continue
			}
			if u.Scheme == "data" {
				continue
			}
			base := url.URL{Path: page}
			target := base.ResolveReference(u)
			if target.Host != "" || target.Scheme != "" {
				t.Errorf("%s refers to the foreign %q", page, reference)
			} else if _, ok := routes[target.Path]; !ok && target.Path != "/graphql" {
				t.Errorf("%s refers to %q, which is not served", page, reference)
			}
		}
	}
}

// TestScriptLoadsNothing looks in the bundle for hosts that deliver code or fonts. The browser tests see every request;
// this one needs no browser.
func TestScriptLoadsNothing(t *testing.T) {
	script := string(content(t, "/assets/playground.js"))
	for _, foreign := range []string{"unpkg.com", "jsdelivr.net", "cdnjs.", "esm.sh", "googleapis.com", "gstatic.com", "importScripts(", "sourceMappingURL"} {
		if strings.Contains(script, foreign) {
			t.Errorf("the script mentions %s", foreign)
		}
	}
}

// TestNothingIsInline guards against markup that the Content-Security-Policy would block.
func TestNothingIsInline(t *testing.T) {
	page := string(content(t, "/"))
	for _, inline := range []string{`(?i)<style`, `(?i)\sstyle\s*=`, `(?i)\son\w+\s*=`, `(?i)javascript:`, `(?i)<script[^>]*>[^<]`} {
		if found := regexp.MustCompile(inline).FindString(page); found != "" {
			t.Errorf("the page has %q inline", found)
		}
	}
}

func references(pattern *regexp.Regexp, text []byte) []string {
	var found []string
	for _, match := range pattern.FindAllSubmatch(text, -1) {
		found = append(found, string(match[1]))
	}
	return found
}

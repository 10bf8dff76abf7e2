package config

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestValuesOfTheFile(t *testing.T) {
	cfg, _, err := Parse([]string{file(t, `
# comments are fine
operation-timeout: 1m30s
user-retries: 7
post-breaker-failure-rate: 0.25
max-body-bytes: 20000000
cache-enabled: false
service-token: "123"
comment-url: &base http://127.0.0.1:9
user-url: *base
demo: post,follower
allowed-hosts: [a.example, "b,c.example", 10.0.0.1, 7]
unsafe-public-demo: true
ttl: 1h            # of another command
faults: true       # likewise
`)}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	s := cfg.Serve
	if s.OperationTimeout != 90*time.Second || s.User.Retries != 7 || s.Post.BreakerFailureRate != 0.25 || s.MaxBodyBytes != 20_000_000 || s.Cache.Enabled || s.ServiceToken != "123" || !s.UnsafePublicDemo {
		t.Errorf("%+v", s)
	}
	if s.Comment.URL != "http://127.0.0.1:9" || s.User.URL != s.Comment.URL || !slices.Equal(s.DemoServices, []string{"post", "follower"}) {
		t.Errorf("URLs %q and %q, demo %q", s.User.URL, s.Comment.URL, s.DemoServices)
	}
	if want := []string{"a.example", "b,c.example", "10.0.0.1", "7"}; !slices.Equal(s.AllowedHosts, want) {
		t.Errorf("hosts %q, want %q", s.AllowedHosts, want)
	}
	for _, empty := range []string{"", "# nothing\n", "---\n", "{}\n"} {
		if cfg, _, err := Parse([]string{file(t, empty)}, io.Discard); empty != "---\n" && (err != nil || cfg.Serve.Addr != "127.0.0.1:8080") {
			t.Errorf("a file of %q: %v", empty, err)
		}
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		content string
		wants   []string
	}{
		"no value":            {"addr:\n", []string{"--addr", "line 1"}},
		"null":                {"log-level: info\naddr: null\n", []string{"--addr", "line 2"}},
		"a list for one":      {"addr: [127.0.0.1:1, s3cret]\n", []string{"--addr", "line 1"}},
		"a mapping for one":   {"service-token: {s3cret: s3cret}\n", []string{"service-token", "line 1"}},
		"a mapping in a list": {"allowed-hosts:\n  - a.example\n  - s3cret: 1\n", []string{"--allowed-hosts", "line 3"}},
		"a list in a list":    {"allowed-hosts: [[s3cret]]\n", []string{"--allowed-hosts"}},
		"null in a list":      {"allowed-hosts: [a.example, null]\n", []string{"--allowed-hosts"}},
		"nested keys":         {"user:\n  url: http://s3cret\n", []string{"line 1: user", "nested"}}, // though token has a --user
		"unknown keys":        {"zz: 1\nadress: s3cret\n", []string{"unknown key adress, zz"}},
		"the file itself":     {"config: other.yaml\n", []string{"unknown key config"}},
		"version":             {"version: true\n", []string{"unknown key version"}},
		"help":                {"help: true\n", []string{"unknown key help"}},
		"a key twice":         {"service-token: s3cret\nservice-token: s3cret\n", []string{"line 2", "service-token"}},
		"a key that is none":  {"[s3cret]: 1\n", []string{"line 1"}},
		"a list":              {"- s3cret\n", []string{"keys"}},
		"a word":              {"s3cret\n", []string{"keys"}},
		"two documents":       {"addr: 127.0.0.1:1\n---\nservice-token: s3cret\n", []string{"one document"}},
		"no YAML":             {"addr: 127.0.0.1:1\n\tservice-token: s3cret\n", []string{"line"}},
		"not a number":        {"user-retries: many\n", []string{"--user-retries", "many"}},
		"not a switch":        {"coalesce: perhaps\n", []string{"--coalesce"}},
		"a time without unit": {"user-timeout: 10\n", []string{"--user-timeout"}},
		"too little":          {"user-timeout: 0s\n", []string{"--user-timeout"}},
	} {
		t.Run(name, func(t *testing.T) {
			flag := file(t, tt.content)
			cfg, _, err := Parse([]string{"serve", flag}, io.Discard)
			if err == nil || cfg.DataDir != "" {
				t.Fatalf("got %+v, %v", cfg, err)
			}
			if tt.content != "user-timeout: 0s\n" && !strings.Contains(err.Error(), strings.TrimPrefix(flag, "--config=")) && !strings.Contains(err.Error(), "--") {
				t.Errorf("%v names neither file nor flag", err)
			}
			for _, want := range tt.wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not mention %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error quotes the file: %v", err)
			}
		})
	}
}

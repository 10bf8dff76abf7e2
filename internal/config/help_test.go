package config

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// unset takes a variable away for the rest of the test.
func unset(t *testing.T, name string) {
	t.Helper()
	t.Setenv(name, "") // which puts it back at the end
	if err := os.Unsetenv(name); err != nil {
		t.Fatal(err)
	}
}

func model(t *testing.T) *kong.Application {
	t.Helper()
	parser, _, err := newParser(&Config{}, io.Discard, kong.DefaultEnvars("TRIBUTARY"))
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model
}

func TestEveryFlagHasHelpAndAVariable(t *testing.T) {
	app := model(t)
	nodes := append(app.Leaves(false), app.Node)
	if len(nodes) != 9 {
		t.Errorf("%d commands", len(nodes)-1)
	}
	for _, node := range nodes {
		if node != app.Node && !strings.HasSuffix(node.Help, ".") {
			t.Errorf("%s has no help", node.Name)
		}
		for _, argument := range node.Positional {
			if !strings.HasSuffix(argument.Help, ".") {
				t.Errorf("%s <%s> has no help", node.Name, argument.Name)
			}
		}
		for _, flag := range node.Flags {
			if !strings.HasSuffix(flag.Help, ".") {
				t.Errorf("%s --%s has no help", node.Name, flag.Name)
			}
			var want []string
			if flag.Name != "help" && flag.Name != "version" {
				want = []string{"TRIBUTARY_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))}
			}
			if !slices.Equal(flag.Envs, want) {
				t.Errorf("%s --%s is read from %v, want %v", node.Name, flag.Name, flag.Envs, want)
			}
		}
	}
}

func TestHelpListsTheCommandsAndKeepsSecrets(t *testing.T) {
	t.Setenv("TRIBUTARY_SERVICE_TOKEN", "s3cret")
	t.Setenv("TRIBUTARY_TOKEN", "s3cret")
	for _, args := range [][]string{{"--help"}, {"-h"}, {"serve", "--help"}, {"demo", "--help"}, {"--help", "--service-token=s3cret"}} {
		var help strings.Builder
		cfg, command, err := Parse(args, &help)
		if !errors.Is(err, ErrHelp) || command != "" || cfg.DataDir != "" {
			t.Errorf("%v: %s, %v", args, command, err)
		}
		if strings.Contains(help.String(), "s3cret") || !strings.Contains(help.String(), "--data-dir") {
			t.Errorf("%v:\n%s", args, help.String())
		}
	}
	var help strings.Builder
	_, _, _ = Parse([]string{"--help"}, &help)
	for _, command := range model(t).Leaves(false) {
		if !strings.Contains(help.String(), "\n  "+command.Name) || !strings.Contains(help.String(), command.Help[:10]) {
			t.Errorf("--help does not list %s:\n%s", command.Name, help.String())
		}
	}
}

func TestErrorsQuoteNoSecrets(t *testing.T) {
	for _, args := range [][]string{
		{"--servicetoken=s3cret"}, {"--service-tokens", "s3cret"}, {"serve", "--service-token", "s3cret", "--addr=x"}, {"demo", "--token=s3cret", "--addr=x"},
		{"--user-url=http://admin:s3cret@users"}, {"--user-url=s3cret"},
	} {
		if _, _, err := Parse(args, io.Discard); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestTheEnvironmentDoesNotAskForTheVersion(t *testing.T) {
	t.Setenv("TRIBUTARY_VERSION", "1.2.3") // as images often have it
	t.Setenv("TRIBUTARY_HELP", "1")
	if _, command, err := Parse(nil, io.Discard); err != nil || command != CommandServe {
		t.Errorf("%s, %v", command, err)
	}
}

func TestEnvironmentTakesListsTimesAndSwitches(t *testing.T) {
	for name, value := range map[string]string{
		"ALLOWED_HOSTS": "a.example,b.example", "COALESCE": "false", "POST_HEDGE": "false", "USER_BREAKER_FAILURE_RATE": "0.25", "CACHE_FRESH": "2m", "DOCUMENT_CACHE_BYTES": "1024", "LOG_LEVEL": "debug", "SERVICE_TOKEN": "t",
	} {
		t.Setenv("TRIBUTARY_"+name, value)
	}
	cfg, _, err := Parse([]string{"--coalesce", "--allowed-hosts=c.example"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	s := cfg.Serve
	if !s.Coalesce || !slices.Equal(s.AllowedHosts, []string{"c.example"}) {
		t.Errorf("flags do not win: %t, %q", s.Coalesce, s.AllowedHosts)
	}
	if s.Post.Hedge || !s.User.Hedge || s.User.BreakerFailureRate != 0.25 || s.Post.BreakerFailureRate != 0.5 || s.Cache.Fresh.Minutes() != 2 || s.DocumentCacheSize != 1024 || cfg.Log.Level != "debug" || s.ServiceToken != "t" {
		t.Errorf("%+v", cfg)
	}
}

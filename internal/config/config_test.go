package config

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func TestDefaultIsTheDemo(t *testing.T) {
	cfg := Default()
	if !cfg.Serve.DemoMode() || cfg.Serve.Addr != "127.0.0.1:8080" || cfg.DataDir != ".tributary" {
		t.Errorf("%+v", cfg)
	}
	if s := cfg.Serve.User; s.Timeout != 3*time.Second || s.Budget != 5*time.Second || s.Retries != 2 || s.BreakerDelay != 30*time.Second || !s.Hedge || s.HedgeFloor != 20*time.Millisecond {
		t.Errorf("service: %+v", s)
	}
	if c := cfg.Serve.Cache; !c.Enabled || c.Keep != time.Hour || c.Bytes != 128<<20 {
		t.Errorf("cache: %+v", c)
	}
}

// file writes a configuration file and gives the flag for it.
func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tributary.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return "--config=" + path
}

func TestFlagsWinOverEnvironmentOverFileOverDefaults(t *testing.T) {
	config := file(t, "addr: 127.0.0.1:1\ndata-dir: file\nuser-timeout: 1s\nlog-level: warn\n")
	t.Setenv("TRIBUTARY_ADDR", "127.0.0.1:2")
	t.Setenv("TRIBUTARY_DATA_DIR", "environment")
	cfg, command, err := Parse([]string{"serve", config, "--addr", "127.0.0.1:3"}, io.Discard)
	if err != nil || command != CommandServe {
		t.Fatal(command, err)
	}
	if cfg.Serve.Addr != "127.0.0.1:3" || cfg.DataDir != "environment" || cfg.Serve.User.Timeout != time.Second || cfg.Log.Level != "warn" || cfg.Serve.Post.Timeout != 3*time.Second {
		t.Errorf("addr %s, data dir %s, timeouts %v %v, level %s", cfg.Serve.Addr, cfg.DataDir, cfg.Serve.User.Timeout, cfg.Serve.Post.Timeout, cfg.Log.Level)
	}
}

func TestTheFileMayBeNamedByTheEnvironment(t *testing.T) {
	_, path, _ := strings.Cut(file(t, "addr: 127.0.0.1:1\n"), "=")
	t.Setenv("TRIBUTARY_CONFIG", path)
	cfg, _, err := Parse(nil, io.Discard)
	if err != nil || cfg.Serve.Addr != "127.0.0.1:1" {
		t.Errorf("%s, %v", cfg.Serve.Addr, err)
	}
}

func TestFileTakesListsAndSwitches(t *testing.T) {
	cfg, _, err := Parse([]string{"serve", file(t, "allowed-hosts: [a.example, b.example]\ncoalesce: false\nuser-hedge: false\nuser-retries: 0\n")}, io.Discard)
	if err != nil || !slices.Equal(cfg.Serve.AllowedHosts, []string{"a.example", "b.example"}) || cfg.Serve.Coalesce || cfg.Serve.User.Hedge || cfg.Serve.User.Retries != 0 || !cfg.Serve.Post.Hedge {
		t.Errorf("%+v, %v", cfg.Serve.Gateway, err)
	}
}

func TestErrorsNameWhatIsWrong(t *testing.T) {
	urls := []string{"--user-url=http://127.0.0.1:1", "--post-url=http://127.0.0.1:2", "--comment-url=http://127.0.0.1:3", "--follower-url=http://127.0.0.1:4"}
	for _, c := range []struct {
		name  string
		args  []string
		wants []string
	}{
		{"unknown flag", []string{"serve", "--nonsense"}, []string{"--nonsense"}},
		{"unknown key", []string{"serve", file(t, "addr: 127.0.0.1:1\nadress: x\n")}, []string{"--config", "adress"}},
		{"file that is none", []string{"serve", "--config=/nowhere.yaml"}, []string{"--config", "/nowhere.yaml"}},
		{"file that is not YAML", []string{"serve", file(t, "addr: [")}, []string{"--config"}},
		{"bad value in the file", []string{"serve", file(t, "user-timeout: soon\n")}, []string{"--user-timeout", "soon"}},
		{"bad duration", []string{"serve", "--operation-timeout=soon"}, []string{"--operation-timeout"}},
		{"no time", []string{"serve", "--operation-timeout=0s"}, []string{"--operation-timeout"}},
		{"bad level", []string{"serve", "--log-level=loud"}, []string{"--log-level"}},
		{"bad address", []string{"serve", "--addr=8080"}, []string{"--addr"}},
		{"bad port", []string{"serve", "--addr=127.0.0.1:99999"}, []string{"--addr"}},
		{"one URL", []string{"serve", urls[0]}, []string{"--post-url", "--demo post,comment,follower"}},
		{"three URLs", append([]string{"serve"}, urls[:3]...), []string{"--follower-url", "--demo follower"}},
		{"URL and demo", append([]string{"serve", "--demo=follower"}, urls...), []string{"--demo", "follower"}},
		{"unknown demo", []string{"serve", "--demo=likes"}, []string{"--demo", "likes"}},
		{"public demo", []string{"serve", "--addr=0.0.0.0:8080"}, []string{"--addr", "--unsafe-public-demo"}},
		{"public half demo", append([]string{"serve", "--addr=:8080", "--demo=follower"}, urls[:3]...), []string{"--unsafe-public-demo"}},
		{"public demo service", []string{"demo", "post", "--addr=0.0.0.0:1"}, []string{"--addr", "--unsafe-public-demo"}},
		{"unknown demo service", []string{"demo", "likes"}, []string{"likes"}},
		{"nothing to check", []string{"doctor"}, []string{"--user-url"}},
		{"no body", []string{"serve", "--max-body-bytes=0"}, []string{"--max-body-bytes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := Parse(c.args, io.Discard)
			if err == nil {
				t.Fatal("it was taken")
			}
			for _, want := range c.wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not name %s", err, want)
				}
			}
		})
	}
}

func TestErrorsAndHelpKeepSecrets(t *testing.T) {
	t.Setenv("TRIBUTARY_SERVICE_TOKEN", "s3cret")
	_, _, err := Parse([]string{"serve", "--addr=nonsense"}, io.Discard)
	var help strings.Builder
	if _, _, herr := Parse([]string{"serve", "--help"}, &help); !errors.Is(herr, ErrHelp) {
		t.Errorf("help: %v", herr)
	}
	if err == nil || strings.Contains(err.Error()+help.String(), "s3cret") {
		t.Errorf("error %v, help\n%s", err, help.String())
	}
	if !strings.Contains(help.String(), "--user-url") || !strings.Contains(help.String(), "$TRIBUTARY_USER_URL") {
		t.Errorf("help:\n%s", help.String())
	}
}

func TestVersion(t *testing.T) {
	var out strings.Builder
	if _, _, err := Parse([]string{"--version"}, &out); !errors.Is(err, ErrHelp) || strings.TrimSpace(out.String()) != Version {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestDemoMode(t *testing.T) {
	urls := []string{"--user-url=http://127.0.0.1:1", "--post-url=http://127.0.0.1:2", "--comment-url=http://127.0.0.1:3", "--follower-url=http://127.0.0.1:4"}
	for _, c := range []struct {
		name  string
		args  []string
		demo  bool
		names []string
	}{
		{"nothing given", []string{"serve"}, true, Services()},
		{"IPv6", []string{"serve", "--addr=[::1]:0"}, true, Services()},
		{"public on purpose", []string{"serve", "--addr=0.0.0.0:0", "--unsafe-public-demo"}, true, Services()},
		{"half", append([]string{"serve", "--demo=comment,follower"}, urls[:2]...), false, []string{"comment", "follower"}},
		{"real", append([]string{"serve", "--addr=0.0.0.0:0"}, urls...), false, nil},
	} {
		cfg, _, err := Parse(c.args, io.Discard)
		if err != nil || cfg.Serve.DemoMode() != c.demo || !slices.Equal(cfg.Serve.DemoNames(), c.names) {
			t.Errorf("%s: demo %v of %v, %v", c.name, cfg.Serve.DemoMode(), cfg.Serve.DemoNames(), err)
		}
	}
}

func TestTableHasEveryFlagOnceAndAMeaning(t *testing.T) {
	table := FlagsTable()
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "| `") && strings.HasSuffix(strings.TrimSpace(line), "|  |") {
			t.Errorf("no meaning: %s", line)
		}
	}
	for _, flag := range []string{"| `--addr` |", "| `--{user,post,comment,follower}-url` |", "| `--[no-]coalesce` |", "| `--config` |", "| `--ttl` |"} {
		if !strings.Contains(table, flag) {
			t.Errorf("no row %s", flag)
		}
	}
	if n := strings.Count(table, "--loader-wait"); n != 1 {
		t.Errorf("--loader-wait stands there %d times", n)
	}
}

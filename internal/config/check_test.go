package config

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// beyond are values beyond the bounds of flags; those of a service stand for all four.
var beyond = map[string][]string{
	"operation-timeout": {"0s", "-1s"}, "loader-wait": {"-1ns"}, "document-cache-bytes": {"0"}, "max-body-bytes": {"0", "-5"}, "shutdown-timeout": {"-1s"}, "data-dir": {""},
	"cache-bytes": {"0", "-1"}, "cache-fresh": {"-1s"}, "cache-keep": {"-2s"}, "demo": {"likes"},
	"allowed-hosts": {"https://graph.example.com", "a.example,,b.example"}, "addr": {"", "8080"},
	"gc-percent": {"-1"}, "gc-headroom": {"1073741825"}, "memory-limit": {"-1", "-9223372036854775808"},

	"{}-timeout": {"0s", "-1s"}, "{}-budget": {"0s", "-1s"}, "{}-retries": {"-1"}, "{}-breaker-failure-rate": {"0", "1.01", "-1", "NaN"}, "{}-breaker-min-calls": {"0"},
	"{}-breaker-window": {"0s"}, "{}-breaker-delay": {"0s"}, "{}-concurrency": {"0"}, "{}-hedge-floor": {"-1ms"},
	"{}-url": {"http://user:s3cret@s", "s3cret:8080"},
}

// TestBadValuesNameTheirFlag gives all flags at once a value beyond their bounds, from the command line and from the environment.
func TestBadValuesNameTheirFlag(t *testing.T) {
	for i := range 4 {
		settings := map[string]string{}
		for flag, values := range beyond {
			for _, service := range Services() {
				settings[strings.Replace(flag, "{}", service, 1)] = values[i%len(values)]
			}
		}
		args := []string{"serve"}
		for flag, value := range settings {
			args = append(args, "--"+flag+"="+value)
		}
		cfg, _, err := Parse(args, io.Discard)
		namesAll(t, settings, err)
		if cfg.DataDir != "" || cfg.Serve.ShutdownTimeout != 0 {
			t.Errorf("configuration %+v beside an error", cfg)
		}
		for flag, value := range settings {
			t.Setenv("TRIBUTARY_"+strings.ToUpper(strings.ReplaceAll(flag, "-", "_")), value)
		}
		_, _, err = Parse([]string{"serve"}, io.Discard)
		namesAll(t, settings, err)
		for flag := range settings {
			unset(t, "TRIBUTARY_"+strings.ToUpper(strings.ReplaceAll(flag, "-", "_")))
		}
	}
}

// namesAll wants a line of its own for every flag, and no value that may be secret.
func namesAll(t *testing.T, settings map[string]string, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("all of it was taken")
	}
	for flag, value := range settings {
		if !strings.Contains("\n"+err.Error(), "\n--"+flag+": ") {
			t.Errorf("--%s=%s is taken", flag, value)
		}
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error quotes a secret: %v", err)
	}
}

func TestAddressesHostsAndURLs(t *testing.T) {
	for _, tt := range []struct {
		check func(*problems, string)
		good  string // separated by spaces
		bad   []string
	}{
		{func(p *problems, v string) { checkAddr(p, v) }, "127.0.0.1:0 :80 [::1]:8080 localhost:65535 graph.example.com:443",
			[]string{"", "8080", "localhost", "localhost:", "localhost:http", "localhost:-1", "localhost:+1", "localhost:65536", "::1:80", "http://localhost:80"}},
		{func(p *problems, v string) { checkHosts(p, []string{"fine.example", v}) }, "graph.example.com graph.example.com:8443 10.0.0.1 [2001:db8::1] 2001:db8::1 graph",
			[]string{"", "https://graph.example.com", "graph.example.com/graphql", "*.example.com", "a b", "a@b", "graph.example.com?x"}},
		{func(p *problems, v string) { checkURL(p, "user-url", v) }, "http://users https://users.internal:8443/api/v1 http://[::1]:80/",
			[]string{"users", "users:8080", "ftp://users", "//users", "/users", "http://", "http://users?x=1", "http://users#x", "http://me:s3cret@users", "http://s3cret\x7f", ":"}},
	} {
		var none problems
		for good := range strings.FieldsSeq(tt.good) {
			tt.check(&none, good)
		}
		if len(none) > 0 {
			t.Errorf("refused what is good: %v", none)
		}
		for _, bad := range tt.bad {
			var p problems
			if tt.check(&p, bad); len(p) != 1 {
				t.Errorf("%q: %v", bad, p)
			}
		}
	}
}

func TestValuesThatAreNoneNameTheirFlag(t *testing.T) {
	for _, setting := range []string{
		"operation-timeout=10", "document-cache-bytes=-1", "max-body-bytes=1k", "log-level=loud", "log-format=xml", "log-level=", "user-retries=x", "post-breaker-failure-rate=half", "comment-hedge=5", "follower-timeout=soon", "cache-fresh=",
	} {
		flag, value, _ := strings.Cut(setting, "=")
		if _, _, err := Parse([]string{"serve", "--" + setting}, io.Discard); err == nil || !strings.Contains(err.Error(), "--"+flag) {
			t.Errorf("%s: %v", setting, err)
		}
		name := "TRIBUTARY_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
		t.Setenv(name, value)
		if _, _, err := Parse([]string{"serve"}, io.Discard); err == nil || !strings.Contains(err.Error(), "--"+flag) {
			t.Errorf("%s from the environment: %v", setting, err)
		}
		unset(t, name)
	}
}

func TestOtherCommandsAreCheckedToo(t *testing.T) {
	for _, tt := range []struct {
		args string
		want string // nothing: taken
	}{
		{"demo", ""}, {"demo all --addr 127.0.0.1:65532", ""}, {"demo user --addr 127.0.0.1:65535", ""}, {"demo --addr [::1]:0", ""}, {"demo --addr Localhost:0", ""},
		{"demo --addr 127.0.0.1:65533", "--addr"}, {"demo --addr nonsense", `"nonsense" is not HOST:PORT`}, {"demo --addr 0.0.0.0:1", "--unsafe-public-demo"}, {"demo --addr 0.0.0.0:1 --unsafe-public-demo", ""},
		{"demo --addr :0", "--unsafe-public-demo"}, {"demo --allowed-hosts http://x", "--allowed-hosts"}, {"demo --data-dir=", "--data-dir"},
		{"doctor --user-url http://u", ""}, {"doctor --user-url u", "--user-url"}, {"doctor --comment-url http://a:s3cret@c", "--comment-url"}, {"doctor --post-url http://p --timeout 0s", "--timeout"}, {"doctor", "--follower-url"},
		{"explain - --user-url http://u", "--post-url"}, {"explain - --user-timeout 0s", "--user-timeout"}, {"explain -", ""}, {"explain", "query"},
		{"token --user 1", ""}, {"token --user 1 --ttl 0s", "--ttl"}, {"token --user 1 --ttl=-1h", "--ttl"}, {"token", "--user"},
		{"import /nowhere/at/all", "/nowhere/at/all"}, {"import", "dir"}, {"schema", ""}, {"nonsense", "nonsense"}, {"schema --addr x", "--addr"},
	} {
		_, _, err := Parse(strings.Fields(tt.args), io.Discard)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.args, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "s3cret")):
			t.Errorf("%s: %v does not mention %s", tt.args, err, tt.want)
		}
	}
}

func TestAllProblemsAreToldAtOnce(t *testing.T) {
	_, _, err := Parse([]string{"serve", "--user-timeout=0s", "--cache-bytes=0", "--addr=x"}, io.Discard)
	if err == nil {
		t.Fatal("it was taken")
	}
	for _, want := range []string{"--user-timeout", "--cache-bytes", "--addr"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "unsafe") {
		t.Errorf("%v: an address that is none is not called public too", err)
	}
	if _, _, err := Parse([]string{"serve", "--comment-timeout=0s"}, io.Discard); err == nil || err.Error() != "--comment-timeout: want more than 0" {
		t.Errorf("one service is wrong: %v", err)
	}
	if _, _, err := Parse([]string{"serve", "--cache-keep=500ms"}, io.Discard); err == nil || !strings.Contains(err.Error(), "--cache-keep: want no less than --cache-fresh") {
		t.Errorf("stale answers that are not kept as long as fresh ones: %v", err)
	}
	if cfg, _, err := Parse([]string{"serve", "--no-cache-enabled", "--cache-bytes=0", "--cache-keep=0s"}, io.Discard); err != nil || cfg.Serve.Cache.Enabled {
		t.Errorf("what is off need not make sense: %v", err)
	}
}

func TestSomeURLsNameWhatIsMissing(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"--user-url http://u", "--post-url: missing while others are given: give all four, or name the rest in --demo post,comment,follower"},
		{"--user-url http://u --post-url http://p --follower-url http://f", "--comment-url: missing while others are given: give all four, or name the rest in --demo comment"},
		{"--user-url http://u --post-url http://p --demo comment", "--follower-url: missing while others are given: give all four, or name the rest in --demo comment,follower"},
	} {
		if _, _, err := Parse(strings.Fields(tt.args), io.Discard); err == nil || err.Error() != tt.want {
			t.Errorf("%s:\n got %v\nwant %s", tt.args, err, tt.want)
		}
	}
	cfg, _, err := Parse(strings.Fields("--user-url http://u --post-url http://p --demo comment,follower"), io.Discard)
	if err != nil || cfg.Serve.DemoMode() || !slices.Equal(cfg.Serve.DemoNames(), []string{"comment", "follower"}) {
		t.Errorf("%v, %v", cfg.Serve.DemoNames(), err)
	}
}

func TestDefaultKnowsNoEnvironment(t *testing.T) {
	want := Default()
	t.Setenv("TRIBUTARY_ADDR", "nonsense")
	t.Setenv("TRIBUTARY_CONFIG", "/nowhere.yaml")
	t.Setenv("TRIBUTARY_USER_TIMEOUT", "soon")
	if got := Default(); got.Serve.Addr != want.Serve.Addr || got.Serve.User.Timeout != 3*time.Second {
		t.Errorf("got %+v", got.Serve)
	}
}

package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// Version is shown by --version.
const Version = "0.1.0-dev"

// Command is a command's name with its arguments' names, as Parse gives it.
type Command string

// The commands.
const (
	CommandServe   Command = "serve"
	CommandDemo    Command = "demo"
	CommandImport  Command = "import"
	CommandSchema  Command = "schema"
	CommandExplain Command = "explain"
	CommandDoctor  Command = "doctor"
	CommandToken   Command = "token"
)

// ErrHelp is what Parse returns after it has printed the help that was asked for.
var ErrHelp = errors.New("help printed")

// Default is the configuration of the demo.
func Default() Config {
	cfg, _, err := Parse(nil, io.Discard)
	if err != nil { // the defaults stand in the struct tags above
		panic(err)
	}
	return cfg
}

// Parse reads flags over environment over file over defaults. Help goes to out. The error names the flag, variable or key that is wrong.
func Parse(args []string, out io.Writer) (Config, Command, error) {
	var cfg Config
	var options []kong.Option
	if path := filePath(args); path != "" {
		file, err := readFile(path)
		if err != nil {
			return Config{}, "", err
		}
		options = append(options, kong.Resolvers(file))
	}
	parser, helped, err := newParser(&cfg, out, options...)
	if err != nil {
		return Config{}, "", err
	}
	parsed, err := parser.Parse(args)
	switch {
	case *helped:
		return Config{}, "", ErrHelp
	case err != nil:
		return Config{}, "", fmt.Errorf("%w (see --help)", err)
	}
	command := Command(strings.Fields(parsed.Command())[0])
	return cfg, command, cfg.check(command)
}

func newParser(cfg *Config, out io.Writer, options ...kong.Option) (*kong.Kong, *bool, error) {
	helped := new(bool)
	parser, err := kong.New(cfg, append(options,
		kong.Name("tributary"),
		kong.Description("Many services, one graph: a GraphQL gateway over user, post, comment and follower services.\n\nWithout arguments it serves a demo on 127.0.0.1:8080."),
		kong.DefaultEnvars("TRIBUTARY"),
		kong.Vars{"version": Version},
		kong.Writers(out, out),
		kong.Exit(func(int) { *helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "user", Title: "User service"}, {Key: "post", Title: "Post service"},
			{Key: "comment", Title: "Comment service"}, {Key: "follower", Title: "Follower service"},
		}),
	)...)
	return parser, helped, err
}

// filePath is the configuration file that the arguments or the environment name, empty without one. It has to be known before
// anything is parsed.
func filePath(args []string) string {
	for i, arg := range args {
		if path, ok := strings.CutPrefix(arg, "--config="); ok {
			return path
		}
		if arg == "--config" && i+1 < len(args) {
			return args[i+1]
		}
	}
	return os.Getenv("TRIBUTARY_CONFIG")
}

// readFile makes the resolver of a configuration file.
func readFile(path string) (fileResolver, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return fileResolver{}, fmt.Errorf("--config: %w", err)
	}
	keys := map[string]any{}
	if err := yaml.Unmarshal(raw, &keys); err != nil {
		return fileResolver{}, fmt.Errorf("--config: %s: %w", path, err)
	}
	return fileResolver{path: path, keys: keys}, nil
}

// fileResolver gives flags the values that stand under their names in the file.
type fileResolver struct {
	path string
	keys map[string]any
}

// Validate refuses keys that are no flag of any command.
func (f fileResolver) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, command := range app.Leaves(false) {
		for _, group := range command.AllFlags(false) {
			for _, flag := range group {
				known[flag.Name] = true
			}
		}
	}
	var unknown []string
	for key := range f.keys {
		if !known[key] || key == "config" || key == "help" {
			unknown = append(unknown, key)
		}
	}
	slices.Sort(unknown)
	if len(unknown) > 0 {
		return fmt.Errorf("--config: %s: unknown key %s", f.path, strings.Join(unknown, ", "))
	}
	return nil
}

// Resolve gives the value of one flag, nil when the file does not have it or the environment, which kong would ask later, does.
func (f fileResolver) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, ok := f.keys[flag.Name]
	inEnvironment := slices.ContainsFunc(flag.Envs, func(name string) bool { _, set := os.LookupEnv(name); return set })
	if !ok || inEnvironment {
		return nil, nil
	}
	if list, isList := value.([]any); isList {
		parts := make([]string, len(list))
		for i, part := range list {
			parts[i] = fmt.Sprint(part)
		}
		return strings.Join(parts, ","), nil
	}
	return fmt.Sprint(value), nil
}

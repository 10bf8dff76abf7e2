package config

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
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
	CommandEvents  Command = "events"
)

// ErrHelp is what Parse returns after it has printed the help that was asked for.
var ErrHelp = errors.New("help printed")

// Default is the configuration of the demo, whatever the environment says.
func Default() Config {
	cfg, _, err := parse(nil, false, io.Discard)
	if err != nil { // the defaults stand in the struct tags above
		panic(err)
	}
	return cfg
}

// Parse reads flags over environment over file over defaults. Help goes to out. The error names the flag, variable or key that
// is wrong, and beside it everything but the command is zero.
func Parse(args []string, out io.Writer) (Config, Command, error) {
	return parse(args, true, out)
}

func parse(args []string, environment bool, out io.Writer) (Config, Command, error) {
	var cfg Config
	var options []kong.Option
	if environment {
		options = append(options, kong.DefaultEnvars("TRIBUTARY"))
	}
	if path := filePath(args, environment); path != "" {
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
	if err := cfg.check(command); err != nil {
		return Config{}, command, err
	}
	return cfg, command, nil
}

func newParser(cfg *Config, out io.Writer, options ...kong.Option) (*kong.Kong, *bool, error) {
	helped := new(bool)
	parser, err := kong.New(cfg, append(options,
		kong.Name("tributary"),
		kong.Description("Many services, one graph: a GraphQL gateway over user, post, comment and follower services.\n\nWithout arguments it serves a demo on 127.0.0.1:8080."),
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

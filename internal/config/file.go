package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// filePath is the configuration file that the arguments or, unless they do, the environment name; empty without one. It has to
// be known before anything is parsed.
func filePath(args []string, environment bool) string {
	for i, arg := range args {
		if path, ok := strings.CutPrefix(arg, "--config="); ok {
			return path
		}
		if arg == "--config" && i+1 < len(args) {
			return args[i+1]
		}
	}
	if !environment {
		return ""
	}
	return os.Getenv("TRIBUTARY_CONFIG")
}

// fileResolver gives flags the values that stand under their names in the file.
type fileResolver struct {
	path string
	keys map[string]*yaml.Node
}

// readFile makes the resolver of a configuration file. Its errors name keys and lines, never values: those may be secret.
func readFile(path string) (fileResolver, error) {
	fail := func(format string, args ...any) (fileResolver, error) {
		return fileResolver{}, fmt.Errorf("--config: %s: "+format, append([]any{path}, args...)...)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return fileResolver{}, fmt.Errorf("--config: %w", err) // which names the path
	}
	f := fileResolver{path: path, keys: map[string]*yaml.Node{}}
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	var document, further yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return f, nil
	} else if err != nil {
		return fail("%w", err)
	}
	if err := decoder.Decode(&further); !errors.Is(err, io.EOF) {
		return fail("want one document, there is more")
	}
	top := document.Content[0]
	if top.Kind != yaml.MappingNode {
		return fail("want flags as keys, each with its value")
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			return fail("line %d: want the name of a flag", key.Line)
		}
		if f.keys[key.Value] != nil {
			return fail("line %d: %s stands there twice", key.Line, key.Value)
		}
		if value.Kind == yaml.MappingNode {
			return fail("line %d: %s holds keys of its own: flags are not nested", key.Line, key.Value)
		}
		f.keys[key.Value] = value
	}
	return f, nil
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
	for _, only := range []string{"config", "help", "version"} {
		delete(known, only)
	}
	var unknown []string
	for key := range f.keys {
		if !known[key] {
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
	if value.Kind == yaml.SequenceNode && flag.IsSlice() {
		parts := make([]string, len(value.Content))
		for i, member := range value.Content {
			text, ok := scalar(member)
			if !ok {
				return nil, fmt.Errorf("%s, line %d: want a list of plain values", f.path, member.Line)
			}
			parts[i] = text
		}
		return kong.JoinEscaped(parts, ','), nil
	}
	text, ok := scalar(value)
	if !ok {
		return nil, fmt.Errorf("%s, line %d: want one plain value", f.path, value.Line)
	}
	return text, nil
}

// scalar is the text of a value as it stands in the file.
func scalar(node *yaml.Node) (text string, ok bool) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	return node.Value, node.Kind == yaml.ScalarNode && node.Tag != "!!null"
}

package config

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// FlagsTable lists every flag in Markdown, a table for each command. The flags that the four services have alike share a row;
// a command that takes flags of an earlier one in the same sense says so.
func FlagsTable() string {
	var cfg Config
	parser, _, err := newParser(&cfg, io.Discard)
	if err != nil { // the struct tags are wrong
		panic(err)
	}
	var out strings.Builder
	out.WriteString("Everywhere:\n\n")
	writeFlags(&out, parser.Model.Flags)
	listed := map[string]bool{} // by name and meaning
	for _, command := range parser.Model.Leaves(false) {
		fresh := slices.DeleteFunc(slices.Clone(command.Flags), func(f *kong.Flag) bool { return listed[f.Name+f.Help] })
		if len(fresh) == 0 {
			continue
		}
		fmt.Fprintf(&out, "\n`tributary %s`", command.Name)
		switch skipped := len(command.Flags) - len(fresh); {
		case skipped > 5:
			out.WriteString(", besides those above that describe the services, the demo and the cache")
		case skipped > 0:
			out.WriteString(", besides " + names(command.Flags, fresh) + " as above")
		}
		out.WriteString(":\n\n")
		writeFlags(&out, fresh)
		if command.Name == string(CommandServe) {
			for _, flag := range command.Flags {
				listed[flag.Name+flag.Help] = true
			}
		}
	}
	return out.String()
}

func writeFlags(out *strings.Builder, flags []*kong.Flag) {
	out.WriteString("| flag | default | meaning |\n|---|---|---|\n")
	for _, flag := range flags {
		service, rest, _ := strings.Cut(flag.Name, "-")
		perService := rest != "" && slices.Contains(Services(), service)
		name := "--" + flag.Name
		switch {
		case flag.Name == "help", perService && service != Services()[0]:
			continue
		case perService:
			name = "--{" + strings.Join(Services(), ",") + "}-" + rest
		case flag.Tag.Negatable != "":
			name = "--[no-]" + flag.Name
		}
		if perService && flag.Tag.Negatable != "" {
			name = strings.Replace(name, "--", "--[no-]", 1)
		}
		value := flag.Default
		if value != "" {
			value = "`" + value + "`"
		}
		fmt.Fprintf(out, "| `%s` | %s | %s |\n", name, value, flag.Help)
	}
}

// names lists the flags that are not among the fresh ones.
func names(flags, fresh []*kong.Flag) string {
	var list []string
	for _, flag := range flags {
		if !slices.Contains(fresh, flag) {
			list = append(list, "`--"+flag.Name+"`")
		}
	}
	return strings.Join(list, ", ")
}

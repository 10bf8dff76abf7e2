package main

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrows are the imports that each package may have of ours. A package that is missing here is a mistake of its author's,
// who has to say where it stands; tests may import what they like.
var arrows = map[string][]string{
	"tributary":                                     {"*"},
	"tributary/resolvers":                           {"tributary/graph", "tributary/clients", "tributary/internal/auth", "tributary/internal/event", "tributary/internal/limit", "tributary/internal/relay", "tributary/internal/explain", "tributary/internal/usage", "tributary/internal/work", "tributary/internal/work/saga", "tributary/internal/work/job", "tributary/internal/work/webhook", "tributary/internal/engine"},
	"tributary/graph":                               {"tributary/internal/engine", "tributary/clients", "tributary/internal/auth", "tributary/internal/relay", "tributary/internal/work", "tributary/internal/work/dispatch", "tributary/internal/work/webhook"},
	"tributary/internal/relay":                      {"tributary/clients"},
	"tributary/clients":                             {},
	"tributary/internal/operation":                  {"tributary/internal/auth", "tributary/internal/limit", "tributary/internal/engine", "tributary/internal/version"},
	"tributary/internal/version":                    {},
	"tributary/internal/version/breaking":           {},
	"tributary/internal/version/check":              {"tributary/graph", "tributary/internal/operation", "tributary/internal/version/breaking"},
	"tributary/internal/engine":                     {},
	"tributary/internal/engine/gen":                 {},
	"tributary/internal/engine/gen/generate":        {"tributary/internal/engine/gen"},
	"tributary/internal/limit":                      {},
	"tributary/internal/engine/oracle":              {"tributary/internal/operation"},
	"tributary/internal/wire":                       {"tributary/internal/operation", "tributary/internal/auth"},
	"tributary/internal/federation":                 {},
	"tributary/internal/explain":                    {"tributary/clients", "tributary/internal/limit", "tributary/internal/engine"},
	"tributary/internal/auth":                       {},
	"tributary/internal/config":                     {},
	"tributary/internal/usage":                      {},
	"tributary/internal/rest":                       {"tributary/internal/auth", "tributary/internal/operation", "tributary/internal/work/webhook", "tributary/internal/wire"},
	"tributary/internal/redisclient":                {},
	"tributary/internal/redisclient/redistest":      {"tributary/internal/redisclient"},
	"tributary/internal/telemetry":                  {},
	"tributary/internal/tuning":                     {},
	"tributary/internal/console":                    {},
	"tributary/internal/event":                      {},
	"tributary/internal/event/eventtest":            {"tributary/internal/event"},
	"tributary/internal/work":                       {},
	"tributary/internal/work/worktest":              {"tributary/internal/work"},
	"tributary/internal/work/dispatch":              {"tributary/internal/event"},
	"tributary/internal/work/dispatch/dispatchtest": {"tributary/internal/work/dispatch"},
	"tributary/internal/work/upstream":              {"tributary/internal/work", "tributary/clients"},
	"tributary/internal/work/saga":                  {"tributary/internal/work", "tributary/internal/work/upstream", "tributary/internal/event", "tributary/clients"},
	"tributary/internal/work/job":                   {"tributary/internal/work", "tributary/internal/work/upstream", "tributary/clients"},
	"tributary/internal/work/mail":                  {"tributary/internal/event"},
	"tributary/internal/work/webhook":               {"tributary/internal/work/dispatch", "tributary/internal/event"},
	"tributary/examples/webhook":                    {},
	"tributary/e2e/deliver":                         {"tributary/internal/work/webhook", "tributary/internal/work/dispatch", "tributary/internal/event"},
	"tributary/examples/outbox":                     {},
	"tributary/internal/demo":                       {},
	"tributary/internal/doctor":                     {"tributary/docs/contract"},
	"tributary/docs/contract":                       {},
	"tributary/bench":                               {"tributary/bench/front", "tributary/bench/hand", "tributary/bench/load", "tributary/bench/process", "tributary/internal/tuning"},
	"tributary/bench/front":                         {},
	"tributary/bench/hand":                          {},
	"tributary/bench/load":                          {"tributary/bench/process"},
	"tributary/bench/subscriptions":                 {"tributary/bench/process"},
	"tributary/bench/webhooks":                      {"tributary/bench/process", "tributary/internal/auth", "tributary/internal/event", "tributary/internal/redisclient"},
	"tributary/bench/overload":                      {"tributary/bench/front", "tributary/bench/load", "tributary/bench/process"},
	"tributary/bench/process":                       {},
}

func TestImportsRunOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		pkg := words[0]
		seen[pkg] = true
		allowed, known := arrows[pkg]
		if !known {
			t.Errorf("%s has no arrows: say in imports_test.go what it may import", pkg)
		}
		for _, imported := range words[1:] {
			ours := imported == "tributary" || strings.HasPrefix(imported, "tributary/")
			if ours && !slices.Contains(allowed, imported) && !slices.Contains(allowed, "*") {
				t.Errorf("%s must not import %s", pkg, imported)
			}
		}
	}
	for pkg := range maps.Keys(arrows) {
		if !seen[pkg] {
			t.Errorf("imports_test.go names %s, which does not exist", pkg)
		}
	}
}

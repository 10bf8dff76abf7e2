package operation

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"tributary/internal/limit"
)

// TestDeprecatedIsTold of operations that ran, with what their variables use, and of nothing else.
func TestDeprecatedIsTold(t *testing.T) {
	views := testViews(t, ViewsConfig{})
	for name, tt := range map[string]struct {
		version, query string
		variables      map[string]any
		call           Call
		want           string
	}{
		"a field":          {"1", `{ old }`, nil, Call{Client: "web"}, "[web 1 [Query.old]]"},
		"twice":            {"1", `{ old again: old(first: 1) }`, nil, Call{}, "[ 1 [Query.old Query.old(first:)]]"},
		"a variable":       {"2", `query($w: Wish) { wish(w: $w) }`, map[string]any{"w": map[string]any{"x": json.Number("1")}}, Call{}, "[ 2 [Wish.x]]"},
		"another variable": {"2", `query($w: Wish) { wish(w: $w) }`, map[string]any{"w": map[string]any{}}, Call{}, "[]"},
		"nothing":          {"2", `{ new }`, nil, Call{}, "[]"},
		"a dry run":        {"1", `{ old }`, nil, Call{CostDebug: CostDebugDryRun}, "[]"},
		"too dear":         {"1", `{ a: old b: old }`, nil, Call{}, "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			told := []string{}
			p := &Pipeline{
				Preparer: testPreparer(t), Timeout: time.Minute, MaxCost: 10, Limiter: limit.New(limit.Config{}, nil),
				Enter:    func(ctx context.Context, _ Call) context.Context { return ctx },
				Observe:  func(context.Context, *Prepared, *Result, time.Duration) {},
				Executor: executes(func() *Result { return &Result{Data: []byte(`{}`)} }),
				Deprecated: func(c Call, v *View, coordinates []string) {
					told = append(told, fmt.Sprint(c.Client, " ", v.Version.Number, " ", coordinates))
				},
			}
			if name == "twice" {
				p.MaxCost = 100
			}
			prepared, errs := p.Prepare(views.Named(tt.version), Request{Query: tt.query, Variables: tt.variables})
			if errs != nil {
				t.Fatal(errs)
			}
			p.Run(t.Context(), prepared, tt.call)
			if fmt.Sprint(told) != tt.want {
				t.Errorf("told %v, want %s", told, tt.want)
			}
			if name == "a field" {
				p.Deprecated = nil
				p.Run(t.Context(), prepared, tt.call)
			}
			if name == "nothing" {
				if n := testing.AllocsPerRun(10, func() { p.noteDeprecated(prepared, tt.call) }); n > 0 {
					t.Errorf("%v allocations to tell nothing", n)
				}
			}
		})
	}
}

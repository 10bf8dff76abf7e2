package operation

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"
	"pgregory.net/rapid"

	"tributary/internal/auth"
)

// told is what the executor of TestSharedAnswersAreThoseOfOwnRuns answers: all that an answer may depend on.
type told struct {
	Operation string
	Variables map[string]any
	User      string
	Denied    int
	Version   uint64
}

// TestSharedAnswersAreThoseOfOwnRuns has many callers ask at once while versions change, and compares each answer with that of a run of
// its own: it is the same, and of no earlier version than the caller knew.
func TestSharedAnswersAreThoseOfOwnRuns(t *testing.T) {
	view, preparer := testView(t, "test"), testPreparer(t)
	queries := []string{"query A { me { id } }", "query B($n: Int) { me { friends(first: $n) { id } } }", "mutation C { set(v: 1) }"}
	var shared atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		var version atomic.Uint64
		alone := &Pipeline{
			Preparer: preparer, Timeout: time.Minute,
			Enter:   func(ctx context.Context, _ Call) context.Context { return ctx },
			Observe: func(context.Context, *Prepared, *Result, time.Duration) {},
			Executor: executorOf(func(ctx context.Context, op *Prepared, denied Denied) *Result {
				data, _ := json.Marshal(told{op.Operation.Name, op.Variables, auth.FromContext(ctx).UserID, len(denied), version.Load()})
				for range 3 {
					runtime.Gosched()
				}
				return &Result{Data: data, Errors: gqlerror.List{refuse("CODE", string(data[:20]))}, Extensions: map[string]any{"degraded": 1}}
			}),
		}
		together := *alone
		together.Coalescing = &Coalescing{Version: version.Load, Joined: func() { shared.Add(1) }}
		type caller struct {
			op     *Prepared
			call   Call
			writes bool
		}
		callers := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) caller {
			request := Request{Query: rapid.SampledFrom(queries).Draw(t, "query"), Variables: map[string]any{"n": int64(rapid.IntRange(1, 2).Draw(t, "n"))}}
			op, errs := preparer.Prepare(view, request)
			if errs != nil {
				t.Fatal(errs)
			}
			call := Call{Viewer: auth.Viewer{UserID: rapid.SampledFrom([]string{"", "u"}).Draw(t, "user")}}
			return caller{op, call, rapid.IntRange(0, 9).Draw(t, "writes") == 0}
		}), 2, 30).Draw(t, "callers")
		problems := make(chan string, len(callers))
		var running sync.WaitGroup
		for _, c := range callers {
			running.Go(func() {
				if c.writes {
					version.Add(1)
				}
				known := version.Load()
				got, want := together.Run(t.Context(), c.op, c.call), alone.Run(t.Context(), c.op, c.call)
				if problem := differs(got, want, known); problem != "" {
					problems <- problem
				}
			})
		}
		running.Wait()
		close(problems)
		for problem := range problems {
			t.Error(problem)
		}
	})
	if shared.Load() == 0 {
		t.Error("nobody shared a run")
	}
}

// differs says how an answer differs from that of a run which began no earlier.
func differs(got, want *Result, known uint64) string {
	var a, b told
	if json.Unmarshal(got.Data, &a) != nil || json.Unmarshal(want.Data, &b) != nil {
		return fmt.Sprintf("%s and %s", got.Data, want.Data)
	}
	if a.Version < known || a.Version > b.Version {
		return fmt.Sprintf("version %d, where %d was known and is %d by now", a.Version, known, b.Version)
	}
	b.Version = a.Version
	if !reflect.DeepEqual(a, b) || fmt.Sprint(got.Errors) != fmt.Sprint(want.Errors) || !reflect.DeepEqual(got.Extensions, want.Extensions) || got.Cost != want.Cost {
		return fmt.Sprintf("%+v, want %+v", got, want)
	}
	return ""
}

// executorOf is an executor made of a function.
type executorOf func(context.Context, *Prepared, Denied) *Result

func (f executorOf) Execute(ctx context.Context, op *Prepared, denied Denied) *Result {
	return f(ctx, op, denied)
}

// TestEqualVariablesReadAlike holds the encoding of variables to their equality.
func TestEqualVariablesReadAlike(t *testing.T) {
	view, preparer := testView(t, "test"), testPreparer(t)
	const query = `query($i: Int, $f: Float = 1, $s: String, $b: Boolean, $id: ID, $l: [Int!], $p: Point, $a: Any) {
		echo(i: $i, f: $f, s: $s, b: $b, id: $id, l: $l, p: $p, a: $a)
	}`
	text := rapid.SampledFrom([]any{"", "s", "-", "ss", "1", "\x00", "\xff", "\xfe"})
	small := rapid.SampledFrom([]any{int64(0), int64(1), int64(115)})
	values := map[string]*rapid.Generator[any]{
		"i": small, "f": rapid.SampledFrom([]any{0.5, int64(1), json.Number("1.0")}), "s": text, "id": text,
		"b": rapid.SampledFrom([]any{true, false}),
		"l": rapid.SampledFrom([]any{[]any{}, []any{int64(1)}, int64(1), []any{int64(1), int64(2)}}),
		"p": rapid.SampledFrom([]any{map[string]any{"x": int64(1)}, map[string]any{"x": int64(1), "y": int64(3)}, map[string]any{"x": int64(1), "tags": []any{"a", "b"}}, map[string]any{"x": int64(1), "tags": []any{"ab"}}}),
		"a": rapid.SampledFrom([]any{json.Number("1"), json.Number("1.0"), "1", int64(1), 1.0, true, []any{nil}, []any{}, map[string]any{}, map[string]any{"a": nil}}),
	}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) *Prepared {
			given := map[string]any{}
			for name, generator := range values {
				switch rapid.IntRange(0, 5).Draw(t, label+name) {
				case 0:
				case 1:
					given[name] = nil
				default:
					given[name] = generator.Draw(t, label+name+"value")
				}
			}
			op, errs := preparer.Prepare(view, Request{Query: query, Variables: given})
			if errs != nil {
				t.Fatal(errs)
			}
			return op
		}
		one, other := draw("one "), draw("other ")
		if rapid.Bool().Draw(t, "one differs") { // in one place at most, or the draws are hardly ever equal
			name := rapid.SampledFrom([]string{"i", "f", "s", "b", "id", "l", "p", "a"}).Draw(t, "name")
			value, given := other.Variables[name]
			copied := *one
			copied.Variables = map[string]any{}
			for n, v := range one.Variables {
				copied.Variables[n] = v
			}
			delete(copied.Variables, name)
			if given {
				copied.Variables[name] = value
			}
			other = &copied
		}
		a, ok := encodeVariables(one)
		b, okToo := encodeVariables(other)
		if !ok || !okToo || (a == b) != reflect.DeepEqual(one.Variables, other.Variables) {
			t.Fatalf("%v: %q, %v\n%v: %q, %v", one.Variables, a, ok, other.Variables, b, okToo)
		}
	})
}

// BenchmarkLonely is what it costs an operation that nobody shares.
func BenchmarkLonely(b *testing.B) {
	for _, c := range []struct {
		name  string
		query string
		given map[string]any
	}{
		{"plain", "{ me { id } }", nil},
		{"variables", "query($n: Int) { me { friends(first: $n) { id } } }", map[string]any{"n": int64(3)}},
	} {
		for name, coalescing := range map[string]*Coalescing{"off": nil, "on": {Version: func() uint64 { return 1 }}} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				answer := Result{Data: []byte(`{"me":null}`)}
				p := &Pipeline{
					Preparer: testPreparer(b), Timeout: time.Minute, Coalescing: coalescing,
					Enter:    func(ctx context.Context, _ Call) context.Context { return ctx },
					Observe:  func(context.Context, *Prepared, *Result, time.Duration) {},
					Executor: executes(func() *Result { return &Result{Data: answer.Data} }),
				}
				op, errs := p.Prepare(testView(b, "test"), Request{Query: c.query, Variables: c.given})
				if errs != nil {
					b.Fatal(errs)
				}
				ctx, cancel := context.WithCancel(b.Context())
				defer cancel()
				b.ReportAllocs()
				for b.Loop() {
					p.Run(ctx, op, Call{})
				}
			})
		}
	}
}

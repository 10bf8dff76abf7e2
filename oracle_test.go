package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/clients"
	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/engine/oracle"
	"tributary/internal/limit"
	"tributary/internal/operation"
	"tributary/internal/telemetry"
	"tributary/resolvers"
)

// challenger makes the executor that is held to gqlgen's own, over the same resolvers. It runs one operation after the other.
type challenger func(cfg *config.Gateway, g *gateway) operation.Executor

// shipped is the executor of a gateway as it is configured by default.
func shipped(cfg *config.Gateway, g *gateway) operation.Executor {
	set := *cfg
	set.Executor = config.Default().Serve.Gateway.Executor
	return executorOf(&set, g.resolver, g.view)
}

// stock is gqlgen's executor.
func stock(cfg *config.Gateway, g *gateway) operation.Executor {
	set := *cfg
	set.Executor = "gqlgen"
	return executorOf(&set, g.resolver, g.view)
}

// oracleOperations is how many operations are compared: as many as ORACLE says, 20,000 under CI, else 500.
func oracleOperations(t *testing.T) uint64 {
	t.Helper()
	text := cmp.Or(os.Getenv("ORACLE"), map[bool]string{true: "20000", false: "500"}[os.Getenv("CI") == "true"])
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		t.Fatalf("ORACLE: %v", err)
	}
	return n
}

// oracleSeed is the first seed; ORACLE_SEED=n ORACLE=1 repeats the operation of one.
func oracleSeed(t *testing.T) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(cmp.Or(os.Getenv("ORACLE_SEED"), "1"), 10, 64)
	if err != nil {
		t.Fatalf("ORACLE_SEED: %v", err)
	}
	return n
}

// TestExecutorsAgree draws operations and runs each on gqlgen's executor and on the shipped one, in worlds where services fail.
func TestExecutorsAgree(t *testing.T) { compete(t, shipped, oracleOperations(t)) }

// TestStockAgreesWithItself holds that what the other test finds is a difference of executors, and not one of two runs.
func TestStockAgreesWithItself(t *testing.T) { compete(t, stock, max(oracleOperations(t)/10, 1)) }

// compete compares as many operations, until one differs.
func compete(t *testing.T, other challenger, total uint64) {
	t.Helper()
	urls := startWorld(t)
	stores := openStores(t, urls)
	first := oracleSeed(t)
	seeds := make(chan uint64)
	var contests []*contest
	var running sync.WaitGroup
	start := time.Now()
	for range oracleContests {
		c := newContest(t, urls, stores, other)
		contests = append(contests, c)
		running.Go(func() {
			for seed := range seeds {
				c.round(t, seed)
			}
		})
	}
	ran := uint64(0)
	for ; ran < total && !t.Failed(); ran++ {
		seeds <- first + ran
	}
	close(seeds)
	running.Wait()
	report(t, contests, ran, time.Since(start))
}

// oracleContests is how many operations are compared at a time. More than there are processors, since loaders wait.
const oracleContests = 8

// contest compares the executors of one gateway, one operation after the other.
type contest struct {
	*gateway
	generator       *oracle.Generator
	whole           resolvers.Resolver // as it is for queries
	fresh           func() (*clients.Clients, error)
	err             error        // of the last comparison
	panics          bool         // in the next one resolvers that read the log or the API keys panic
	drawn, answered oracle.Reach // fields that were selected; those that had a value
	refused         map[any]int  // by code
	stock, other    operation.Executor
	mu              sync.Mutex // guards answered
	begun, kept     int        // objects of which something was to begin early, and those of them that came
	costs           costs
}

func newContest(t *testing.T, urls map[string]string, stores *resolvers.Resolver, other challenger) *contest {
	t.Helper()
	cfg := oracleConfig()
	c := &contest{drawn: oracle.Reach{}, answered: oracle.Reach{}, refused: map[any]int{}}
	c.fresh = func() (*clients.Clients, error) {
		return clients.New(clientConfig(&cfg, urls, telemetry.New(), slog.New(slog.DiscardHandler)))
	}
	c.gateway = openGateway(t, urls, func(g *config.Gateway) { *g = cfg })
	r := c.resolver
	r.Keys, r.Log, r.Work, r.Accounts, r.Exports, r.Webhooks = stores.Keys, stores.Log, stores.Work, stores.Accounts, stores.Exports, stores.Webhooks
	c.whole = *r
	c.other = other(&cfg, c.gateway)
	if planned, ok := c.other.(*operation.Planned); ok {
		fork := planned.Fork
		planned.Fork = func(ctx context.Context, obj any) (context.Context, func(context.Context)) {
			c.begun++
			own, adopt := fork(ctx, obj)
			return own, func(ctx context.Context) { c.kept++; adopt(ctx) }
		}
	}
	watched := stock(&cfg, c.gateway).(*operation.Gqlgen)
	watched.Around = c.watch
	c.stock = watched
	c.pipeline.Executor = c
	c.generator = oracle.NewGenerator(oracle.Config{
		Schema: c.view.Schema, MutationShare: 0.15, Narrow: []string{"user", "viewer", "post", "comment", "node", "rateLimit"}, NarrowShare: 0.3, Value: valueOf, Arguments: argumentsOf,
		Prepare: func(r operation.Request) (*operation.Prepared, gqlerror.List) { return c.pipeline.Prepare(c.view, r) },
		Leave:   func(coordinate string) bool { return slices.Contains(unsteady, coordinate) },
	})
	return c
}

// unsteady are the fields whose answers differ from one time to the next, whatever runs them.
var unsteady = []string{"RateLimit.resetAt"}

// oracleConfig has nothing that one operation can leave behind for the next: no cache, no shared reads, no breaker, no second try.
func oracleConfig() config.Gateway {
	cfg := config.Default().Serve.Gateway
	cfg.Versions.Default = 2 // the newest has every resolver that the others have
	cfg.Cache.Enabled, cfg.Coalesce = false, false
	cfg.LoaderWait, cfg.OperationTimeout = 100*time.Microsecond, time.Minute
	for _, name := range config.Services() {
		s := cfg.Of(name)
		s.Retries, s.Hedge, s.BreakerMinCalls = 0, false, 1<<20
		s.Timeout, s.Budget = 30*time.Second, time.Minute
	}
	return cfg
}

// watch counts the fields that have a value.
func (c *contest) watch(context.Context) graphql.FieldMiddleware {
	return func(ctx context.Context, next graphql.Resolver) (any, error) {
		value, err := next(ctx)
		if v := reflect.ValueOf(value); err == nil && v.IsValid() && (v.Kind() != reflect.Pointer || !v.IsNil()) {
			field := graphql.GetFieldContext(ctx)
			c.mu.Lock()
			c.answered[field.Object+"."+field.Field.Name]++
			c.mu.Unlock()
		}
		return value, err
	}
}

// Execute compares an operation on both executors in place of running it, and has the outcome in err.
func (c *contest) Execute(ctx context.Context, op *operation.Prepared, denied operation.Denied) *operation.Result {
	ctx = limit.WithCharge(ctx, limit.Charge{Requested: 7, Decision: &limit.Decision{
		Buckets: []limit.BucketState{{Name: "user", Unit: "points", Size: 100, Available: 93, RestoreRate: 1.5}},
	}})
	c.err = oracle.Compare(ctx, steady{c, c.stock}, steady{c, c.costs.watch(c.other)}, op, denied)
	c.err = errors.Join(c.err, c.costs.err)
	return &operation.Result{Data: []byte("null")}
}

// compare gives the outcome of one request in the world of a seed, asked by the seed's viewer; not ok if it cannot be prepared.
func (c *contest) compare(ctx context.Context, seed uint64, r operation.Request) (err error, ok bool) {
	prepared, errs := c.pipeline.Prepare(c.view, r)
	if errs != nil {
		return nil, false
	}
	c.err, c.panics = nil, seed%8 == 0
	c.pipeline.Run(ctx, prepared, operation.Call{Viewer: viewerOf(seed), RequestID: fmt.Sprint("world-", seed)})
	return c.err, true
}

func viewerOf(seed uint64) auth.Viewer { return oracleViewers[seed%uint64(len(oracleViewers))] }

// oracleViewers are those who ask, in turn.
var oracleViewers = []auth.Viewer{
	{UserID: "u1", Scopes: []string{auth.ScopeAdmin}}, {UserID: "u2", Scopes: []string{auth.ScopeAdmin}}, {UserID: "u1", Scopes: []string{auth.ScopeAdmin}},
	{UserID: "u3"}, {UserID: "u1", Scopes: []string{auth.ScopeAdmin}}, {}, {KeyID: "k1", Scopes: []string{auth.ScopeAdmin}},
}

// round draws the operation of a seed and compares it. What differs is made small and told.
func (c *contest) round(t *testing.T, seed uint64) {
	drawn, err := c.generator.Draw(seed)
	if err != nil {
		t.Error(err)
		return
	}
	for _, refused := range drawn.Refused {
		c.refused[refused.Extensions["code"]]++
	}
	c.drawn.Add(c.view.Schema, drawn.Prepared.Document)
	err, _ = c.compare(t.Context(), seed, drawn.Request)
	if err == nil {
		return
	}
	small := oracle.Shrink(drawn.Request, func(r operation.Request) bool {
		again, ok := c.compare(t.Context(), seed, r)
		return ok && again != nil
	})
	smallErr, _ := c.compare(t.Context(), seed, small)
	t.Errorf("seed %d, viewer %+v: %v\n%s\n--- made small: %v\n%s", seed, viewerOf(seed), err, oracle.Show(drawn.Request), smallErr, oracle.Show(small))
}

// steady runs an executor without what earlier runs have left or chance decides.
type steady struct {
	*contest
	inner operation.Executor
}

// Execute runs mutations on clients that know of no write before, and without the stores, which would keep what is written: their
// fields say so, and those of the API keys panic. So do those that read the log, where panics are asked for.
func (s steady) Execute(ctx context.Context, op *operation.Prepared, denied operation.Denied) *operation.Result {
	r := s.resolver
	defer func() { *r = s.whole }()
	if s.panics {
		r.Log, r.Keys = nil, nil
	}
	if op.Kind() != ast.Mutation {
		return steadied(s.inner.Execute(ctx, op, denied))
	}
	services, err := s.fresh()
	if err != nil {
		return &operation.Result{Errors: gqlerror.List{gqlerror.Wrap(err)}}
	}
	defer services.Close()
	r.Clients, r.Keys, r.Work, r.Accounts, r.Exports, r.Webhooks = services, nil, nil, nil, nil, nil
	return steadied(s.inner.Execute(ctx, op, denied))
}

// steadied sorts what is reported as degraded, whose order depends on which call ended first. Of more than is told, chance decides
// which are.
func steadied(r *operation.Result) *operation.Result {
	if r.Extensions["degraded"] == nil {
		return r
	}
	raw, err := json.Marshal(r.Extensions["degraded"])
	var entries []json.RawMessage
	if err = errors.Join(err, json.Unmarshal(raw, &entries)); err != nil {
		r.Extensions["degraded"] = err.Error()
		return r
	}
	slices.SortFunc(entries, func(a, b json.RawMessage) int { return cmp.Compare(string(a), string(b)) })
	r.Extensions["degraded"] = entries
	if len(entries) == 100 {
		r.Extensions["degraded"] = "all that is told"
	}
	return r
}

// report says how fast it went and what was reached.
func report(t *testing.T, contests []*contest, total uint64, took time.Duration) {
	t.Helper()
	drawn, answered, refused := oracle.Reach{}, oracle.Reach{}, map[any]int{}
	var costs costs
	begun, kept := 0, 0
	for _, c := range contests {
		costs.add(c.costs)
		begun, kept = begun+c.begun, kept+c.kept
		for at, n := range c.drawn {
			drawn[at] += n
		}
		for at, n := range c.answered {
			answered[at] += n
		}
		for code, n := range c.refused {
			refused[code] += n
		}
	}
	fields := slices.DeleteFunc(oracle.Fields(contests[0].view.Schema, true), func(f string) bool { return slices.Contains(unsteady, f) })
	missed, empty := drawn.Missed(fields), answered.Missed(fields)
	t.Logf("%d operations, %.0f a second; drawn again: %v", total, float64(total)/took.Seconds(), refused)
	t.Log(costs)
	t.Logf("something of %d objects was to begin early, of which %d came", begun, kept)
	t.Logf("of %d fields %d were selected, %d had a value; not selected: %v; never a value: %v",
		len(fields), len(fields)-len(missed), len(fields)-len(empty), missed, empty)
	if total >= 2000 && len(missed) > 0 {
		t.Errorf("after %d operations these fields were not selected: %v", total, missed)
	}
}

package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Bounds are how large one operation may be. Each is refused with a code of its own: docs/operations.md lists them.
type Bounds struct {
	Cost             int64 `default:"1000" help:"Points that one operation may cost; 0: any number."`
	Tokens           int   `default:"10000" help:"Tokens of a document; each comment is one."`
	NameBytes        int   `default:"256" help:"Length of a name in a document, in bytes."`
	Operations       int   `default:"20" help:"Operations of a document."`
	Depth            int   `default:"20" help:"Levels of fields."`
	ValueDepth       int   `default:"20" help:"Levels of lists and objects in a literal or a variable."`
	Aliases          int   `default:"100" help:"Aliases of a document."`
	RootFields       int   `default:"50" help:"Root fields of an operation."`
	Directives       int   `default:"100" help:"Directives of a document."`
	Fields           int   `default:"5000" help:"Fields and fragments of a document, a fragment's counted wherever it is spread."`
	Arguments        int   `default:"10000" help:"Values in arguments, counted as fields are."`
	FragmentNesting  int   `default:"30" help:"Levels of fragments within fragments."`
	ListNesting      int   `default:"2" help:"Levels of lists within lists of the introspection."`
	VariableValues   int   `default:"10000" help:"Values within all variables."`
	ValidationErrors int   `default:"20" help:"Errors of validation in one answer."`
	Errors           int   `default:"100" help:"Errors of fields in one answer; 0: any number."`
	ResponseBytes    int   `default:"16777216" help:"Size of the data of one answer, in bytes; 0: any."`
}

// Limits are how much a caller may spend.
type Limits struct {
	User      Limit         `embed:"" prefix:"user-"`
	Key       Limit         `embed:"" prefix:"key-"`
	IP        Limit         `embed:"" prefix:"ip-"`
	Enabled   bool          `name:"enabled" default:"true" negatable:"" help:"Limit what callers may spend."`
	RedisWait time.Duration `default:"5ms" help:"How long an operation waits for Redis before this replica decides alone."`
}

// Limit is what one way of being known may spend.
type Limit struct {
	Points   int64   `default:"10000" help:"Size of the bucket, in points; 0: no bucket."`
	Restore  float64 `default:"500" help:"Points that come back in a second."`
	Requests *int64  `placeholder:"N" help:"Operations in an hour; 0: any number."`
}

// Weights are the costs that the operator has set, in points by coordinate. The error does not name the flag.
func (g *Gateway) Weights() (map[string]float64, error) {
	weights := make(map[string]float64, len(g.CostWeights))
	for _, pair := range g.CostWeights {
		coordinate, text, _ := strings.Cut(pair, "=")
		weight, err := strconv.ParseFloat(text, 64)
		if coordinate == "" || err != nil {
			return nil, fmt.Errorf("%q is not COORDINATE=WEIGHT, such as Post=2 or Query.posts=5", pair)
		}
		weights[coordinate] = weight
	}
	return weights, nil
}

// The operations in an hour that are allowed outside of demo mode unless something else is set.
const (
	userRequests = 1_000
	keyRequests  = 10_000
	ipRequests   = 5_000
)

// HourlyRequests are the operations in an hour for users, API keys and addresses; 0 for any number.
func (s *Serve) HourlyRequests() (user, key, ip int64) {
	choose := func(set *int64, usual int64) int64 {
		switch {
		case set != nil:
			return *set
		case s.DemoMode():
			return 0
		}
		return usual
	}
	return choose(s.Limits.User.Requests, userRequests), choose(s.Limits.Key.Requests, keyRequests), choose(s.Limits.IP.Requests, ipRequests)
}

// HTTP is how requests may come.
type HTTP struct {
	MaxBodyBytes   int64         `default:"1048576" help:"Largest request body, in bytes."`
	MaxURLBytes    int           `name:"max-url-bytes" default:"16384" help:"Longest URL, in bytes."`
	MaxJSONDepth   int           `name:"max-json-depth" default:"64" help:"Levels of objects and lists in a request body."`
	MaxJSONValues  int           `name:"max-json-values" default:"100000" help:"Values in a request body."`
	MaxBatch       int           `default:"0" help:"Operations in one request; 0 refuses batches."`
	MaxConcurrent  int           `name:"max-concurrent-requests" default:"2048" help:"Requests to the graph at a time; further ones get 503. 0: any number."`
	OverloadDelay  time.Duration `default:"50ms" help:"How long work may wait for a processor before requests get 503; 0: any time."`
	HeaderTimeout  time.Duration `default:"5s" help:"Longest time that a request's header may take to arrive."`
	BodyTimeout    time.Duration `default:"10s" help:"Longest time that a request body may take to arrive."`
	AllowedOrigins []string      `placeholder:"ORIGIN,…" help:"Origins whose pages may ask, such as https://app.example or https://*.example; * for all."`
	TrustedProxies []string      `placeholder:"CIDR,…" help:"Proxies whose X-Forwarded-For tells the client's address."`
	Introspection  string        `enum:"all,known,none" default:"all" help:"Who may read the schema: all, known callers, or none."`
}

// Persisted is how documents may be named instead of sent.
type Persisted struct {
	Documents string `enum:"off,prefer,only" default:"prefer" help:"Trusted documents: off, prefer (free ones too) or only."`
	Manifest  string `placeholder:"FILE" type:"existingfile" help:"Trusted documents, as client-preset, Relay or Apollo write them."`
	APQ       bool   `name:"apq" default:"true" negatable:"" help:"Remember documents by their hash (automatic persisted queries)."`
	APQBytes  uint64 `name:"apq-bytes" default:"16777216" help:"Memory for them without Redis, in bytes."`
}

// Identity is who may call.
type Identity struct {
	JWKSURL    string        `name:"jwks-url" placeholder:"URL" help:"Keys that tokens are signed with. Without it only demo mode takes tokens, its own."`
	Issuer     string        `name:"jwt-issuer" placeholder:"ISS" help:"Who has to have issued a token."`
	Audience   string        `name:"jwt-audience" placeholder:"AUD" help:"For whom a token has to be."`
	Algorithms []string      `name:"jwt-algorithms" default:"RS256,ES256,EdDSA" placeholder:"ALG,…" help:"How tokens may be signed; none with a shared secret."`
	Skew       time.Duration `name:"jwt-clock-skew" default:"30s" help:"How far clocks may be apart."`
	Refresh    time.Duration `name:"jwks-refresh" default:"10m" help:"How often the keys are read again."`
}

func (s *Serve) checkLimits(p *problems) {
	l := &s.Limits
	for name, limit := range map[string]*Limit{"user": &l.User, "key": &l.Key, "ip": &l.IP} {
		p.want(limit.Points >= 0, "limit-"+name+"-points", "0 or more")
		p.want(limit.Restore >= 0, "limit-"+name+"-restore", "0 or more")
		p.want(limit.Requests == nil || *limit.Requests >= 0, "limit-"+name+"-requests", "0 or more")
	}
	p.want(l.RedisWait > 0, "limit-redis-wait", "more than 0")
	p.want(s.Replicas >= 1, "replicas", "1 or more")
	p.want(s.Replicas == 1 || s.RedisURL != "", "redis-url", "one when there are several replicas")
}

func (h *HTTP) check(p *problems) {
	p.want(h.MaxBodyBytes >= 1, "max-body-bytes", "1 or more")
	p.want(h.MaxURLBytes >= 1, "max-url-bytes", "1 or more")
	p.want(h.MaxJSONDepth >= 1, "max-json-depth", "1 or more")
	p.want(h.MaxJSONValues >= 1, "max-json-values", "1 or more")
	p.want(h.MaxBatch >= 0, "max-batch", "0 or more")
	p.want(h.MaxConcurrent >= 0 && h.MaxConcurrent <= math.MaxInt32, "max-concurrent-requests", "0 or more")
	p.want(h.OverloadDelay >= 0, "overload-delay", "0 or more")
	p.want(h.HeaderTimeout > 0, "header-timeout", "more than 0")
	p.want(h.BodyTimeout > 0, "body-timeout", "more than 0")
}

func (i *Identity) check(p *problems) {
	if i.JWKSURL == "" {
		p.want(i.Issuer == "" && i.Audience == "", "jwks-url", "one beside --jwt-issuer and --jwt-audience")
		return
	}
	checkURL(p, "jwks-url", i.JWKSURL)
	p.want(i.Issuer != "", "jwt-issuer", "one beside --jwks-url")
	p.want(i.Audience != "", "jwt-audience", "one beside --jwks-url")
	p.want(i.Skew >= 0, "jwt-clock-skew", "0 or more")
	p.want(i.Refresh > 0, "jwks-refresh", "more than 0")
	for _, alg := range i.Algorithms {
		p.want(alg != "none" && alg != "" && alg[0] != 'H', "jwt-algorithms", "asymmetric ones only")
	}
}

func (b *Bounds) check(p *problems) {
	for name, value := range map[string]int{
		"tokens": b.Tokens, "name-bytes": b.NameBytes, "operations": b.Operations, "depth": b.Depth, "value-depth": b.ValueDepth,
		"aliases": b.Aliases, "root-fields": b.RootFields, "directives": b.Directives, "fields": b.Fields, "arguments": b.Arguments,
		"fragment-nesting": b.FragmentNesting, "list-nesting": b.ListNesting, "variable-values": b.VariableValues,
		"validation-errors": b.ValidationErrors,
	} {
		p.want(value >= 1, "max-"+name, "1 or more")
	}
	p.want(b.Cost >= 0, "max-cost", "0 or more")
	p.want(b.Errors >= 0, "max-errors", "0 or more")
	p.want(b.ResponseBytes >= 0, "max-response-bytes", "0 or more")
}

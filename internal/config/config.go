// Package config is the only reader of flags, environment and configuration file.
package config

import (
	"time"

	"github.com/alecthomas/kong"
)

// Config is everything that can be set, and the command to run. Default gives the demo.
type Config struct {
	Serve    Serve    `cmd:"" default:"withargs" help:"Serve the graph (the default command)."`
	Demo     Demo     `cmd:"" help:"Serve the reference services alone: one of them, or all four."`
	Import   Import   `cmd:"" help:"Import users, posts, comments and follows (.ndjson) into the demo services."`
	Schema   Schema   `cmd:"" help:"Print the schema."`
	Explain  Explain  `cmd:"" help:"Run a query and show its tree of upstream calls and batches."`
	Doctor   Doctor   `cmd:"" help:"Check every configured service against the contract; exit 1 on a breach."`
	EventLog EventLog `cmd:"" name:"events" help:"Compare the event log with the services, or complete it."`
	Token    Token    `cmd:"" help:"Make a development token for the local data dir (demo mode only)."`
	File     string   `name:"config" placeholder:"FILE" help:"YAML file with any of the flags as keys."`

	DataDir string `default:".tributary" placeholder:"DIR" help:"Where the event log, the API keys, the demo services' data and the development key live."`
	Log     Log    `embed:"" prefix:"log-"`
}

// Log is how the log is written, to standard error.
type Log struct {
	Level  string `enum:"debug,info,warn,error" default:"info" help:"Least level that is logged: debug, info, warn or error."`
	Format string `enum:"json,text" default:"json" help:"Form of a log line: json or text."`
}

// Schema is the command that prints the schema.
type Schema struct {
	Federation bool `help:"As a subgraph of a federated graph gives it: with keys, for composition."`
	Version    int  `env:"-" placeholder:"N" help:"Version of the schema; the one of those who name none when left out."`
}

// Serve is the command that serves the graph.
type Serve struct {
	ProgramVersion   kong.VersionFlag `name:"version" env:"-" help:"Print the version of the program and end."`
	Addr             string           `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to listen on; port 0 picks a free one."`
	ShutdownTimeout  time.Duration    `default:"10s" help:"How long running operations may take to finish when the server stops."`
	RedisURL         string           `placeholder:"URL" help:"Redis that replicas share limits, API keys and persisted operations over: redis://HOST:PORT, with ?addr=HOST:PORT&… for a cluster. Better given as TRIBUTARY_REDIS_URL."`
	Replicas         int              `default:"1" help:"How many replicas share the limits."`
	Limits           Limits           `embed:"" prefix:"limit-"`
	Identity         `embed:""`
	Persisted        Persisted     `embed:"" prefix:"persisted-"`
	Events           Events        `embed:"" prefix:"events-"`
	HistoryRetention time.Duration `default:"0s" help:"How long the events of an entity are kept one by one; older ones become one snapshot. 0 is for ever."`
	Work             Work          `embed:""`
	Runtime          `embed:""`
	HTTP             `embed:""`
	Gateway          `embed:""`
}

// Gateway is what it takes to run operations.
type Gateway struct {
	Upstream          `embed:""`
	DemoServices      []string      `name:"demo" placeholder:"SERVICE,…" help:"Services to run as demo although others are real."`
	UnsafePublicDemo  bool          `help:"Let a demo listen on an address that is not loopback."`
	AllowedHosts      []string      `placeholder:"HOST,…" help:"Host names to answer under, besides loopback."`
	OperationTimeout  time.Duration `default:"10s" help:"Longest time of one operation."`
	DocumentCacheSize uint64        `name:"document-cache-bytes" default:"67108864" help:"Memory for parsed documents, in bytes."`
	LoaderWait        time.Duration `default:"1ms" help:"How long a loader gathers ids before it asks a service, where fields that may add some wait for something else."`
	Executor          string        `default:"engine" enum:"engine,gqlgen" help:"What runs operations: the breadth-first engine, or gqlgen's executor."`
	Cache             Cache         `embed:"" prefix:"cache-"`
	Max               Bounds        `embed:"" prefix:"max-"`
	CostWeights       []string      `placeholder:"COORDINATE=WEIGHT,…" help:"Costs in place of the schema's, such as Post=2,Query.posts=5."`
	Versions          `embed:""`
	Coalesce          bool `default:"true" negatable:"" help:"Share one upstream call between identical reads under way, and one run between identical queries."`
}

// Versions is which versions of the schema there are, and for how long.
type Versions struct {
	Default int      `name:"default-version" default:"0" help:"Version of the schema for those who name none; 0: the oldest that has not ended."`
	Sunsets []string `name:"version-sunset" placeholder:"VERSION=DAY,…" help:"When versions end, such as 1=2027-11-23: from then on they answer 410."`
}

// Upstream is where the services are and how they are called.
type Upstream struct {
	User         Service `embed:"" prefix:"user-" group:"user"`
	Post         Service `embed:"" prefix:"post-" group:"post"`
	Comment      Service `embed:"" prefix:"comment-" group:"comment"`
	Follower     Service `embed:"" prefix:"follower-" group:"follower"`
	ServiceToken string  `placeholder:"TOKEN" help:"Bearer token that the gateway shows to the services. Better given as TRIBUTARY_SERVICE_TOKEN."`
}

// Service is where one service is and how it is called.
type Service struct {
	URL                string        `placeholder:"URL" help:"Base URL of the service."`
	Timeout            time.Duration `default:"3s" help:"Longest time of one attempt."`
	Budget             time.Duration `default:"5s" help:"Longest time of a call with its retries."`
	Retries            int           `default:"2" help:"Further attempts after a failed one."`
	BreakerFailureRate float64       `default:"0.5" help:"Share of failures at which the breaker opens, 0 to 1."`
	BreakerMinCalls    int           `default:"20" help:"Fewest calls in the window before it may open."`
	BreakerWindow      time.Duration `default:"10s" help:"Time over which calls are counted."`
	BreakerDelay       time.Duration `default:"30s" help:"Time from opening to the trial call."`
	Concurrency        int           `default:"256" help:"Calls at a time."`
	Hedge              bool          `default:"true" negatable:"" help:"Send a slow read a second time."`
	HedgeFloor         time.Duration `default:"20ms" help:"Least wait before that."`
}

// Cache is the entity cache.
type Cache struct {
	Enabled bool          `name:"enabled" default:"true" negatable:"" help:"Keep what was read from the services."`
	Bytes   int64         `default:"134217728" help:"Memory for it, in bytes."`
	Fresh   time.Duration `default:"1s" help:"How long an entry answers without asking again while the events of its service do not arrive."`
	Live    time.Duration `default:"60s" help:"The same while they do; never less than --cache-fresh."`
	Keep    time.Duration `default:"1h" help:"How long an entry may stand in for a service that fails."`
}

// Demo is the command that serves the reference services alone.
type Demo struct {
	Service          string   `arg:"" optional:"" enum:"user,post,comment,follower,all" default:"all" help:"user, post, comment or follower; all of them when left out."`
	Addr             string   `default:"127.0.0.1:0" placeholder:"HOST:PORT" help:"Address to listen on; four services take consecutive ports, or free ones with port 0."`
	AllowedHosts     []string `placeholder:"HOST,…" help:"Host names to answer under, besides loopback."`
	Token            string   `placeholder:"TOKEN" help:"Bearer token to ask for. Better given as TRIBUTARY_TOKEN."`
	Faults           bool     `help:"Serve the fault switch at /faults."`
	EventsURL        string   `placeholder:"URL" help:"Where to deliver events: a gateway's http://HOST:PORT/events. Without it none are delivered."`
	EventsSecret     string   `placeholder:"whsec_…" help:"Secret that signs them. Better given as TRIBUTARY_EVENTS_SECRET."`
	UnsafePublicDemo bool     `help:"Let a demo listen on an address that is not loopback."`
}

// Import is the command that fills the demo services.
type Import struct {
	Dir string `arg:"" type:"existingdir" help:"Directory with any of users, posts, comments and follows .ndjson."`
}

// Explain is the command that shows what a query does upstream.
type Explain struct {
	Query     string `arg:"" placeholder:"FILE" help:"File with the query, or - for standard input."`
	Operation string `placeholder:"NAME" help:"Which operation of the document."`
	Variables string `default:"{}" placeholder:"JSON" help:"Variables of the query."`
	As        string `placeholder:"USER" help:"User to run it as; anonymous when left out (demo mode only)."`
	Scope     string `placeholder:"SCOPES" help:"Scopes to run it with, such as admin (demo mode only)."`
	Answer    bool   `help:"Print the answer too."`
	Static    bool   `help:"Run nothing: print the plan, with what each part comes to at most. Needs no services; variables may be missing."`
	Gateway   `embed:""`
}

// Doctor is the command that checks services against the contract.
type Doctor struct {
	Write        bool          `help:"Check writes too: creates entities and deletes them again."`
	Timeout      time.Duration `default:"5s" help:"Longest time of one request."`
	UserURL      string        `placeholder:"URL" help:"Base URL of the service; without one it is not checked."`
	PostURL      string        `placeholder:"URL" help:"Base URL of the service; without one it is not checked."`
	CommentURL   string        `placeholder:"URL" help:"Base URL of the service; without one it is not checked."`
	FollowerURL  string        `placeholder:"URL" help:"Base URL of the service; without one it is not checked."`
	ServiceToken string        `placeholder:"TOKEN" help:"Bearer token to show to the services. Better given as TRIBUTARY_SERVICE_TOKEN."`
}

// EventLog is the command that looks after the event log.
type EventLog struct {
	Action   string        `arg:"" enum:"verify,sync" help:"verify: rebuild all state from the log and report where it differs from the services; sync: write snapshots of what the log does not know."`
	RedisURL string        `placeholder:"URL" help:"Redis that holds the log; without it it is the one of the data dir."`
	Pause    time.Duration `default:"2s" help:"How long an event may be on its way before a difference counts."`
	Gateway  `embed:""`
}

// Token is the command that makes a development token.
type Token struct {
	User  string        `required:"" placeholder:"ID" help:"User to speak for: an id of the user service or of the graph."`
	Scope string        `placeholder:"SCOPES" help:"Scopes to grant, separated by spaces, such as admin."`
	TTL   time.Duration `name:"ttl" default:"24h" help:"How long the token is good for."`
}

// Package doctor holds a running service to the contract in docs/contract: what it answers to reads, and, where asked
// to, what it makes of writes. It knows the services only by that contract and over HTTP.
package doctor

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"tributary/docs/contract"
)

// Target is one service to check.
type Target struct {
	Service string // user, post, comment or follower
	URL     string // absolute, http or https; a path is put in front of the contract's
	Token   string // sent as bearer token; empty sends none
}

// Options say how far the checks go. The zero value reads only and waits 5 seconds for each answer.
type Options struct {
	// Write adds the checks that create, change and delete. They touch only what they made themselves, under names
	// that begin with "doctor", and take it away at the end. What a service tells others of its writes, such as
	// events, it tells of these too.
	Write bool
	// Timeout bounds each answer, its body included. 0 is 5 seconds.
	Timeout time.Duration
	// HTTP is the client to use; its redirect policy is ignored, for redirects are never followed. Nil uses one of
	// the doctor's own.
	HTTP *http.Client
	// Progress is called with each finding as it is made, from the goroutine that called Check. It may be nil.
	Progress func(Finding)
}

const defaultTimeout = 5 * time.Second

// Check examines the targets, each service at most once, in the order of contract.Services: what one shows is what
// the next is asked about. Breaches are findings, not errors. An error means that the targets make no sense or that
// ctx ended; the report then holds what was found until then. Check starts no goroutines that outlive it. It may be
// called from many goroutines, with Progress called from each.
func Check(ctx context.Context, targets []Target, o Options) (Report, error) {
	var report Report
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	client, done := boundedClient(o.HTTP)
	defer done()
	var run [4]byte
	rand.Read(run[:]) //nolint:errcheck // it never fails
	shared := &samples{}
	inspections, err := prepare(targets)
	if err != nil {
		return report, err
	}
	for _, s := range inspections {
		s.http, s.timeout, s.write, s.run, s.samples = client, o.Timeout, o.Write, hex.EncodeToString(run[:]), shared
		s.emit = func(f Finding) {
			report.Findings = append(report.Findings, f)
			if o.Progress != nil {
				o.Progress(f)
			}
		}
		if err := s.examine(ctx); err != nil {
			return report, err
		}
	}
	return report, nil
}

// prepare reads the targets, in the order of the contract.
func prepare(targets []Target) ([]*inspection, error) {
	var out []*inspection
	for _, service := range contract.Services() {
		for _, t := range targets {
			if t.Service != service {
				continue
			}
			if len(out) > 0 && out[len(out)-1].service == service {
				return nil, fmt.Errorf("doctor: two URLs for the %s service", service)
			}
			base, err := url.Parse(t.URL)
			if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.RawQuery != "" || base.Fragment != "" {
				return nil, fmt.Errorf("doctor: the URL of the %s service must be http or https, with a host and no query", service)
			}
			doc, err := openDocument(service)
			if err != nil {
				return nil, err
			}
			out = append(out, &inspection{
				service: service, base: base, token: t.Token, doc: doc,
				outcome: make(map[string]Severity), held: make(map[string]bool), failures: make(map[string]int),
			})
		}
	}
	for _, t := range targets {
		if !slices.Contains(contract.Services(), t.Service) {
			return nil, fmt.Errorf("doctor: there is no service %q: use %q", t.Service, contract.Services())
		}
	}
	if len(out) == 0 {
		return nil, errors.New("doctor: no service to check")
	}
	return out, nil
}

// cleanupTime bounds the end of a run that was interrupted.
const cleanupTime = 30 * time.Second

// examine runs all checks of the service.
func (s *inspection) examine(ctx context.Context) error {
	s.declare(ruleTimely, ruleWhole, ruleBounded, ruleAvailable, ruleRetryAfter, "health"+ruleSchema, "health"+ruleType)
	s.arrive(ctx)
	s.reads(ctx)
	s.writes(ctx)
	return s.finish(ctx)
}

func (s *inspection) reads(ctx context.Context) {
	switch s.service {
	case "user":
		s.userReads(ctx)
	case "post":
		s.postReads(ctx)
	case "comment":
		s.commentReads(ctx)
	default:
		s.followerReads(ctx)
	}
}

func (s *inspection) writes(ctx context.Context) {
	switch s.service {
	case "user":
		s.userWrites(ctx)
	case "post":
		s.postWrites(ctx)
	case "comment":
		s.commentWrites(ctx)
	default:
		s.edgeWrites(ctx)
	}
}

// finish cleans up, also after ctx ended, and reports the invariants.
func (s *inspection) finish(ctx context.Context) error {
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	fault := s.fatal
	s.cleanup(end)
	if err := errors.Join(ctx.Err(), fault, s.fatal); err != nil {
		return err
	}
	s.settle()
	return nil
}

// arrive finds out whether the service answers and is well, and whether it lets us in.
func (s *inspection) arrive(ctx context.Context) {
	health := request{name: "health", method: http.MethodGet, path: "/healthz", schema: "Health"}
	s.check(ctx, "reachable", func(ctx context.Context) error {
		_, err := s.once(ctx, health)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		s.last, s.dead = health.String(), "the service does not answer"
		if timedOut(err) {
			return sawInstead("", "an answer within "+s.timeout.String(), "none")
		}
		return sawInstead("", "an HTTP answer", "%s", describe(err))
	})
	s.check(ctx, "healthy", func(ctx context.Context) error {
		_, err := s.expect(ctx, health, http.StatusOK)
		return err
	})
	s.admission(ctx)
}

// admission finds out whether the service lets us in, with the token and without.
func (s *inspection) admission(ctx context.Context) {
	first := map[string]request{
		"user":     userBatch().request([]string{unknownID(0)}, nil),
		"post":     postBatch().request([]string{unknownID(0)}, nil),
		"comment":  commentBatch().request([]string{unknownID(0)}, nil),
		"follower": edgeTally().request([]string{unknownID(0)}, nil),
	}[s.service]
	answers := false
	s.check(ctx, "access", func(ctx context.Context) error {
		ans, err := s.do(ctx, first)
		if err != nil {
			return err
		}
		answers = ans.status == http.StatusOK
		if ans.status == http.StatusUnauthorized || ans.status == http.StatusForbidden {
			s.dead = "the service does not let us in"
			return sawInstead("", "to be let in"+map[bool]string{true: " without a token", false: " with the token given"}[s.token == ""], "%s", ans)
		}
		return nil
	})
	s.check(ctx, "access.without-token", func(ctx context.Context) error {
		if s.token == "" {
			return skip("no token was given")
		}
		if !answers {
			return skip("with the token it does not answer 200 either")
		}
		first.header = map[string]string{"Authorization": ""}
		_, err := s.expect(ctx, first, http.StatusOK, http.StatusUnauthorized)
		return err
	})
}

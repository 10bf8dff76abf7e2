package doctor

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// inspection is the examination of one service. It belongs to one goroutine.
type inspection struct {
	service string
	base    *url.URL
	token   string
	http    *http.Client
	timeout time.Duration
	write   bool
	run     string // random name of this run, part of all it writes
	doc     *document
	samples *samples
	emit    func(Finding)

	outcome  map[string]Severity // by check, without the service
	rules    []string            // names of the invariants, in the order declared
	held     map[string]bool     // invariants that were judged at least once
	last     string              // the request sent last
	remark   string              // detail of the running check should it pass
	dead     string              // why nothing more is asked of the service; empty while it answers
	trouble  int                 // requests in a row that brought no answer
	failures map[string]int      // the same by endpoint, never reset
	requests int
	fatal    error // a fault of our own
	ledger   ledger
}

// declare names invariants: rules that every answer must keep, judged whenever one arrives.
func (s *inspection) declare(names ...string) {
	for _, name := range names {
		if !slices.Contains(s.rules, name) {
			s.rules = append(s.rules, name)
		}
	}
}

// hold judges an invariant by one answer. A nil err keeps it; any other breaches it, and what comes back is the
// reason to leave the running check alone, for the answer is not to be trusted.
func (s *inspection) hold(name string, err error) error {
	s.held[name] = true
	if err == nil {
		return nil
	}
	if _, done := s.outcome[name]; !done {
		s.conclude(name, err)
	}
	return skipf("%s.%s is breached", s.service, name)
}

// settle reports the invariants that no answer breached.
func (s *inspection) settle() {
	for _, name := range s.rules {
		if _, done := s.outcome[name]; done {
			continue
		}
		s.last, s.remark = "", ""
		if s.held[name] {
			s.conclude(name, nil)
			continue
		}
		reason := s.dead
		if reason == "" {
			reason = "no answer to judge it by"
		}
		s.conclude(name, skip(reason))
	}
}

// check runs a check once.
func (s *inspection) check(ctx context.Context, name string, test func(context.Context) error) {
	if s.fatal != nil || ctx.Err() != nil {
		return
	}
	s.last, s.remark = "", ""
	if s.dead != "" {
		s.conclude(name, skip(s.dead))
		return
	}
	if err := test(ctx); ctx.Err() == nil {
		s.conclude(name, err)
	}
}

// steady runs a check that compares several answers, and runs it again before it calls a breach: others may write
// to a live service between two reads.
func (s *inspection) steady(ctx context.Context, name string, test func(context.Context) error) {
	s.check(ctx, name, func(ctx context.Context) error {
		err := test(ctx)
		if _, broken := errors.AsType[*breach](err); broken && ctx.Err() == nil {
			err = test(ctx)
		}
		return err
	})
}

// writing runs a check that writes, where writes are asked for.
func (s *inspection) writing(ctx context.Context, name string, test func(context.Context) error) {
	s.check(ctx, name, func(ctx context.Context) error {
		if !s.write {
			return errReadOnly
		}
		return test(ctx)
	})
}

const errReadOnly = skip("it writes, and writes were not asked for")

// declareWrites announces the invariants of an entity's or edge's writes, by the names of their endpoints.
func (s *inspection) declareWrites(names ...string) {
	rules := []string{ruleETag}
	for _, name := range names {
		rules = append(rules, name+ruleSchema, name+ruleType)
	}
	s.declare(rules...)
	for _, rule := range rules {
		if !s.write {
			s.last, s.remark = "", ""
			s.conclude(rule, errReadOnly)
		}
	}
}

// intact is nil unless one of the named checks failed; then it is the reason to skip what rests on it.
func (s *inspection) intact(names ...string) error {
	for _, name := range names {
		if s.outcome[name] == Breach {
			return skipf("%s.%s is breached", s.service, name)
		}
	}
	return nil
}

func (s *inspection) conclude(name string, err error) {
	finding := Finding{Service: s.service, Check: s.service + "." + name, Request: s.last, Detail: s.remark}
	if err != nil {
		finding.Detail = printable(err.Error(), maxDetail)
		if broken, ok := errors.AsType[*breach](err); ok {
			finding.Severity = Breach
			if broken.request != "" {
				finding.Request = broken.request
			}
		} else if isSkip(err) {
			finding.Severity = Skipped
		} else {
			s.fatal = err
			return
		}
	}
	s.outcome[name] = finding.Severity
	s.emit(finding)
}

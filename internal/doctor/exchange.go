package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Bounds of patience with a service that does not answer.
const (
	maxAttempts = 3               // of a request that is answered 429 or 503
	maxWait     = 2 * time.Second // between them, whatever Retry-After says
	maxFailures = 2               // of one endpoint before nothing more is asked of it
	maxTrouble  = 6               // requests in a row without an answer before the service is given up
)

// Invariants of every answer of a service.
const (
	ruleTimely     = "answers.timely"
	ruleWhole      = "answers.whole"
	ruleBounded    = "answers.bounded"
	ruleAvailable  = "answers.available"
	ruleRetryAfter = "answers.retry-after"
	ruleProblem    = "problem.schema"
	ruleProblemCT  = "problem.content-type"
	ruleETag       = "write.etag"
)

// do sends a request, again while it is answered 429 or 503, and holds a failure's problem document to the contract.
// Its error is a skip where no answer came.
func (s *inspection) do(ctx context.Context, r request) (reply, error) {
	for attempt := 1; ; attempt++ {
		if err := s.patience(r); err != nil {
			return reply{}, err
		}
		s.last = r.String()
		ans, err := s.once(ctx, r)
		if err != nil {
			return reply{}, s.unanswered(ctx, r, err)
		}
		s.trouble = 0
		for _, rule := range []string{ruleTimely, ruleWhole, ruleBounded} {
			_ = s.hold(rule, nil)
		}
		if ans.status >= 400 {
			s.holdProblem(ans)
		}
		if ans.status != http.StatusTooManyRequests && ans.status != http.StatusServiceUnavailable {
			return ans, s.hold(ruleAvailable, nil)
		}
		wait := s.retryAfter(ans)
		if attempt == maxAttempts {
			s.trouble++
			s.failures[r.name]++
			return reply{}, s.hold(ruleAvailable, sawInstead("", "an answer within "+strconv.Itoa(maxAttempts)+" attempts", "%s each time", ans))
		}
		if err := sleep(ctx, wait); err != nil {
			return reply{}, err
		}
	}
}

// patience is the reason to ask an endpoint nothing more.
func (s *inspection) patience(r request) error {
	if s.trouble >= maxTrouble {
		s.dead = "the service stopped answering"
		return skip(s.dead)
	}
	if s.failures[r.name] >= maxFailures {
		return skipf("%s did not answer %d times", r.method+" "+r.path, maxFailures)
	}
	return nil
}

// unanswered books a request that brought no whole answer.
func (s *inspection) unanswered(ctx context.Context, r request, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.trouble++
	s.failures[r.name]++
	switch {
	case errors.Is(err, errTooBig):
		return s.hold(ruleBounded, sawInstead("", "a body of at most "+strconv.Itoa(maxBody>>20)+" MiB", "%v", err))
	case timedOut(err):
		return s.hold(ruleTimely, sawInstead("", "an answer within "+s.timeout.String(), "none"))
	default:
		return s.hold(ruleWhole, sawInstead("", "a whole HTTP answer", "%s", describe(err)))
	}
}

func (s *inspection) retryAfter(ans reply) time.Duration {
	value := ans.header.Get("Retry-After")
	seconds, err := strconv.Atoi(value)
	if err != nil || seconds < 0 {
		_ = s.hold(ruleRetryAfter, sawInstead(ans.request, "Retry-After in seconds with "+ans.String(), "%s", quote(value)))
		return 100 * time.Millisecond
	}
	_ = s.hold(ruleRetryAfter, nil)
	return min(time.Duration(min(seconds, 3600))*time.Second, maxWait)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// expect sends a request and holds its answer to one of the statuses, and a success to its schema.
func (s *inspection) expect(ctx context.Context, r request, statuses ...int) (answer, error) {
	ans, err := s.do(ctx, r)
	if err != nil {
		return answer{}, err
	}
	return s.judge(r, ans, statuses)
}

func (s *inspection) judge(r request, ans reply, statuses []int) (answer, error) {
	if !slices.Contains(statuses, ans.status) {
		return answer{}, sawInstead("", oneOf(statuses), "%s%s", ans, problemDetail(ans))
	}
	out := answer{reply: ans}
	if ans.status >= 400 {
		tree, _ := parse(ans.raw) // what it lacks is ruleProblem's to say
		out.tree = members(tree)
		return out, nil
	}
	if r.schema == "" || ans.status == http.StatusNoContent {
		return out, nil
	}
	tree, err := s.holdBody(r, ans)
	out.tree = members(tree)
	return out, err
}

// answer is a reply with its JSON.
type answer struct {
	reply
	tree map[string]any
}

// holdBody holds a success to its content type and its schema.
func (s *inspection) holdBody(r request, ans reply) (any, error) {
	wrongType := s.hold(r.name+".content-type", contentType(ans, "application/json"))
	tree, err := parse(ans.raw)
	if err != nil && wrongType != nil {
		return nil, wrongType
	}
	if err == nil {
		err = s.doc.answer(r.schema, tree)
	}
	return tree, s.hold(r.name+".schema", at(ans.request, err))
}

// holdProblem holds a failure to RFC 9457 and the contract's document of that status.
func (s *inspection) holdProblem(ans reply) {
	wrongType := s.hold(ruleProblemCT, contentType(ans, "application/problem+json"))
	tree, err := parse(ans.raw)
	if err != nil && wrongType != nil {
		return
	}
	if err == nil {
		err = s.doc.problem(ans.status, tree)
	}
	if status, _ := integer(members(tree)["status"]); err == nil && status != int64(ans.status) {
		err = sawInstead("", fmt.Sprintf("status %d in the body too", ans.status), "%d", status)
	}
	_ = s.hold(ruleProblem, at(ans.request, err))
}

// at names the request of a breach that has none yet.
func at(request string, err error) error {
	if broken, ok := errors.AsType[*breach](err); ok && broken.request == "" {
		return &breach{want: broken.want, saw: broken.saw, request: request}
	}
	return err
}

func parse(raw []byte) (any, error) {
	if !utf8.Valid(raw) {
		return nil, sawInstead("", "JSON in UTF-8", "other bytes")
	}
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, sawInstead("", "JSON", "%s (%v)", quote(string(raw[:min(len(raw), 60)])), err)
	}
	return tree, nil
}

func contentType(ans reply, want string) error {
	value := ans.header.Get("Content-Type")
	media, params, err := mime.ParseMediaType(value)
	charset, named := params["charset"]
	if err != nil || media != want || named && !strings.EqualFold(charset, "utf-8") {
		return sawInstead(ans.request, "Content-Type "+want, "%s with %s", quote(value), ans)
	}
	return nil
}

func oneOf(statuses []int) string {
	names := make([]string, len(statuses))
	for n, status := range statuses {
		names[n] = reply{status: status}.String()
	}
	return strings.Join(names, " or ")
}

// problemDetail repeats what a failure says of itself.
func problemDetail(ans reply) string {
	tree, err := parse(ans.raw)
	detail, _ := members(tree)["detail"].(string)
	if err != nil || ans.status < 400 || detail == "" {
		return ""
	}
	return " (" + printable(detail, 120) + ")"
}

package operation

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/auth"
)

// Streams runs subscriptions. Members that ask for the same with the same rights form a group: its operation runs once for each
// event and is encoded once. It is safe for concurrent use.
type Streams struct {
	pipeline *Pipeline
	source   Source
	most     int
	observe  StreamObserver

	mu      sync.Mutex
	groups  map[groupKey]*group
	members map[*Subscription]bool
	ended   bool
	running sync.WaitGroup // of groups, and of members that catch up
}

// StreamObserver is told of what happens to subscriptions. Its functions may be nil and must not block.
type StreamObserver struct {
	Members   func(change int) // so many joined, or left
	Delivered func(n int)      // payloads to members
	Executed  func()           // an operation ran for an event
	Ended     func(reason EndReason)
}

// groupKey tells what members share: the operation, its variables but for the cursor, and the rights.
type groupKey [sha256.Size]byte

// NewStreams makes Streams over a pipeline and a source for at most so many members at a time.
func NewStreams(p *Pipeline, source Source, most int, observe StreamObserver) *Streams {
	return &Streams{
		pipeline: p, source: source, most: most, observe: observe,
		groups: map[groupKey]*group{}, members: map[*Subscription]bool{},
	}
}

// Subscribe has a member take part in a subscription until Close is called or End tells it; the context is that of beginning it, and
// may end once Subscribe returns. A Result says why it is refused. Deliver may be called before Subscribe returns.
func (s *Streams) Subscribe(ctx context.Context, op *Prepared, call Call, m Member) (*Subscription, *Result) {
	if op.Kind() != ast.Subscription {
		return nil, &Result{Outcome: Refused, Errors: gqlerror.List{refuse(CodeNotASubscription, "only subscriptions can be subscribed to")}}
	}
	if result := s.pipeline.forbid(op, call.Viewer); result != nil {
		return nil, result
	}
	sub := &Subscription{streams: s, member: m, view: op.View, expires: call.Viewer.Expires, cost: op.Cost.Estimate(op.Variables)}
	if result := sub.lease(ctx, op, call); result != nil {
		return nil, result
	}
	feed, result := s.open(ctx, op, call, true)
	if result != nil {
		sub.settle()
		return nil, result
	}
	return s.admit(ctx, sub, op, call, feed)
}

// open runs the operation once so that its root field says what it wants, and opens its feed, from now on or resumed.
func (s *Streams) open(ctx context.Context, op *Prepared, call Call, resume bool) (Feed, *Result) {
	p := s.pipeline
	ctx, cancel := context.WithTimeout(auth.WithViewer(ctx, call.Viewer), p.Timeout)
	defer cancel()
	opening, open := s.source.Opening(p.Enter(ctx, call))
	result := p.Executor.Execute(opening, op, op.protected.denied(call.Viewer))
	if len(result.Errors) > 0 {
		return Feed{}, &Result{Outcome: Refused, Errors: result.Errors}
	}
	feed, err := open(ctx, resume, call.After)
	switch {
	case errors.Is(err, ErrCursor):
		err := refuse(CodeCursorExpired, "the events behind this cursor are not kept here: read anew and subscribe without it")
		return Feed{}, &Result{Outcome: Refused, Errors: gqlerror.List{err}}
	case err != nil:
		return Feed{}, &Result{Outcome: Refused, Errors: gqlerror.List{refuse(CodeStreamFailed, "events cannot be had now: try again")}}
	}
	return feed, nil
}

// admit lets a member in: it catches up on a feed of its own first.
func (s *Streams) admit(ctx context.Context, sub *Subscription, op *Prepared, call Call, feed Feed) (*Subscription, *Result) {
	key, err := keyOf(op, call.Viewer)
	if err != nil {
		feed.Close()
		sub.settle()
		return nil, &Result{Outcome: Refused, Errors: gqlerror.List{refuse(CodeStreamFailed, "the variables cannot be encoded")}}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || len(s.members) >= s.most {
		feed.Close()
		sub.settle()
		return nil, &Result{Outcome: Throttled, Errors: gqlerror.List{refuse(CodeStreamsFull, "this server has as many subscriptions as it takes: try again later")}}
	}
	s.members[sub] = true
	s.count(+1)
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	sub.cancel = cancel
	s.running.Go(func() {
		defer cancel()
		s.catchUp(ctx, sub, groupOf{key, op, call}, feed)
	})
	return sub, nil
}

func (s *Streams) count(change int) {
	if s.observe.Members != nil {
		s.observe.Members(change)
	}
}

// keyOf sums up what the members of a group share. The variable of the argument after is left out where nothing else uses it.
func keyOf(op *Prepared, viewer auth.Viewer) (groupKey, error) {
	cursor := cursorVariable(op)
	variables := make(map[string]any, len(op.Variables))
	for name, value := range op.Variables {
		if name != cursor {
			variables[name] = value
		}
	}
	scopes := slices.Sorted(slices.Values(viewer.Scopes))
	raw, err := json.Marshal([]any{op.key.view, op.key.hash[:], op.Operation.Name, variables, viewer.UserID, viewer.KeyID, scopes})
	return sha256.Sum256(raw), err
}

// cursorVariable is the variable that stands for the root field's argument after and nothing else; empty without one.
func cursorVariable(op *Prepared) string {
	for _, selection := range op.Operation.SelectionSet {
		field, ok := selection.(*ast.Field)
		if !ok {
			return ""
		}
		after := field.Arguments.ForName("after")
		if after == nil || after.Value.Kind != ast.Variable {
			return ""
		}
		if strings.Count(op.Query, "$"+after.Value.Raw) == 2 { // where it is defined, and here
			return after.Value.Raw
		}
	}
	return ""
}

// lookAtKeys is how often the API keys of members are looked at: as long as a key may count as good elsewhere.
const lookAtKeys = 5 * time.Second

// Run ends the subscriptions whose tokens have expired or whose keys were revoked, and all of them when ctx ends. It returns after
// everything has.
func (s *Streams) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for looked := time.Now(); ; {
		select {
		case <-ctx.Done():
			s.end()
			return nil
		case now := <-tick.C:
			for _, sub := range s.expired(now) {
				sub.end(EndUnauthenticated, refuse(CodeTokenExpired, "the token has expired: connect again with a new one"))
			}
			for _, sub := range s.sunset(now) {
				sub.end(EndError, refuse(CodeVersionSunset, "version "+sub.view.Name+" of the schema has ended: subscribe in another"))
			}
			if now.Sub(looked) >= lookAtKeys && s.pipeline.KeyEnded != nil {
				looked = now
				s.endRevoked(ctx)
			}
		}
	}
}

// endRevoked ends the subscriptions of API keys that are good no longer.
func (s *Streams) endRevoked(ctx context.Context) {
	holders := map[string][]*Subscription{}
	s.mu.Lock()
	for sub := range s.members {
		if id := sub.payer.KeyID; id != "" {
			holders[id] = append(holders[id], sub)
		}
	}
	s.mu.Unlock()
	for id, subs := range holders {
		if !s.pipeline.KeyEnded(ctx, id) {
			continue
		}
		for _, sub := range subs {
			sub.end(EndUnauthenticated, refuse(CodeTokenExpired, "the API key is no longer good"))
		}
	}
}

func (s *Streams) expired(now time.Time) (list []*Subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sub := range s.members {
		if !sub.expires.IsZero() && !now.Before(sub.expires) {
			list = append(list, sub)
		}
	}
	return list
}

// sunset lists the members whose version of the schema has ended.
func (s *Streams) sunset(now time.Time) (list []*Subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sub := range s.members {
		if sub.view.Version.Ended(now) {
			list = append(list, sub)
		}
	}
	return list
}

// end tells every member that this server stops, and waits for what runs.
func (s *Streams) end() {
	s.mu.Lock()
	s.ended = true
	var all []*Subscription
	for sub := range s.members {
		all = append(all, sub)
	}
	s.mu.Unlock()
	for _, sub := range all {
		sub.end(EndDraining, refuse(CodeDraining, "this server stops: connect again"))
	}
	s.running.Wait()
}

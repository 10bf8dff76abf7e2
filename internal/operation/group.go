package operation

import (
	"context"
	"runtime"
	"slices"
	"sync"
)

// shardMembers is from how many members on a payload is handed out by several goroutines.
const shardMembers = 256

// group is the members that are answered alike. It has a feed of its own.
type group struct {
	streams *Streams
	groupOf
	feed   Feed
	cancel context.CancelFunc

	mu       sync.Mutex
	members  []*Subscription
	waiting  int   // members that catch up to join it
	position int64 // of the last event that was handed out
	closed   bool
}

// groupOf is what a group answers.
type groupOf struct {
	key  groupKey
	op   *Prepared
	call Call // of the first member: the others have the same rights
}

// catchUp has a member read a feed of its own until it has all that its group had, and then joins it to the group.
func (s *Streams) catchUp(ctx context.Context, sub *Subscription, of groupOf, feed Feed) {
	defer feed.Close()
	defer s.waitFor(sub, nil)
	position, cursor := feed.Position()
	sub.pass(position, cursor)
	for !s.join(ctx, sub, of, feed) {
		item, err := feed.Next(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			sub.end(failed(err))
			return
		}
		payload, said := s.payload(ctx, of.op, of.call, item)
		if !said {
			sub.pass(item.Position, item.Cursor)
		} else if !sub.deliver(item.Position, payload) {
			return
		}
	}
}

// join makes the member one of its group, if it has as much as the group has; the group is made if there is none.
func (s *Streams) join(ctx context.Context, sub *Subscription, of groupOf, feed Feed) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false // it is told soon
	}
	g := s.groups[of.key]
	if g == nil {
		var result *Result
		if g, result = s.newGroup(ctx, of); result != nil {
			return false // it stays on its own feed
		}
	}
	s.waitForLocked(sub, g)
	position, cursor := feed.Position()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || position < g.position {
		return false
	}
	sub.mu.Lock()
	defer sub.mu.Unlock()
	if sub.gone {
		return true
	}
	sub.position, sub.cursor, sub.group, sub.cancel = max(position, sub.position), cursor, g, nil
	g.members = append(g.members, sub)
	return true
}

// waitFor notes which group a member catches up with; nil: none any more. A group that has nobody else ends.
func (s *Streams) waitFor(sub *Subscription, g *group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waitForLocked(sub, g)
}

func (s *Streams) waitForLocked(sub *Subscription, g *group) {
	before := sub.waits
	if before == g {
		return
	}
	if sub.waits = g; g != nil {
		g.mu.Lock()
		g.waiting++
		g.mu.Unlock()
	}
	if before != nil {
		before.mu.Lock()
		before.waiting--
		before.endIfEmptyLocked()
		before.mu.Unlock()
	}
}

// endIfEmptyLocked ends a group that nobody belongs to or waits for; the caller holds mu and that of the streams.
func (g *group) endIfEmptyLocked() {
	if len(g.members) > 0 || g.waiting > 0 {
		return
	}
	g.closed = true
	if g.streams.groups[g.key] == g {
		delete(g.streams.groups, g.key)
	}
	g.cancel()
}

// newGroup starts a group. Its feed begins now.
func (s *Streams) newGroup(ctx context.Context, of groupOf) (*group, *Result) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	feed, result := s.open(ctx, of.op, of.call, false)
	if result != nil {
		cancel()
		return nil, result
	}
	g := &group{streams: s, groupOf: of, feed: feed, cancel: cancel}
	g.position, _ = feed.Position()
	s.groups[of.key] = g
	s.running.Go(func() { g.run(ctx) })
	return g, nil
}

// run hands out what the feed gives until the last member has left or the feed ends.
func (g *group) run(ctx context.Context) {
	defer g.feed.Close()
	for {
		item, err := g.feed.Next(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			g.fail(err)
			return
		}
		if g.passes(item.Position) {
			continue
		}
		payload, said := g.streams.payload(ctx, g.op, g.call, item)
		g.mu.Lock()
		g.position = item.Position
		members := slices.Clone(g.members)
		g.mu.Unlock()
		if said {
			handOut(members, item.Position, payload)
		} else {
			for _, sub := range members {
				sub.pass(item.Position, item.Cursor)
			}
		}
	}
}

// passes says whether nobody is there to hear of an event: who joins later has to have it.
func (g *group) passes(position int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.members) > 0 {
		return false
	}
	g.position = position
	return true
}

// handOut delivers one payload to all members, with as many goroutines as there are cores when they are many.
func handOut(members []*Subscription, position int64, payload Payload) {
	if len(members) < shardMembers {
		for _, sub := range members {
			sub.deliver(position, payload)
		}
		return
	}
	var shards sync.WaitGroup
	size := (len(members) + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0)
	for shard := range slices.Chunk(members, size) {
		shards.Go(func() {
			for _, sub := range shard {
				sub.deliver(position, payload)
			}
		})
	}
	shards.Wait()
}

// fail ends all members.
func (g *group) fail(err error) {
	g.streams.forget(g)
	g.mu.Lock()
	g.closed = true
	members := slices.Clone(g.members)
	g.mu.Unlock()
	for _, sub := range members {
		sub.end(failed(err))
	}
}

// remove takes a member out; the last one ends the group.
func (g *group) remove(sub *Subscription) {
	g.streams.mu.Lock()
	defer g.streams.mu.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.members, sub); i >= 0 {
		g.members = slices.Delete(g.members, i, i+1)
	}
	g.endIfEmptyLocked()
}

// forget has later members make a new group.
func (s *Streams) forget(g *group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groups[g.key] == g {
		delete(s.groups, g.key)
	}
}

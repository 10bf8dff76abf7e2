package operation

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// shardMembers is from how many members on a payload is handed out by several goroutines.
const shardMembers = 256

// group is the members that are answered alike. It has a feed of its own.
type group struct {
	streams *Streams
	key     groupKey
	op      *Prepared
	call    Call // of the first member: the others have the same rights
	feed    Feed
	cancel  context.CancelFunc
	busy    atomic.Bool

	mu       sync.Mutex
	members  []*Subscription
	position int64 // of the last event that was handed out
	closed   bool
}

// idle says whether everything that the feed gave has been handed out.
func (g *group) idle() bool { return !g.busy.Load() }

// catchUp has a member read a feed of its own until it has all that its group had, and then joins it to the group.
func (s *Streams) catchUp(sub *Subscription, key groupKey, feed Feed) {
	defer feed.Close()
	position, cursor := feed.Position()
	sub.pass(position, cursor)
	for !s.join(sub, key, feed) {
		item, err := feed.Next(sub.ctx)
		if sub.ctx.Err() != nil {
			return
		}
		if err != nil {
			sub.end(failed(err))
			return
		}
		payload, said := s.payload(sub.ctx, sub.op, sub.call, item)
		if !said {
			sub.pass(item.Position, item.Cursor)
		} else if !sub.deliver(item.Position, payload) {
			return
		}
	}
}

// join makes the member one of its group, if it has as much as the group has; the group is made if there is none.
func (s *Streams) join(sub *Subscription, key groupKey, feed Feed) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false // it is told soon
	}
	g := s.groups[key]
	if g == nil {
		var result *Result
		if g, result = s.newGroup(sub, key); result != nil {
			return false // it stays on its own feed
		}
	}
	position, cursor := feed.Position()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || position < g.position {
		return false
	}
	sub.mu.Lock()
	defer sub.mu.Unlock()
	if sub.gone {
		if len(g.members) == 0 { // it was made for nobody
			g.closed = true
			delete(s.groups, key)
			g.cancel()
		}
		return true
	}
	sub.position, sub.cursor, sub.group = max(position, sub.position), cursor, g
	g.members = append(g.members, sub)
	return true
}

// newGroup starts a group for those who ask what a member asks. Its feed begins now.
func (s *Streams) newGroup(sub *Subscription, key groupKey) (*group, *Result) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(sub.ctx))
	feed, result := s.open(ctx, sub.op, sub.call, false)
	if result != nil {
		cancel()
		return nil, result
	}
	g := &group{streams: s, key: key, op: sub.op, call: sub.call, feed: feed, cancel: cancel}
	g.position, _ = feed.Position()
	s.groups[key] = g
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
		g.busy.Store(true)
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
		g.busy.Store(false)
	}
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
	if len(g.members) == 0 {
		g.closed = true
		if g.streams.groups[g.key] == g {
			delete(g.streams.groups, g.key)
		}
		g.cancel()
	}
}

// forget has later members make a new group.
func (s *Streams) forget(g *group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groups[g.key] == g {
		delete(s.groups, g.key)
	}
}

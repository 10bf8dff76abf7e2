package clients

import "strings"

// Change is what an event, or a write through the gateway, says happened to one entity. The owners are those whose lists and
// counts it may have entered or left, old and new ones; what a change cannot name costs more than the change: where an owner
// that every such entity has is missing, all lists of the service are dropped.
type Change struct {
	Kind    string // user, post, comment or follow
	ID      string // of a follow: follower:followee; *: after a bulk write everything of the kind may be out of date
	Version int    // of the entity, after the change; 0: not known
	Type    string // of the event, such as post.published; an unknown one may have changed any list of the owners
	Mark    string // tells changes of one entity apart whose Version is 0; else empty

	AuthorIDs []string // of posts and comments; may be empty for a comment
	PostIDs   []string // of comments
	ParentIDs []string // of comments; empty for one at the top level
	Handles   []string // of users: those taken by the change; what is given up shows by itself

	Moved bool // it has another author than before; AuthorIDs names both
	Draft bool // of posts: only the author could see it, before and after
	Gone  bool // deleted, hidden, unpublished or redacted: never to be served stale in an earlier version
}

// verb is the type without the kind.
func (c *Change) verb() string {
	_, verb, _ := strings.Cut(c.Type, ".")
	return verb
}

// Apply drops what the changes have made out of date, and nothing else: the entities, and the windows and counts that they
// can alter. An entity that is cached in the version of its change, or a later one, is kept. When Apply has returned, no
// read that begins answers from before the changes, nor do reads under way leave anything behind; an older version that a
// service still answers is not cached, and shown as stale only. A change of unknown Kind is ignored. Safe for concurrent
// use.
func (c *Clients) Apply(changes []Change) {
	for _, change := range changes {
		c.apply(change)
		c.applied.add(change)
	}
}

// ApplyOnce is Apply but for the changes that were applied before, or written through these Clients, as far as that is
// remembered: the last few thousand are. It is for changes learnt again and again, such as a caller's recent writes through
// another replica. A change with neither Version nor Mark is applied every time.
func (c *Clients) ApplyOnce(changes []Change) {
	for _, change := range changes {
		c.applied.once(change, c.apply)
	}
}

// Forget drops everything of a service, for when events of it may have been missed: nothing read before is shown again, not
// even in an outage. An unknown name is ignored. Safe for concurrent use.
func (c *Clients) Forget(service string) {
	if s := c.named(service); s != nil {
		s.gens.withdrawAll()
	}
}

// Changes grows with every Apply, Forget and write, before it returns: an answer whose reading began at the same number, or a higher one,
// is of no earlier state. Safe for concurrent use.
func (c *Clients) Changes() (sum uint64) {
	for _, s := range c.services {
		sum += s.gens.current()
	}
	return sum
}

func (c *Clients) apply(change Change) {
	if change.ID == anyID {
		c.applyAny(change)
		return
	}
	switch change.Kind {
	case "user":
		c.Users.entities.apply(change)
	case "post":
		c.Posts.entities.apply(change)
	case "comment":
		c.Comments.entities.apply(change)
	case "follow":
		c.Followers.apply(change)
	}
}

// apply invalidates an entity with the lists and counts it stands in, and takes note of its version.
func (e *entities[K, V]) apply(change Change) {
	id, since := K(change.ID), uint64(0)
	if known := e.batch.svc.cache.get(cacheKey{e.kind, change.ID}); known != nil {
		since = known.epoch
	}
	epoch, alone := e.overtake(since, change)
	e.announce(id, announcement{version: change.Version, gone: change.Gone, quiet: change.verb() == "snapshot",
		epoch: epoch, since: since, alone: alone})
}

// overtake invalidates an entity with the lists and counts that a change of it can alter. For the results see
// generations.invalidate.
func (e *entities[K, V]) overtake(since uint64, change Change) (epoch uint64, alone bool) {
	gens := &e.batch.svc.gens
	lists, known := e.touched(change)
	epoch, alone = gens.invalidate(since, tagOf(e.kind, change.ID), lists...)
	if !known {
		gens.invalidateAll()
	}
	return epoch, alone
}

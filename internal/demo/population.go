package demo

import (
	"cmp"
	"slices"
	"time"
)

// The size of the seeded network.
const (
	seedUserCount    = 1_000
	seedPostCount    = 5_000
	seedCommentCount = 20_000
	seedFollowCount  = 15_000
	seedTombstones   = 120
	seedAnonymous    = 40
)

const day = stamp(24 * time.Hour)

// seedEnd is when the seeded year ends. It is fixed, so that the seed is the same on every day.
var seedEnd = stampOf(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC))

// population is the skeleton of the seeded network: who did what when, without the words. Indices point into the
// slices; an entity's id is its index plus one.
type population struct {
	users    []stamp // when they joined; the first have the most of everything
	posts    []seedPost
	comments []seedComment
	follows  []seedFollow
}

type seedPost struct {
	author int
	at     stamp
	draft  bool
}

// seedComment: parent and author are -1 where there is none.
type seedComment struct {
	post, parent, author int
	at                   stamp
	deleted              bool
	replies              int
	depth                int
}

type seedFollow struct {
	from, to int
	at       stamp
}

func newPopulation() *population {
	p := &population{}
	p.join()
	p.publish()
	p.discuss()
	p.connect()
	return p
}

// join spreads the users' first days over the year: those with the most of everything came early.
func (p *population) join() {
	d := throw("join", 0)
	for i := range seedUserCount {
		latest := 340 * day / seedUserCount * stamp(i+20)
		p.users = append(p.users, seedEnd-365*day+stamp(d.below(int64(latest))))
	}
}

// publish gives users posts by a power law, each at a time after the author joined.
func (p *population) publish() {
	d := throw("publish", 0)
	authors := powerLaw(seedUserCount, 6)
	for range seedPostCount {
		author := authors.rank(d)
		at := p.after(d, p.users[author])
		p.posts = append(p.posts, seedPost{author: author, at: at, draft: d.chance(3)})
	}
	slices.SortFunc(p.posts, func(a, b seedPost) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.author, b.author)) })
}

// after returns a moment between at and the end of the year.
func (p *population) after(d *dice, at stamp) stamp {
	return at + 1 + stamp(d.below(int64(seedEnd-at-1)))
}

// soonAfter returns a moment after at that is more often minutes than weeks away.
func (p *population) soonAfter(d *dice, at stamp) stamp {
	scale := pick(d, []stamp{stamp(time.Hour), stamp(8 * time.Hour), day, 3 * day, 20 * day})
	soon := at + 1 + stamp(d.below(int64(scale)))
	if soon >= seedEnd {
		return p.after(d, at)
	}
	return soon
}

// discuss gives published posts comments by a power law; two in five answer an earlier one.
func (p *population) discuss() {
	d := throw("discuss", 0)
	var public []int
	for i, post := range p.posts {
		if !post.draft {
			public = append(public, i)
		}
	}
	public = shuffle(d, public)
	popularity := powerLaw(len(public), 12)
	authors := powerLaw(seedUserCount, 10)
	byPost := make([][]int, len(p.posts))
	for i := range seedCommentCount {
		c := seedComment{post: public[popularity.rank(d)], parent: -1}
		earlier := byPost[c.post]
		if len(earlier) > 0 && d.chance(40) {
			if parent := pick(d, earlier); p.comments[parent].depth < 7 {
				c.parent, c.depth = parent, p.comments[parent].depth+1
			}
		}
		if c.parent >= 0 {
			c.at = p.soonAfter(d, p.comments[c.parent].at)
		} else {
			c.at = p.soonAfter(d, p.posts[c.post].at)
		}
		c.author = p.commenter(d, authors, c)
		p.comments = append(p.comments, c)
		byPost[c.post] = append(earlier, i)
	}
	p.orderComments()
	p.withdraw()
}

// commenter draws a user who had joined by then, in the last resort the author of the post.
func (p *population) commenter(d *dice, authors law, c seedComment) int {
	for range 20 {
		if author := authors.rank(d); p.users[author] < c.at {
			return author
		}
	}
	return p.posts[c.post].author
}

// orderComments sorts the comments by time, so that ids grow with it, and turns the parents' indices along.
func (p *population) orderComments() {
	order := make([]int, len(p.comments))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(p.comments[a].at, p.comments[b].at), cmp.Compare(a, b)) })
	place := make([]int, len(order))
	sorted := make([]seedComment, len(order))
	for to, from := range order {
		place[from], sorted[to] = to, p.comments[from]
	}
	for i := range sorted {
		if sorted[i].parent >= 0 {
			sorted[i].parent = place[sorted[i].parent]
			sorted[sorted[i].parent].replies++
		}
	}
	p.comments = sorted
}

// withdraw deletes some comments that have replies and takes the name off some others.
func (p *population) withdraw() {
	d := throw("withdraw", 0)
	for deleted := 0; deleted < seedTombstones; {
		if c := &p.comments[d.below(seedCommentCount)]; c.replies > 0 && !c.deleted {
			c.deleted, c.author = true, -1
			deleted++
		}
	}
	for anonymous := 0; anonymous < seedAnonymous; {
		if c := &p.comments[d.below(seedCommentCount)]; c.author >= 0 {
			c.author = -1
			anonymous++
		}
	}
}

// connect draws follow edges: the followed by a power law, the followers by a flatter one.
func (p *population) connect() {
	d := throw("connect", 0)
	followed, following := powerLaw(seedUserCount, 5), powerLaw(seedUserCount, 60)
	stands := map[[2]int]bool{}
	for len(p.follows) < seedFollowCount {
		from, to := following.rank(d), followed.rank(d)
		if from == to || stands[[2]int{from, to}] {
			continue
		}
		stands[[2]int{from, to}] = true
		p.follows = append(p.follows, seedFollow{from: from, to: to, at: p.after(d, max(p.users[from], p.users[to]))})
	}
}

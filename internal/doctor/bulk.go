package doctor

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// bulk describes the writes to everything under one name.
type bulk struct {
	base  string // path in front of the name
	verb  string // what takes things away from sight: hide, anonymise or remove
	setup func(ctx context.Context, who string) error
	count int64 // of what setup makes
	// state reads everything under a name, by id; state of what was purged may leave things out.
	state func(ctx context.Context, who string) (map[string]item, error)
	// taken judges what stands under the name after the verb, by what stood there before.
	taken func(ctx context.Context, before, after map[string]item) error
	stays []string // members that restore brings back as they were
}

// bulks runs the checks of the bulk writes, each on names of its own.
func (s *inspection) bulks(ctx context.Context, b bulk) {
	s.bulkUndone(ctx, b, b.verb, nil, b.taken)
	s.bulkUndone(ctx, b, "transfer", map[string]string{"to": "heir"}, func(ctx context.Context, before, after map[string]item) error {
		heir, err := b.state(ctx, s.name("heir"))
		if err != nil {
			return err
		}
		if len(after) != 0 || len(heir) != len(before) {
			return sawInstead("", "all "+strconv.Itoa(len(before))+" with the heir and none left", "%d there, %d left", len(heir), len(after))
		}
		return nil
	})
	s.bulkPurge(ctx, b)
	s.writing(ctx, b.verb+"-all.replayed", func(ctx context.Context) error {
		who := s.name(b.verb + "-again")
		if err := b.setup(ctx, who); err != nil {
			return err
		}
		r := s.bulkRequest(b, who, b.verb, nil)
		r.header[keyHeader] = s.key()
		return s.replays(ctx, r, http.StatusOK)
	})
	s.writing(ctx, "transfer-all.invalid", func(ctx context.Context) error {
		want := refusal{member: "to", codes: []string{"REQUIRED"}}
		return s.invalid(ctx, s.bulkRequest(b, s.name("nobody"), "transfer", map[string]string{}), want)
	})
	s.bodies(ctx, "transfer-all", http.MethodPost, b.base+s.name("nobody")+"/transfer", "Affected")
	s.fencing(ctx, undoable{idle: http.StatusOK, setup: func(context.Context) (do, undo request, err error) {
		who := s.name("fenced")
		return s.bulkRequest(b, who, b.verb, nil), s.bulkRequest(b, who, "restore", nil), nil
	}})
}

func (s *inspection) bulkRequest(b bulk, who, verb string, body map[string]string) request {
	var sent any
	if body != nil {
		body = maps.Clone(body)
		if _, ok := body["to"]; ok {
			body["to"] = s.name("heir")
		}
		sent = body
	}
	return s.change("bulk", http.MethodPost, b.base+who+"/"+verb, "Affected", sent, nil)
}

// affects sends a bulk write and holds it to the number of things it changes.
func (s *inspection) affects(ctx context.Context, r request, want int64) error {
	ans, err := s.apply(ctx, r, http.StatusOK)
	if err != nil {
		return err
	}
	if got, _ := integer(ans.tree["affected"]); got != want {
		return sawInstead("", "affected "+strconv.FormatInt(want, 10), "%d", got)
	}
	return nil
}

// bulkUndone checks a verb that restore takes back: it takes all, a second call nothing, and restore brings all back.
func (s *inspection) bulkUndone(ctx context.Context, b bulk, verb string, body map[string]string, taken func(context.Context, map[string]item, map[string]item) error) {
	name, who := verb+"-all", "doctor-"+s.run+"-"+verb
	var before map[string]item
	s.writing(ctx, name+".affected", func(ctx context.Context) error {
		s.name(verb)
		if err := b.setup(ctx, who); err != nil {
			return err
		}
		stood, err := b.state(ctx, who)
		if err != nil {
			return err
		}
		if err := s.affects(ctx, s.bulkRequest(b, who, verb, body), b.count); err != nil {
			return err
		}
		before = stood
		after, err := b.state(ctx, who)
		if err != nil {
			return err
		}
		return taken(ctx, before, after)
	})
	s.writing(ctx, name+".again", s.behind(name+".affected", func(ctx context.Context) error {
		return s.affects(ctx, s.bulkRequest(b, who, verb, body), 0)
	}))
	s.writing(ctx, name+".restored", s.behind(name+".affected", func(ctx context.Context) error {
		if err := s.affects(ctx, s.bulkRequest(b, who, "restore", nil), b.count); err != nil {
			return err
		}
		after, err := b.state(ctx, who)
		if err != nil {
			return err
		}
		return restored(before, after, b.stays)
	}))
	s.writing(ctx, name+".restored-again", s.behind(name+".restored", func(ctx context.Context) error {
		return s.affects(ctx, s.bulkRequest(b, who, "restore", nil), 0)
	}))
}

// behind skips a step that rests on another unless that one passed.
func (s *inspection) behind(name string, test func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if outcome, judged := s.outcome[name]; !judged || outcome != Pass {
			return skipf("%s.%s did not pass", s.service, name)
		}
		return test(ctx)
	}
}

// restored holds what stands under a name to what stood there before.
func restored(before, after map[string]item, members []string) error {
	for _, id := range slices.Sorted(maps.Keys(before)) {
		now, ok := after[id]
		if !ok {
			return sawInstead("", id+" back", "it is not there")
		}
		for _, member := range members {
			if !sameJSON(before[id].members[member], now.members[member]) {
				return sawInstead("", member+" of "+id+" as it was", "another")
			}
		}
	}
	if len(after) != len(before) {
		return sawInstead("", plural(len(before), "thing")+" as before", "%d", len(after))
	}
	return nil
}

// bulkPurge checks that a purge erases everything, with what was kept to undo.
func (s *inspection) bulkPurge(ctx context.Context, b bulk) {
	who := "doctor-" + s.run + "-purge"
	s.writing(ctx, "purge-all.affected", func(ctx context.Context) error {
		s.name("purge")
		if err := b.setup(ctx, who); err != nil {
			return err
		}
		if err := s.affects(ctx, s.bulkRequest(b, who, "purge", nil), b.count); err != nil {
			return err
		}
		after, err := b.state(ctx, who)
		if err == nil && len(after) != 0 {
			err = sawInstead("", "nothing left under the name", "%d", len(after))
		}
		return err
	})
	s.writing(ctx, "purge-all.again", s.behind("purge-all.affected", func(ctx context.Context) error {
		return s.affects(ctx, s.bulkRequest(b, who, "purge", nil), 0)
	}))
	s.writing(ctx, "purge-all.final", s.behind("purge-all.affected", func(ctx context.Context) error {
		return s.affects(ctx, s.bulkRequest(b, who, "restore", nil), 0)
	}))
}

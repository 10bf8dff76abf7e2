package doctor

import (
	"context"
	"net/url"
	"strings"
)

func userList() endpoint {
	return endpoint{name: "list", path: "/users", schema: "UserPage", at: "createdAt", by: "id", rules: []rule{{
		name: "active-only",
		test: func(it item, _ string, _ url.Values) error {
			if status := it.text("status"); status != "active" {
				return sawInstead("", "active users only", "status %s", status)
			}
			return nil
		},
	}}}
}

func userBatch() endpoint {
	return endpoint{name: "batch", path: "/users", keys: "ids", schema: "UserBatch", at: "createdAt", by: "id"}
}

func userHandles() endpoint {
	return endpoint{
		name: "handles", path: "/users", keys: "handles", schema: "UserBatch", at: "createdAt", by: "id", folded: true,
		label: func(it item) string { return it.text("handle") },
	}
}

// userReads runs the checks that only read, and finds samples for the services behind.
func (s *inspection) userReads(ctx context.Context) {
	list, batch, handles := userList(), userBatch(), userHandles()
	s.declareList(list)
	s.declareReads(batch, ruleOnlyAsked)
	s.declareReads(handles, ruleOnlyAsked)
	s.problems(ctx, "/users/"+unknownID(0)+"/freeze")
	s.userFixtures(ctx)

	items, missing := s.gather(ctx, list, nil, "no users are known")
	s.samples.users = ids(items)
	s.paging(ctx, sequence{name: list.name, fetch: func(ctx context.Context, query url.Values) (page, error) {
		return s.list(ctx, list, query)
	}})
	s.refusals(ctx, list)
	known := sampled{items: items, missing: missing, names: func(it item) string { return it.id }}
	s.batches(ctx, batch, known, unknownID, nil)
	s.keyRefusals(ctx, batch, unknownID, malformedIDs())
	s.check(ctx, "batch.ids-and-handles", func(ctx context.Context) error { return s.exclusive(ctx, batch, "ids", "handles") })

	known.names = handles.label
	s.batches(ctx, handles, known, unknownHandle, nil)
	s.steady(ctx, "handles.any-case", func(ctx context.Context) error {
		_, names, err := known.take(1)
		if err != nil {
			return err
		}
		return s.amount(ctx, handles, []string{strings.ToUpper(names[0]), names[0]}, 1, nil)
	})
	s.keyRefusals(ctx, handles, unknownHandle, nil)
}

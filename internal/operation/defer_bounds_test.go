package operation_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"tributary/clients"
	"tributary/internal/auth"
	"tributary/internal/operation"
)

func TestEachDeferredPartIsPaidFor(t *testing.T) {
	onBoth(t, func(t *testing.T, s *stage, _ *people) {
		const posts = `posts(first: 10) { nodes { id author { id } } }`
		one := s.Run(t.Context(), s.prepare(t, `{ user(id: "user_1") { `+posts+` } }`, nil), operation.Call{}).Cost
		none := s.Run(t.Context(), s.prepare(t, `{ user(id: "user_1") { id } }`, nil), operation.Call{}).Cost
		var seen operation.Cost
		s.Observe = func(_ context.Context, _ *operation.Prepared, r *operation.Result, _ time.Duration) { seen = r.Cost }
		query := `{ user(id: "user_1") { id ` + strings.Repeat(`... @defer { `+posts+` } `, 16) + `} }`
		s.deferred(t, query, nil, auth.Viewer{})
		if want := (operation.Cost{Requested: none.Requested + 16*one.Requested, Actual: none.Actual + 16*one.Actual}); seen != want {
			t.Errorf("16 times %+v and %+v is %+v", one, none, seen)
		}
		s.MaxCost = 15 * one.Requested
		result := s.RunDeferred(t.Context(), s.prepare(t, query, nil), operation.Call{}, func(*operation.Part) error { return nil })
		if result == nil || result.Outcome != operation.Refused || result.Errors[0].Extensions["code"] != operation.CodeCostLimitExceeded {
			t.Errorf("%+v", result)
		}
	})
}

func TestLongLabelsAreNotValid(t *testing.T) {
	s := newStage(t, &root{})
	for bytes, valid := range map[int]bool{256: true, 257: false} {
		query := fmt.Sprintf(`{ user(id: "user_1") { ... @defer(label: %q) { id } } }`, strings.Repeat("x", bytes))
		_, errs := s.Prepare(s.view, operation.Request{Query: query})
		if valid != (errs == nil) || !valid && errs[0].Extensions["code"] != operation.CodeValidationFailed {
			t.Errorf("%d bytes: %v", bytes, errs)
		}
	}
}

func TestPartsOfTooManyFieldsAreAnsweredAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *stage, _ *people) {
		query := func(fields int) string {
			return `{ user(id: "user_1") { ... @defer { id } ...F ...F @defer } } fragment F on User { ` + strings.Repeat("name ", fields) + `}`
		}
		// Three times the user and an id are on top of the two Fs.
		if got := s.deferred(t, query(998), nil, auth.Viewer{}); len(got) != 3 {
			t.Errorf("%q", got)
		}
		if got := s.deferred(t, query(999), nil, auth.Viewer{}); !slices.Equal(got, []string{`{"user":{"id":"user_1","name":"user 1"}}`}) {
			t.Errorf("%q", got)
		}
	})
}

// TestNothingFollowsWhatIsTooLarge has the labels and paths of many small objects be more than may be sent.
func TestNothingFollowsWhatIsTooLarge(t *testing.T) {
	onBoth(t, func(t *testing.T, s *stage, p *people) {
		s.MaxResponseBytes = 1000
		p.email = func(context.Context, clients.UserID) (*string, error) { return nil, errors.New("no") }
		label := strings.Repeat("l", 200)
		query := `{ user(id: "user_1") { posts(first: 9) { nodes { ... @defer(label: "` + label + `") { title author { email } } } } } }`
		got := s.deferred(t, query, nil, auth.Viewer{})
		if len(got) != 2 || strings.Count(got[1], label) != 4 || strings.Count(got[1], operation.CodeResponseTooLarge) != 1 || !strings.HasSuffix(got[1], "|null ! RESPONSE_TOO_LARGE]") {
			t.Errorf("%q", got)
		}
	})
}

func TestExtensionsOfAPartWithoutDataAreSent(t *testing.T) {
	onBoth(t, func(t *testing.T, s *stage, _ *people) {
		scope := s.Scope
		s.Scope = func(ctx context.Context) context.Context {
			graphql.RegisterExtension(ctx, "note", "told")
			return scope(ctx)
		}
		var notes []any
		s.RunDeferred(t.Context(), s.prepare(t, `{ user(id: "user_1") { id ... on Node { ... on Post @defer { title } } } }`, nil), operation.Call{}, func(part *operation.Part) error {
			for _, each := range part.Increments {
				notes = append(notes, string(each.Data), each.Extensions["note"])
			}
			return nil
		})
		if !slices.Equal(notes, []any{"{}", "told"}) {
			t.Errorf("%v", notes)
		}
	})
}

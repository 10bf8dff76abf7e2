package version

import (
	"errors"
	"fmt"
	"math"

	"github.com/vektah/gqlparser/v2/ast"
)

// span is from which version to which an element is there, both included.
type span struct{ since, until int }

var always = span{1, math.MaxInt}

func (s span) has(version int) bool { return s.since <= version && version <= s.until }

// holds says whether an element is there whenever another is.
func (s span) holds(other span) bool { return s.since <= other.since && other.until <= s.until }

// within is when an element is there that stands in another.
func (s span) within(outer span) span {
	return span{max(s.since, outer.since), min(s.until, outer.until)}
}

// spanOf reads the directives of an element.
func spanOf(directives ast.DirectiveList) (s span, err error) {
	s = always
	if since := directives.ForName(directiveSince); since != nil {
		if s.since, err = number(since, "version"); err != nil {
			return s, fmt.Errorf("@since: %w", err)
		}
	}
	if until := directives.ForName(directiveUntil); until != nil {
		if s.until, err = number(until, "version"); err != nil {
			return s, fmt.Errorf("@until: %w", err)
		}
	}
	if s.since > s.until {
		return s, errors.New("@until names a version before that of @since")
	}
	return s, nil
}

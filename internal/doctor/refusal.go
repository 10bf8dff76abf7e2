package doctor

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// refused holds a read to answering 400.
func (s *inspection) refused(ctx context.Context, ep endpoint, keys []string, query url.Values) error {
	_, err := s.expect(ctx, ep.request(keys, query), http.StatusBadRequest)
	return err
}

// eachRefused holds every value of a parameter to being answered 400.
func (s *inspection) eachRefused(ctx context.Context, ep endpoint, param string, values ...string) error {
	keys := []string{unknownID(0)}
	if param == ep.keys {
		keys = nil
	}
	for _, value := range values {
		if err := s.refused(ctx, ep, keys, url.Values{param: {value}}); err != nil {
			return err
		}
	}
	return nil
}

// refusals runs the checks of malformed parameters of a paged endpoint.
func (s *inspection) refusals(ctx context.Context, ep endpoint) {
	s.check(ctx, ep.name+".limit-refused", func(ctx context.Context) error {
		return s.eachRefused(ctx, ep, "limit", "0", "-1", "501", "many", "1.5")
	})
	s.check(ctx, ep.name+".cursor-refused", func(ctx context.Context) error {
		encode := base64.RawURLEncoding.EncodeToString
		for _, param := range []string{"after", "before"} {
			err := s.eachRefused(ctx, ep, param, "*", encode([]byte("nothing")), encode([]byte("yesterday|"+unknownID(0))))
			if err != nil {
				return err
			}
		}
		return nil
	})
	s.check(ctx, ep.name+".from-refused", func(ctx context.Context) error {
		return s.eachRefused(ctx, ep, "from", "middle")
	})
	if ep.keys != "" {
		s.keyRefusals(ctx, ep, unknownID, malformedIDs())
	}
}

func malformedIDs() []string {
	return []string{"a b", "a/b", "ä", strings.Repeat("a", 65)}
}

// keyRefusals runs the checks of what a batch read may not be asked.
func (s *inspection) keyRefusals(ctx context.Context, ep endpoint, unknown func(n int) string, malformed []string) {
	if len(malformed) > 0 {
		s.check(ctx, ep.name+".malformed-refused", func(ctx context.Context) error {
			return s.eachRefused(ctx, ep, ep.keys, malformed...)
		})
	}
	s.check(ctx, ep.name+".too-many-refused", func(ctx context.Context) error {
		keys := make([]string, 501)
		for n := range keys {
			keys[n] = unknown(n)
		}
		return s.refused(ctx, ep, keys, nil)
	})
}

func unknownHandle(n int) string { return "zz_" + unknownID(n)[2:] }

func unknownPair(n int) string { return unknownID(n) + ":" + unknownID(9000) }

// exclusive holds two parameters that may not stand together to being answered 400.
func (s *inspection) exclusive(ctx context.Context, ep endpoint, first, second string) error {
	query := url.Values{}
	for n, param := range []string{first, second} {
		query.Set(param, unknownID(n))
	}
	return s.refused(ctx, ep, nil, query)
}

// problems runs the checks of what no service knows.
func (s *inspection) problems(ctx context.Context, postOnly string) {
	s.declare(ruleProblem, ruleProblemCT)
	s.check(ctx, "problem.unknown-path", func(ctx context.Context) error {
		_, err := s.expect(ctx, request{name: "problem", method: http.MethodGet, path: "/no-such-path"}, http.StatusNotFound)
		return err
	})
	s.check(ctx, "problem.method", func(ctx context.Context) error {
		ans, err := s.expect(ctx, request{name: "problem", method: http.MethodGet, path: postOnly}, http.StatusMethodNotAllowed)
		if err != nil {
			return err
		}
		if code, _ := ans.tree["code"].(string); code != "METHOD_NOT_ALLOWED" {
			return sawInstead("", "code METHOD_NOT_ALLOWED", "%s", quote(code))
		}
		if allow := ans.header.Get("Allow"); !strings.Contains(allow, http.MethodPost) {
			return sawInstead("", "Allow with "+http.MethodPost, "Allow %s", quote(allow))
		}
		return nil
	})
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/operation"
)

// deferredOperations each defer something else. Without their @defer they are what the merged parts have to come to.
var deferredOperations = []string{
	`{ users(first: 1) { nodes { id followers(first: 20) { ... @defer { nodes { id } } } } } }`,
	`{ users(first: 2) { nodes { followers(first: 7) { totalCount ... on FollowConnection @defer { nodes { id } edges { followedAt } pageInfo { hasNextPage } } } } } }`,
	`{ user(id: "user_u1") { a: posts(first: 3) { totalCount ... @defer { edges { cursor node { title } } } } b: posts(first: 2) { ... @defer { pageInfo { endCursor } } } } }`,
	`{ user(id: "user_u1") { ... @defer { posts(first: 3) { totalCount ... @defer { nodes { id ... @defer { comments(first: 2) { totalCount ... @defer { nodes { body } } } } } } } } } }`,
	`{ post(id: "post_p2285") { comments(first: 5) { totalCount ... @defer { nodes { id replies(first: 2) { ... @defer { nodes { id } } } } } } } }`,
	`{ posts(first: 4) { ...P @defer } } fragment P on PostConnection { nodes { ...N @defer } } fragment N on Post { title author { ...A @defer } } fragment A on User { handle }`,
	`{ user(id: "user_u1") { id ... @defer(label: "a") { ... @defer(label: "b") { ... @defer(label: "c") { name } } } } }`,
	`{ user(id: "user_u1") { ...F @defer } } fragment F on User { ...G @defer } fragment G on User { name bio }`,
	`{ user(id: "user_u1") { ... @defer { name @skip(if: true) ... @defer { handle } } } }`,
	`{ user(id: "user_u1") { ... @defer @include(if: false) { name ... @defer { handle } } ... @skip(if: true) { ... @defer { bio } } id } }`,
	`{ user(id: "user_u1") @skip(if: true) { ... @defer { name } } user(id: "user_u1") { id } }`,
	`{ nodes(ids: ["user_u1", "post_nothing", "post_p1", "comment_c1"]) { __typename ... on User @defer { name ... @defer { posts(first: 1) { nodes { id } } } } ... on Post @defer { title author { ... @defer { name } } } } }`,
	`{ nodes(ids: ["user_u1", "post_p1"]) { ... @defer { ... on User { ... on Node @defer { id } } ... on Post @defer { title } } } }`,
	`{ nodes(ids: ["user_u1", "post_p1"]) { ... on User { list: posts(first: 2) { nodes { ... @defer { title } } } } ... on Post { list: comments(first: 2) { nodes { id } } } } }`,
	`{ user(id: "user_u1") { activity(first: 6) { nodes { __typename ... on Post { ... @defer { title } } ... on Comment @defer { body post { ... @defer { id } } } } } } }`,
	`{ user(id: "user_u1") { activity(first: 4) { totalCount ... @defer { edges { cursor node { ... on Node { id } } } pageInfo { hasNextPage } } } } }`,
	`{ _entities(representations: [{ __typename: "User", id: "user_u1" }, { __typename: "Post", id: "post_p1" }, { __typename: "Robot", id: "user_u1" }]) { ... on User @defer { handle stats { ... @defer { posts } } } ... on Post { ... @defer { author { name } } } } }`,
	`{ a: user(id: "user_u1") { ...U } b: user(id: "user_u2") { ...U } none: user(id: "user_nobody") { ...U } } fragment U on User { id ... @defer { name posts(first: 1) { nodes { ... @defer { title } } } } }`,
	`{ ... @defer { user(id: "user_u1") { name ... @defer { stats { followers } } } } user(id: "user_u1") { id } }`,
	`{ ... @defer { viewer { id ... @defer { email followers(first: 2) { nodes { id } } } } } malformed: node(id: "nonsense") { id ... @defer { __typename } } }`,
	`{ user(id: "user_u2") { ... @defer { email history(first: 1) { nodes { version } } apiKeys: posts(first: 0) { nodes { id } } } } }`,
	`{ users(first: 3) { edges { cursor node { ... @defer { name } } } pageInfo { ... @defer { hasNextPage endCursor } } } ... @defer { users(first: 3) { totalCount } } }`,
	`{ __typename ... @defer { __schema { queryType { name ... @defer { kind } } } } }`,
	`mutation { a: deletePost(input: { id: "post_nothing" }) { deletedPostId ... @defer { userErrors { code field } } } b: deletePost(input: { id: "post_nobody" }) { ... @defer { userErrors { ... @defer { message } } } } }`,
	`mutation { follow(input: { userId: "user_u9" }) { ... @defer { user { handle followers(first: 3) { totalCount } ... @defer { followedByViewer } } userErrors { code } } } }`,
}

var deferDirective = regexp.MustCompile(`@defer(\([^)]*\))?`)

// TestMergedPartsAreTheWholeAnswer runs operations with @defer and without: those above, and the program's own queries with what is
// selected in them deferred at random.
func TestMergedPartsAreTheWholeAnswer(t *testing.T) {
	urls := startUpstream(t, startDemo(t, seededDir(t))).urls
	deferred := map[string]string{}
	for _, query := range deferredOperations {
		deferred[query] = deferDirective.ReplaceAllString(query, "")
	}
	for with, without := range drawDeferred(t) {
		deferred[with] = without
	}
	for _, executor := range []string{"engine", "gqlgen"} {
		t.Run(executor, func(t *testing.T) {
			g := openGateway(t, urls, func(cfg *config.Gateway) { cfg.Executor = executor })
			g.pipeline.MaxCost = 0
			for with, without := range deferred {
				want, wantErrors := g.inOnePart(t, without)
				got, gotErrors, parts := g.inParts(t, with)
				if !reflect.DeepEqual(got, want) || !slices.Equal(gotErrors, wantErrors) {
					t.Errorf("%s\nin %d parts %s %q\nin one     %s %q", with, parts, text(got), gotErrors, text(want), wantErrors)
				}
			}
		})
	}
}

// drawDeferred takes the queries of testdata and puts a part of each selection set into a deferred fragment, by chance.
func drawDeferred(t *testing.T) map[string]string {
	t.Helper()
	drawn := map[string]string{}
	files, err := filepath.Glob("testdata/queries/*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatal("no queries", err)
	}
	for n, file := range files {
		query, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(query), "rateLimit") { // tells what the operation costs
			continue
		}
		for seed := range uint64(3) {
			doc, err := parser.ParseQuery(&ast.Source{Input: string(query)})
			if err != nil {
				t.Fatal(err)
			}
			d := drawing{rand.New(rand.NewPCG(uint64(n), seed)), 12}
			for _, op := range doc.Operations {
				op.SelectionSet = d.deferSome(op.SelectionSet)
			}
			var text bytes.Buffer
			formatter.NewFormatter(&text).FormatQueryDocument(doc)
			drawn[text.String()] = string(query)
		}
	}
	return drawn
}

type drawing struct {
	*rand.Rand
	left int // fragments that may still be deferred
}

func (d *drawing) deferSome(set ast.SelectionSet) ast.SelectionSet {
	var kept, later ast.SelectionSet
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			s.SelectionSet = d.deferSome(s.SelectionSet)
		case *ast.InlineFragment:
			s.SelectionSet = d.deferSome(s.SelectionSet)
		}
		if d.left > 0 && d.IntN(3) == 0 {
			later = append(later, selection)
		} else {
			kept = append(kept, selection)
		}
	}
	if len(later) == 0 || d.left == 0 {
		return append(kept, later...)
	}
	d.left--
	return append(kept, &ast.InlineFragment{SelectionSet: later, Directives: ast.DirectiveList{{Name: "defer"}}})
}

var deferViewer = operation.Call{Viewer: auth.Viewer{UserID: "u2"}, RequestID: "test"}

func (g *gateway) inOnePart(t *testing.T, query string) (data any, errors []string) {
	t.Helper()
	op, errs := g.pipeline.Prepare(g.view, operation.Request{Query: query})
	if errs != nil {
		t.Error(query, errs)
		return nil, nil
	}
	result := g.pipeline.Run(t.Context(), op, deferViewer)
	if result.Outcome != operation.Ran {
		t.Fatal(query, result.Errors)
	}
	return decodedAny(t, result.Data), placesOf(result.Errors)
}

// inParts merges the parts of an answer as a client does.
func (g *gateway) inParts(t *testing.T, query string) (data any, errors []string, parts int) {
	t.Helper()
	op, errs := g.pipeline.Prepare(g.view, operation.Request{Query: query})
	if errs != nil {
		t.Error(query, errs)
		return nil, nil, 0
	}
	var all gqlerror.List
	if !op.Deferred() {
		data, errors = g.inOnePart(t, query)
		return data, errors, 1
	}
	result := g.pipeline.RunDeferred(t.Context(), op, deferViewer, func(part *operation.Part) error {
		parts++
		if part.First != nil {
			data, all = decodedAny(t, part.First.Data), part.First.Errors
		}
		for _, each := range part.Increments {
			data = mergedAt(t, data, each.Path, decodedAny(t, each.Data))
			all = append(all, each.Errors...)
		}
		return nil
	})
	if result != nil {
		t.Fatal(query, result.Errors)
	}
	return data, placesOf(all), parts
}

// mergedAt puts data into an answer at a path that has to be there.
func mergedAt(t *testing.T, answer any, path ast.Path, data any) any {
	if len(path) == 0 {
		return mergedDeep(answer, data)
	}
	switch at := path[0].(type) {
	case ast.PathName:
		object, ok := answer.(map[string]any)
		if !ok || object[string(at)] == nil {
			t.Errorf("no object at %s", path)
			return answer
		}
		object[string(at)] = mergedAt(t, object[string(at)], path[1:], data)
	case ast.PathIndex:
		list, ok := answer.([]any)
		if !ok || int(at) >= len(list) {
			t.Errorf("no element at %s", path)
			return answer
		}
		list[at] = mergedAt(t, list[at], path[1:], data)
	}
	return answer
}

func mergedDeep(before, after any) any {
	switch later := after.(type) {
	case map[string]any:
		if object, ok := before.(map[string]any); ok {
			for name, value := range later {
				object[name] = mergedDeep(object[name], value)
			}
			return object
		}
	case []any:
		if list, ok := before.([]any); ok && len(list) == len(later) {
			for i, value := range later {
				list[i] = mergedDeep(list[i], value)
			}
			return list
		}
	}
	return after
}

// placesOf are the paths and codes of errors, each once.
func placesOf(errs gqlerror.List) []string {
	var all []string
	for _, err := range errs {
		all = append(all, fmt.Sprint(err.Path, " ", err.Extensions["code"]))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func decodedAny(t *testing.T, raw []byte) (value any) {
	t.Helper()
	if err := json.Unmarshal(raw, &value); err != nil {
		t.Error(err)
	}
	return value
}

func text(value any) string {
	raw, _ := json.Marshal(value)
	return string(raw)
}

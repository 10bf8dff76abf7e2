package rest

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// question is an operation of the graph, with how its answer is read.
type question struct {
	document  string
	variables map[string]any
	root      string                     // the one field of the operation
	at        string                     // JSON pointer of what the root gives in the body
	blame     map[string]*parameterError // for what the graph refuses as bad input, by the pointer of its error
	shape     func(root json.RawMessage) (body, error)
	none      body // the answer when the root gives nothing; nil: that is not found
}

// body is what is answered. Mark adds what is missing of it, or old.
type body interface{ mark(marks) }

// kind is one kind of read.
type kind struct {
	takes []string // parameters of the URL, beside version
	ask   func(id string, given parameters) (question, error)
}

// kindOf finds what a collection, or one of its members, is read by; nil for nothing.
func kindOf(collection string, one bool) *kind {
	switch {
	case collection == "profile" && one:
		return &kind{[]string{"followersAfter", "followersLimit", "postsAfter", "postsLimit"}, askProfile}
	case collection == "users" && one:
		return &kind{nil, askUser}
	case collection == "users":
		return &kind{[]string{"after", "handle", "limit", "order"}, askUsers}
	}
	return nil
}

// question is what a request asks, if its URL is good.
func (k *kind) question(id string, u *url.URL) (question, error) {
	given, err := readParameters(u, k.takes)
	if err != nil {
		return question{}, err
	}
	if !utf8.ValidString(id) {
		return question{}, &parameterError{"id", wrongID}
	}
	return k.ask(id, given)
}

// shaped reads what the root field gave into a body of a type.
func shaped[T any, B interface {
	*T
	body
}](root json.RawMessage) (body, error) {
	b := B(new(T))
	return b, json.Unmarshal(root, b)
}

// parameters are those of a URL, each once.
type parameters map[string]string

// parameterError is a parameter that cannot be taken. Its detail is for the caller.
type parameterError struct{ parameter, detail string }

func (e *parameterError) Error() string { return e.parameter + ": " + e.detail }

// readParameters reads the query of a URL, which may have those that are known and version, each once.
func readParameters(u *url.URL, known []string) (parameters, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, badRequest("The query string of the URL is malformed.")
	}
	given := parameters{}
	for name, values := range query {
		switch {
		case name == "version":
			continue
		case !slices.Contains(known, name):
			names := strings.Join(append(slices.Clone(known), "version"), ", ")
			return nil, badRequest("There is a parameter in the URL that is not known here. Known: " + names + ".")
		case len(values) > 1:
			return nil, &parameterError{name, name + " stands in the URL more than once."}
		case values[0] == "" || !utf8.ValidString(values[0]):
			return nil, &parameterError{name, name + " must have a value in UTF-8."}
		}
		given[name] = values[0]
	}
	return given, nil
}

// limit reads the length of a page.
func (p parameters) limit(name string, standard int64) (int64, error) {
	given, ok := p[name]
	if !ok {
		return standard, nil
	}
	n, err := strconv.ParseInt(given, 10, 32)
	if err != nil || n < 1 || n > maxPage {
		return 0, &parameterError{name, name + " must be a number from 1 to " + strconv.Itoa(maxPage) + "."}
	}
	return n, nil
}

// cursor reads where a page begins: nil for at the beginning.
func (p parameters) cursor(name string) any {
	if given, ok := p[name]; ok {
		return given
	}
	return nil
}

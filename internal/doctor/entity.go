package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// entity describes how one kind of entity is written and read back.
type entity struct {
	collection string // path that creates
	schema     string
	batch      endpoint
	query      url.Values // with which the batch read shows everything
	fresh      func() map[string]any
	change     map[string]any // a merge patch that changes what fresh made
	refused    []refusal
	lists      []place // where a new one stands
	tombstone  bool    // a deleted one can still be read by id
}

// refusal is a change to a good body that makes it unacceptable.
type refusal struct {
	member string
	value  any // nil leaves the member out
	codes  []string
	patch  bool // a patch with it is refused too
}

// place is a list and the member of an entity that is its key there.
type place struct {
	ep    endpoint
	key   string
	query url.Values
}

// ledger remembers what a run wrote, to take it away at the end.
type ledger struct {
	made  []string // ids of entities that a read showed to be ours
	doubt []string // ids that a service answered to our writes, but that were not seen to be ours
	names []string // made-up ids of authors and users under which things were written
	posts []string // made-up ids of posts
	used  int
	wrote bool // a write was answered with success
}

// name makes up an id that carries the run, so that nothing else has it, and remembers it for the end.
func (s *inspection) name(suffix string) string {
	name := "doctor-" + s.run + "-" + suffix
	if !slices.Contains(s.ledger.names, name) {
		s.ledger.names = append(s.ledger.names, name)
	}
	return name
}

// serial numbers what a run makes.
func (s *inspection) serial() int {
	s.ledger.used++
	return s.ledger.used
}

// key makes an Idempotency-Key that no one used.
func (s *inspection) key() string { return fmt.Sprintf("doctor-%s-%d", s.run, s.serial()) }

// ours says whether an entity carries the run in what it was created with.
func (s *inspection) ours(it item) bool {
	return strings.Contains(it.text("handle")+" "+it.text("authorId"), s.run)
}

// change makes the request of a write. A nil body sends none.
func (s *inspection) change(name, method, path, schema string, body any, header map[string]string) request {
	r := request{name: name, method: method, path: path, schema: schema, header: map[string]string{"X-Actor": s.name("actor")}}
	if body != nil {
		r.body, _ = json.Marshal(body) // maps of strings only
		r.header["Content-Type"] = "application/json"
	}
	maps.Copy(r.header, header)
	return r
}

// apply sends a write, books what it may have created, whatever was expected of it, and judges the answer.
func (s *inspection) apply(ctx context.Context, r request, statuses ...int) (answer, error) {
	got, err := s.do(ctx, r)
	if err != nil {
		return answer{}, err
	}
	s.ledger.wrote = s.ledger.wrote || got.status < 300
	if got.status < 300 && r.name == "create" {
		tree, _ := parse(got.raw)
		id := textOf(members(tree)["id"])
		if id != "" && !slices.Contains(s.ledger.made, id) && !slices.Contains(s.ledger.doubt, id) {
			s.ledger.doubt = append(s.ledger.doubt, id)
		}
	}
	ans, err := s.judge(r, got, statuses)
	if err != nil {
		return ans, err
	}
	return ans, s.tagged(r, ans)
}

// tagged holds an answer that carries an entity to having its version as ETag.
func (s *inspection) tagged(r request, ans answer) error {
	version, ok := integer(ans.tree["version"])
	if ans.status >= 300 || !ok {
		return nil
	}
	want := strconv.Quote(strconv.FormatInt(version, 10))
	if got := ans.header.Get("ETag"); got != want {
		return s.hold(ruleETag, sawInstead(r.String(), "ETag "+want, "%s", quote(got)))
	}
	return s.hold(ruleETag, nil)
}

// entityOf reads the entity of an answer.
func entityOf(ans answer) item {
	it := item{id: textOf(ans.tree["id"]), members: ans.tree}
	it.at, _ = time.Parse(time.RFC3339Nano, it.text("createdAt"))
	return it
}

func textOf(value any) string {
	text, _ := value.(string)
	return text
}

// create posts a body and takes a new entity for its answer. Where create.entity failed, nothing else tries.
func (s *inspection) create(ctx context.Context, e entity, body map[string]any, header map[string]string) (item, answer, error) {
	if err := s.intact("create.entity"); err != nil {
		return item{}, answer{}, err
	}
	ans, err := s.apply(ctx, s.change("create", http.MethodPost, e.collection, e.schema, body, header), http.StatusCreated)
	return entityOf(ans), ans, err
}

// made creates an entity and reads it back. Only what a read shows to carry the run's name is ever written to again:
// a service that answers with someone else's entity must not lose it.
func (s *inspection) made(ctx context.Context, e entity, body map[string]any) (item, error) {
	it, _, err := s.create(ctx, e, body, nil)
	if err != nil {
		return item{}, err
	}
	now, err := s.current(ctx, e, it.id)
	if err != nil {
		return item{}, err
	}
	if !s.ours(now) {
		return item{}, skip("what was created reads back as someone else's")
	}
	s.own(it.id)
	return now, nil
}

func (s *inspection) own(id string) {
	s.ledger.doubt = slices.DeleteFunc(s.ledger.doubt, func(other string) bool { return other == id })
	if !slices.Contains(s.ledger.made, id) {
		s.ledger.made = append(s.ledger.made, id)
	}
}

// current reads an entity as it is now.
func (s *inspection) current(ctx context.Context, e entity, id string) (item, error) {
	items, err := s.batch(ctx, e.batch, []string{id}, e.query)
	if err != nil {
		return item{}, err
	}
	if len(items) != 1 {
		return item{}, sawInstead("", "the entity "+id+", that was written", "%s", plural(len(items), "item"))
	}
	return items[0], nil
}

// subject makes an entity at the first call and reads it as it is now at later ones.
func (s *inspection) subject(e entity) func(context.Context) (item, error) {
	var id string
	return func(ctx context.Context) (item, error) {
		if id != "" {
			return s.current(ctx, e, id)
		}
		it, err := s.made(ctx, e, e.fresh())
		id = it.id
		return it, err
	}
}

// on makes a check out of one that needs an entity.
func on(subject func(context.Context) (item, error), test func(context.Context, item) error) func(context.Context) error {
	return func(ctx context.Context) error {
		it, err := subject(ctx)
		if err != nil {
			return err
		}
		return test(ctx, it)
	}
}

// ifMatch is the header that names an entity's version.
func ifMatch(version int64) map[string]string {
	return map[string]string{"If-Match": strconv.Quote(strconv.FormatInt(version, 10))}
}

// without is a copy of a body with one member changed, or taken out where the value is nil.
func without(body map[string]any, member string, value any) map[string]any {
	body = maps.Clone(body)
	if value == nil {
		delete(body, member)
	} else {
		body[member] = value
	}
	return body
}

package clients

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// write sends a change under an idempotency key of its own, so that it can be retried. replayed tells that the service
// repeated an earlier answer, which may be out of date. since is the generation before it was sent.
func write[T any](ctx context.Context, s *service, method, endpoint, target string, version int, in any,
	decode func(answer) (T, error)) (out T, replayed bool, since uint64, err error) {
	r := &request{method: method, endpoint: endpoint, target: target, keys: 1, version: version}
	if in != nil {
		if r.body, err = json.Marshal(in); err != nil {
			return out, false, 0, &Error{Kind: KindInternal, Service: s.name, err: fmt.Errorf("encoding a request: %w", err)}
		}
	}
	if err := ctx.Err(); err != nil {
		return out, false, 0, err
	}
	r.key = s.idempotencyKey(ctx, method, target)
	since = s.gens.current()
	type result struct {
		value    T
		replayed bool
	}
	got, err := call(ctx, s, r, func(a answer) (result, error) {
		value, err := decode(a)
		return result{value, a.replayed}, err
	}, nil)
	return got.value, got.replayed, since, err
}

// create, update and remove are the three writes of one entity. Each of them invalidates what it may have changed before
// it returns, however it ends: the entity itself, and the lists and counts under the tags that listed tells.

// create makes an entity.
func (e *entities[K, V]) create(ctx context.Context, endpoint string, in any, listed func(V) []tag) (V, error) {
	svc := e.batch.svc
	made, replayed, since, err := write(ctx, svc, http.MethodPost, endpoint, endpoint, 0, in, wholeEntity[K, V])
	if err != nil {
		var none V
		svc.gens.invalidate(since, tagOf(e.kind, ""), listed(none)...)
		return none, err
	}
	e.adopt(made, replayed, since, listed(made))
	return made, nil
}

// update changes an entity of a version.
func (e *entities[K, V]) update(ctx context.Context, endpoint string, id K, version int, patch any, listed func(V) []tag) (V, error) {
	var none V
	svc := e.batch.svc
	if !validID(string(id)) {
		return none, &Error{Kind: KindNotFound, Service: svc.name}
	}
	changed, replayed, since, err := write(ctx, svc, http.MethodPatch, endpoint+"/{id}", endpoint+"/"+string(id), version, patch, wholeEntity[K, V])
	if err == nil && changed.key() != id {
		err = &Error{Kind: KindUnknownOutcome, Service: svc.name, Outage: &Outage{Service: svc.name, Reason: Unavailable},
			err: fmt.Errorf("%w: answered another entity", ErrContract)}
	}
	if err != nil {
		svc.gens.invalidate(since, tagOf(e.kind, id), listed(none)...)
		return none, err
	}
	e.adopt(changed, replayed, since, listed(changed))
	return changed, nil
}

// remove deletes an entity. Unless it certainly failed, the entity is not shown again before it has been read again.
func (e *entities[K, V]) remove(ctx context.Context, endpoint string, id K, version int, listed []tag) error {
	svc := e.batch.svc
	if !validID(string(id)) {
		return &Error{Kind: KindNotFound, Service: svc.name}
	}
	_, _, since, err := write(ctx, svc, http.MethodDelete, endpoint+"/{id}", endpoint+"/"+string(id), 0, nil, decodeNothing)
	epoch, _ := svc.gens.invalidate(since, tagOf(e.kind, id), listed...)
	switch {
	case err == nil:
		e.withhold(id, version+1, epoch)
	case kindOf(err) == KindNotFound, kindOf(err) == KindUnknownOutcome:
		e.withhold(id, version, epoch)
	}
	return err
}

// adopt invalidates what a write has changed and stores the entity it answered with: unless the answer is a repeated one,
// or something else has changed the entity meanwhile, and it may be out of date.
func (e *entities[K, V]) adopt(v V, replayed bool, since uint64, listed []tag) {
	epoch, alone := e.batch.svc.gens.invalidate(since, tagOf(e.kind, v.key()), listed...)
	if alone && !replayed {
		e.keep(v, epoch)
	}
}

func wholeEntity[K ~string, V record[K]](a answer) (V, error) { return decodeEntity[K, V](a.body) }

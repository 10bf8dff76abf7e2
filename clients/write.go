package clients

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// write sends a change under an idempotency key of its own, see send.
func write[T any](ctx context.Context, s *service, method, endpoint, target string, version int, in any,
	decode func(answer) (T, error)) (out T, replayed bool, since uint64, err error) {
	r := &request{method: method, endpoint: endpoint, target: target, version: version, key: s.idempotencyKey(ctx, method, target)}
	return send(ctx, s, r, in, decode)
}

// send sends a write, which can be retried because it has a key. replayed tells that the service repeated an earlier answer,
// which may be out of date. since is the generation before it was sent.
func send[T any](ctx context.Context, s *service, r *request, in any, decode func(answer) (T, error)) (out T, replayed bool, since uint64, err error) {
	r.keys = 1
	if in != nil {
		if r.body, err = json.Marshal(in); err != nil {
			return out, false, 0, &Error{Kind: KindInternal, Service: s.name, err: fmt.Errorf("encoding a request: %w", err)}
		}
	}
	if err := ctx.Err(); err != nil {
		return out, false, 0, err
	}
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
// it returns, however it ends: the entity itself, and the lists and counts of the owners that the change names.

// create makes an entity.
func (e *entities[K, V]) create(ctx context.Context, endpoint string, in any, change Change) (V, error) {
	svc := e.batch.svc
	change.Kind, change.Type = e.kind, e.kind+".created"
	made, replayed, since, err := write(ctx, svc, http.MethodPost, endpoint, endpoint, 0, in, e.decode)
	if err != nil {
		var none V
		e.overtake(since, change)
		return none, err
	}
	e.adopt(ctx, made, replayed, since, change)
	return made, nil
}

// update changes an entity of a version. describe says what has changed, given the entity, or none where the write failed.
func (e *entities[K, V]) update(ctx context.Context, endpoint string, id K, version int, patch any, describe func(V) Change) (V, error) {
	var none V
	svc := e.batch.svc
	if !validID(string(id)) {
		return none, &Error{Kind: KindNotFound, Service: svc.name}
	}
	changed, replayed, since, err := write(ctx, svc, http.MethodPatch, endpoint+"/{id}", endpoint+"/"+string(id), version, patch, e.decode)
	if err == nil && changed.key() != id {
		err = &Error{Kind: KindUnknownOutcome, Service: svc.name, Outage: &Outage{Service: svc.name, Reason: Unavailable},
			err: fmt.Errorf("%w: answered another entity", ErrContract)}
	}
	if err != nil {
		change := describe(none)
		change.Kind, change.ID = e.kind, string(id)
		e.overtake(since, change)
		return none, err
	}
	e.adopt(ctx, changed, replayed, since, describe(changed))
	return changed, nil
}

// remove deletes an entity. Unless it certainly failed, the entity is not shown again before it has been read again.
func (e *entities[K, V]) remove(ctx context.Context, endpoint string, id K, version int, change Change) error {
	svc := e.batch.svc
	if !validID(string(id)) {
		return &Error{Kind: KindNotFound, Service: svc.name}
	}
	_, _, since, err := write(ctx, svc, http.MethodDelete, endpoint+"/{id}", endpoint+"/"+string(id), 0, nil, decodeNothing)
	change.Kind, change.ID, change.Version, change.Type, change.Gone = e.kind, string(id), version+1, e.kind+".deleted", true
	epoch, _ := e.overtake(since, change)
	switch {
	case err == nil:
		e.withhold(id, version+1, epoch)
		svc.wrote(ctx, change)
	case kindOf(err) == KindNotFound, kindOf(err) == KindUnknownOutcome:
		e.withhold(id, version, epoch)
	}
	return err
}

// adopt invalidates what a write has changed and stores the entity it answered with: unless the answer is a repeated one,
// or something else than the write's own event has changed the entity meanwhile, and it may be out of date.
func (e *entities[K, V]) adopt(ctx context.Context, v V, replayed bool, since uint64, change Change) {
	change.Kind, change.ID, change.Version = e.kind, string(v.key()), v.revision()
	epoch, alone := e.overtake(since, change)
	if !replayed && (alone || e.awaits(v)) {
		e.keep(v, epoch)
	}
	e.batch.svc.wrote(ctx, change)
}

// decode reads the answer to a write.
func (e *entities[K, V]) decode(a answer) (V, error) { return decodeEntity[K](a.body, e.value) }

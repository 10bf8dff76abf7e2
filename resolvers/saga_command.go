package resolvers

import (
	"context"
	"errors"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/auth"
	"tributary/internal/work"
	"tributary/internal/work/saga"
)

// accountOf is whose account a command is about: the viewer's, or for admins anybody's.
func accountOf(ctx context.Context, named *clients.GlobalID) (string, error) {
	v := load(ctx).viewer
	if named == nil {
		return v.UserID, auth.RequireUser(v)
	}
	if err := wantKind(*named, clients.KindUser); err != nil {
		return "", err
	}
	return named.ID, auth.RequireOwner(v, named.ID)
}

func (r *Resolver) deleteAccount(ctx context.Context, named *clients.GlobalID) (*work.Record, []*graph.UserError, error) {
	id, err := accountOf(ctx, named)
	if err != nil {
		return nil, nil, err
	}
	if r.Accounts == nil {
		return nil, nil, errWorkDisabled
	}
	begun, err := r.Accounts.DeleteAccount(ctx, id, load(ctx).viewer.UserID)
	return sagaOutcome(begun, err, []string{"userId"}, nil)
}

func (r *Resolver) restoreAccount(ctx context.Context, named *clients.GlobalID) (*work.Record, []*graph.UserError, error) {
	id, err := accountOf(ctx, named)
	if err != nil {
		return nil, nil, err
	}
	if r.Accounts == nil {
		return nil, nil, errWorkDisabled
	}
	restore := r.Accounts.RestoreOwnAccount
	if load(ctx).viewer.Admin() {
		restore = r.Accounts.RestoreAccount
	}
	turned, err := restore(ctx, id)
	if errors.Is(err, saga.ErrOrderedByOther) {
		return nil, nil, auth.ErrForbidden
	}
	return sagaOutcome(turned, err, []string{"userId"}, nil)
}

func (r *Resolver) mergeAccounts(ctx context.Context, input graph.MergeAccountsInput) (*work.Record, []*graph.UserError, error) {
	if r.Accounts == nil {
		return nil, nil, errWorkDisabled
	}
	begun, err := r.Accounts.MergeAccounts(ctx, string(input.FromID), string(input.IntoID), load(ctx).viewer.UserID)
	return sagaOutcome(begun, err, []string{"input", "fromId"}, []string{"input", "intoId"})
}

// sagaOutcome is what came of a command about an account: source is the path of the argument that names it, target that of the other
// account where there is one.
func sagaOutcome(r work.Record, err error, source, target []string) (*work.Record, []*graph.UserError, error) {
	if err == nil {
		return &r, none(), nil
	}
	for _, refusal := range []struct {
		err   error
		code  graph.UserErrorCode
		field []string
	}{
		{saga.ErrUnknownUser, graph.UserErrorCodeNotFound, source},
		{saga.ErrUnknownTarget, graph.UserErrorCodeNotFound, target},
		{saga.ErrSameAccount, graph.UserErrorCodeSameAccount, target},
		{saga.ErrAlreadyDeleting, graph.UserErrorCodeAlreadyDeleting, source},
		{saga.ErrNotDeleting, graph.UserErrorCodeNotDeleting, source},
		{saga.ErrTooLate, graph.UserErrorCodeTooLate, source},
		{saga.ErrBusy, graph.UserErrorCodeBusy, nil},
	} {
		if errors.Is(err, refusal.err) {
			return nil, []*graph.UserError{{Field: refusal.field, Code: refusal.code, Message: refusal.err.Error()}}, nil
		}
	}
	return nil, nil, err
}

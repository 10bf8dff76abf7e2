package upstream_test

import (
	"context"
	"errors"
	"testing"

	"tributary/clients"
	"tributary/internal/work"
	"tributary/internal/work/upstream"
)

func TestExplain(t *testing.T) {
	outage := func(reason clients.Reason) *clients.Outage { return &clients.Outage{Service: "post", Reason: reason} }
	for name, test := range map[string]struct {
		err       *clients.Error
		permanent bool
	}{
		"not found":   {&clients.Error{Kind: clients.KindNotFound, Service: "post"}, true},
		"invalid":     {&clients.Error{Kind: clients.KindInvalid, Service: "post"}, true},
		"conflict":    {&clients.Error{Kind: clients.KindConflict, Service: "post"}, true},
		"unavailable": {&clients.Error{Kind: clients.KindUnavailable, Service: "post", Outage: outage(clients.CircuitOpen)}, false},
		"unknown":     {&clients.Error{Kind: clients.KindUnknownOutcome, Service: "post", Outage: outage(clients.Timeout)}, false},
		"no reason":   {&clients.Error{Kind: clients.KindUnavailable, Service: "post"}, false},
		"internal":    {&clients.Error{Kind: clients.KindInternal, Service: "post", Status: 401}, false},
	} {
		err := upstream.Explain(test.err)
		if work.IsPermanent(err) != test.permanent || !errors.Is(err, error(test.err)) || !upstream.Is(err, test.err.Kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if upstream.Explain(nil) != nil || upstream.Explain(context.Canceled) != context.Canceled || upstream.Is(nil, clients.KindNotFound) {
		t.Error("what is not a failed call is to stay as it is")
	}
}

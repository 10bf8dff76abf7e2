package resolvers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"tributary/clients"
	"tributary/internal/auth"
	"tributary/internal/relay"
)

func TestPresentGivesACodeAndKeepsTheCause(t *testing.T) {
	const secret = "dial tcp 10.1.2.3:4711: secret"
	outage := func(reason clients.Reason) error {
		return fmt.Errorf("%s: %w", secret, &clients.Error{Kind: clients.KindUnavailable, Service: "user", Outage: &clients.Outage{Service: "user", Reason: reason, RetryAfter: 1500 * time.Millisecond}})
	}
	for _, c := range []struct {
		err  error
		code string
	}{
		{auth.ErrUnauthenticated, "UNAUTHENTICATED"},
		{auth.ErrForbidden, "FORBIDDEN"},
		{fmt.Errorf("%w: give one", errInput), "BAD_USER_INPUT"},
		{fmt.Errorf("%w: give one", relay.ErrPaging), "BAD_USER_INPUT"},
		{fmt.Errorf("%w: short", clients.ErrMalformedID), "BAD_USER_INPUT"},
		{fmt.Errorf("after: %w", clients.ErrMalformedCursor), "BAD_USER_INPUT"},
		{outage(clients.Unavailable), "SERVICE_UNAVAILABLE"},
		{outage(clients.Timeout), "TIMEOUT"},
		{outage(clients.CircuitOpen), "CIRCUIT_OPEN"},
		{&clients.Error{Kind: clients.KindUnknownOutcome, Service: "user", Outage: &clients.Outage{}}, "OUTCOME_UNKNOWN"},
		{&clients.Error{Kind: clients.KindInternal, Service: "user"}, "INTERNAL"},
		{fmt.Errorf("%s: %w", secret, context.DeadlineExceeded), "TIMEOUT"},
		{fmt.Errorf("%s: %w", secret, context.Canceled), "CANCELLED"},
		{errors.New(secret), "INTERNAL"},
	} {
		t.Run(c.code+" "+c.err.Error(), func(t *testing.T) {
			var log bytes.Buffer
			r := &Resolver{Logger: slog.New(slog.NewTextHandler(&log, nil))}
			ctx := fieldContext(t, r)
			got := r.Present(ctx, graphql.ErrorOnPath(ctx, c.err))
			if got.Extensions["code"] != c.code || got.Message == "" || got.Path.String() != "x" {
				t.Errorf("%+v", got)
			}
			if text := fmt.Sprint(got.Message, got.Extensions); strings.Contains(text, "secret") || strings.Contains(text, "10.1.2.3") {
				t.Errorf("the caller is told %s", text)
			}
			if c.code == "INTERNAL" && !strings.Contains(log.String(), "internal error") {
				t.Error("the log has no cause")
			}
			degraded := len(load(ctx).report.entries)
			if reason := clients.Reason(c.code); (degraded == 1) != (got.Extensions["service"] == "user" && got.Extensions["retryAfterMs"] != nil) && reason != "" {
				t.Errorf("%d degraded entries", degraded)
			}
		})
	}
}

func TestOneCauseIsOneLineInTheLog(t *testing.T) {
	var log bytes.Buffer
	r := &Resolver{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	ctx := fieldContext(t, r)
	for range 200 {
		r.Present(ctx, &clients.Error{Kind: clients.KindUnavailable, Service: "user", Outage: &clients.Outage{Service: "user", Reason: clients.Timeout}})
	}
	if lines := strings.Count(log.String(), "\n"); lines != 1 {
		t.Errorf("%d lines", lines)
	}
	if entries := len(load(ctx).report.entries); entries != maxDegraded {
		t.Errorf("%d entries", entries)
	}
}

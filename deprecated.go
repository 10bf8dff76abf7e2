package main

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/auth"
	"tributary/internal/operation"
	"tributary/internal/telemetry"
	"tributary/internal/usage"
	"tributary/internal/wire"
	"tributary/resolvers"
)

// countDeprecated counts who uses what is deprecated; nil where nobody does.
func countDeprecated(uses *usage.Table, metrics *telemetry.Metrics) func(operation.Call, *operation.View, []string) {
	if uses == nil {
		return nil
	}
	return func(call operation.Call, view *operation.View, coordinates []string) {
		caller := usage.Caller{Client: call.Client, ClientVersion: call.ClientVersion, KeyID: call.Viewer.KeyID, KeyName: call.Viewer.KeyName}
		client := uses.Note(caller, view.Version.Number, coordinates)
		for _, coordinate := range coordinates {
			metrics.Deprecated(coordinate, view.Version.Number, client)
		}
	}
}

// versionsOf tells the resolvers of the versions of the schema. The one that an operation is in is that to whose Mutation or Query the
// fields of its root belong.
func versionsOf(views *operation.Views) resolvers.Versions {
	byRoot := map[*ast.Definition]int{}
	for _, view := range views.All() {
		byRoot[view.Schema.Query], byRoot[view.Schema.Mutation] = view.Version.Number, view.Version.Number
	}
	return resolvers.Versions{
		Supports: views.Supports,
		Of:       func(ctx context.Context) int { return byRoot[graphql.GetFieldContext(ctx).Field.ObjectDefinition] },
		Ends: func(version int, coordinate string) time.Time {
			view := views.Named(strconv.Itoa(version))
			if view == nil { // counted before it was taken away
				return time.Time{}
			}
			d, ok := view.Version.Deprecations[coordinate]
			if !ok {
				return time.Time{}
			}
			return view.Version.Ends(d)
		},
	}
}

// chooseVersion finds the version of a request that is none of the graph.
func chooseVersion(views *operation.Views) func(*http.Request, auth.Viewer) (*operation.View, *operation.VersionError) {
	return func(r *http.Request, viewer auth.Viewer) (*operation.View, *operation.VersionError) {
		asked := wire.VersionAsked(r)
		if viewer.Version != 0 {
			asked.Pin = strconv.Itoa(viewer.Version)
		}
		return views.Choose(asked)
	}
}

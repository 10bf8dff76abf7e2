package main

import (
	"context"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/federation"
	"tributary/internal/operation"
)

// subgraphs tells the schema for composition in a federated graph, in the version that an operation is in: it is the one whose Query
// the fields of its root belong to. Each is written when it is first asked for.
func subgraphs(views *operation.Views) func(context.Context) string {
	byQuery := map[*ast.Definition]func() string{}
	for _, view := range views.All() {
		byQuery[view.Schema.Query] = sync.OnceValue(func() string { return federation.SDL(view.Schema) })
	}
	return func(ctx context.Context) string {
		return byQuery[graphql.GetFieldContext(ctx).Field.ObjectDefinition]()
	}
}

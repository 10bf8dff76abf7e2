package main

import (
	"fmt"
	"io"
	"maps"

	"github.com/vektah/gqlparser/v2/ast"

	"tributary/graph"
	"tributary/internal/config"
	"tributary/internal/engine"
	"tributary/internal/explain"
	"tributary/internal/operation"
	"tributary/internal/relay"
	"tributary/resolvers"
)

// explainStatic tells what an operation comes to at most, from the schema alone.
func explainStatic(e *config.Explain, request operation.Request, stdout io.Writer) error {
	preparer, err := operation.NewPreparer(e.DocumentCacheSize, bounds(&e.Max))
	if err != nil {
		return err
	}
	weights, err := e.Weights()
	if err != nil {
		return err
	}
	views, err := schemaViews(&e.Versions, weights)
	if err != nil {
		return err
	}
	view := views.Standard()
	outline, errs := preparer.Outline(view, request)
	if errs != nil {
		return fmt.Errorf("the query is refused: %w", errs)
	}
	static, err := sketched(graph.NewTables(graph.Config{Resolvers: &resolvers.Resolver{}, Schema: view.Schema}), outline)
	if err != nil {
		return err
	}
	static.MaxCost = e.Max.Cost
	return static.Write(stdout)
}

// sketched describes an operation. What is missing of its variables counts as the most that a resolver takes for a page, or for a list of ids.
func sketched(tables *engine.Tables, outline *operation.Outline) (*explain.Static, error) {
	plan, err := engine.Describe(tables, outline.Operation, outline.Variables)
	if err != nil {
		return nil, err
	}
	s := &explain.Static{
		Operation: outline.Operation, Plan: plan, Cost: outline.Cost, Variables: maps.Clone(outline.Variables), Largest: relay.MaxPage,
	}
	for _, def := range outline.Open {
		s.Missing = append(s.Missing, def.Variable)
		if value := largest(def.Type); value != nil {
			s.Variables[def.Variable] = value
		}
	}
	for _, extent := range outline.Extents {
		s.Extents = append(s.Extents, explain.Extent(extent))
	}
	return s, nil
}

// largest is the value of a type that asks for the longest list, nil for one that asks for none.
func largest(t *ast.Type) any {
	switch {
	case t.Elem != nil:
		return make([]any, relay.MaxPage)
	case t.NamedType == "Int":
		return int64(relay.MaxPage)
	}
	return nil
}

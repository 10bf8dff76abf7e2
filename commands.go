package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/formatter"

	"tributary/clients"
	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/doctor"
	"tributary/internal/explain"
	"tributary/internal/federation"
	"tributary/internal/operation"
	"tributary/internal/telemetry"
)

// printSchema prints the SDL that clients are generated from, or that a supergraph is composed from, of a version or of that which those get who name none.
func printSchema(cfg *config.Schema, stdout io.Writer) error {
	views, err := schemaViews(&config.Versions{}, nil)
	if err != nil {
		return err
	}
	view := views.Standard()
	if cfg.Version != 0 {
		if view = views.Named(strconv.Itoa(cfg.Version)); view == nil {
			return fmt.Errorf("--version: there is no version %d", cfg.Version)
		}
	}
	if cfg.Federation {
		_, err = io.WriteString(stdout, federation.SDL(view.Schema))
		return err
	}
	formatter.NewFormatter(stdout, formatter.WithIndent("  ")).FormatSchema(view.Schema)
	return nil
}

// issueToken prints a development token alone on the last line.
func issueToken(cfg *config.Config, stdout io.Writer) error {
	user, err := userID(cfg.Token.User)
	if err != nil {
		return fmt.Errorf("--user: %w", err)
	}
	key, err := auth.OpenDevelopmentKey(cfg.DataDir, time.Now)
	if err != nil {
		return err
	}
	token, err := key.Issue(user, cfg.Token.Scope, cfg.Token.TTL)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, token)
	return err
}

// userID takes an id as the graph shows it or as the user service does.
func userID(text string) (string, error) {
	if !strings.HasPrefix(text, string(clients.KindUser)+"_") {
		text = string(clients.KindUser) + "_" + text
	}
	id, err := clients.ParseGlobalID(text)
	return id.ID, err
}

// checkServices holds the configured services to the contract.
func checkServices(ctx context.Context, cfg *config.Config, stdout io.Writer) error {
	d := &cfg.Doctor
	var targets []doctor.Target
	for _, service := range config.Services() {
		if url, ok := d.URLs()[service]; ok {
			targets = append(targets, doctor.Target{Service: service, URL: url, Token: d.ServiceToken})
		}
	}
	report, err := doctor.Check(ctx, targets, doctor.Options{Write: d.Write, Timeout: d.Timeout})
	if err != nil {
		return err
	}
	report.Write(stdout)
	if n := report.Breaches(); n > 0 {
		return fmt.Errorf("the contract is broken in %d places", n)
	}
	return nil
}

// explainQuery runs a query and shows what it did upstream.
func explainQuery(ctx context.Context, cfg *config.Config, log *slog.Logger, stdin io.Reader, stdout io.Writer) error {
	e := &cfg.Explain
	query, err := readQuery(e.Query, stdin)
	if err != nil {
		return err
	}
	request := operation.Request{Query: query, OperationName: e.Operation}
	decoder := json.NewDecoder(strings.NewReader(e.Variables))
	decoder.UseNumber()
	if err := decoder.Decode(&request.Variables); err != nil {
		return fmt.Errorf("--variables: want a JSON object: %w", err)
	}
	if e.Static {
		return explainStatic(e, request, stdout)
	}
	viewer, err := explainAs(e)
	if err != nil {
		return err
	}
	return withServices(ctx, cfg.DataDir, &e.Gateway, log, func(ctx context.Context, urls map[string]string) error {
		return explainOn(ctx, e, urls, request, viewer, log, stdout)
	})
}

func explainOn(ctx context.Context, e *config.Explain, urls map[string]string, request operation.Request, viewer auth.Viewer, log *slog.Logger, stdout io.Writer) error {
	gateway, err := newGateway(&e.Gateway, urls, &access{}, nil, telemetry.New(), false, log)
	if err != nil {
		return err
	}
	defer gateway.clients.Close()
	prepared, errs := gateway.pipeline.Prepare(gateway.view, request)
	if errs != nil {
		return fmt.Errorf("the query is refused: %w", errs)
	}
	trace := new(explain.Trace)
	start := time.Now()
	result := gateway.pipeline.Run(explain.WithTrace(ctx, trace), prepared, operation.Call{Viewer: viewer, RequestID: "explain"})
	took := time.Since(start)
	if result.Outcome != operation.Ran {
		return fmt.Errorf("the query is refused: %w", result.Errors)
	}
	if err := trace.Write(stdout, prepared.Operation, took); err != nil {
		return err
	}
	if err := explain.WriteCost(stdout, result.Cost.Requested, result.Cost.Actual, prepared.Cost.Fields(prepared.Variables)); err != nil {
		return err
	}
	for _, err := range result.Errors {
		fmt.Fprintf(stdout, "\nerror at %s: %s (%v)", err.Path, err.Message, err.Extensions["code"])
	}
	if e.Answer {
		fmt.Fprintf(stdout, "\n%s\n", result.Data)
	}
	return nil
}

func explainAs(e *config.Explain) (auth.Viewer, error) {
	if e.As == "" && e.Scope == "" {
		return auth.Viewer{}, nil
	}
	if len(e.DemoNames()) < len(config.Services()) {
		return auth.Viewer{}, errors.New("--as and --scope: only against the demo services")
	}
	if e.As == "" {
		return auth.Viewer{}, errors.New("--scope: say --as whom")
	}
	id, err := userID(e.As)
	if err != nil {
		return auth.Viewer{}, fmt.Errorf("--as: %w", err)
	}
	return auth.Viewer{UserID: id, Scopes: strings.Fields(e.Scope)}, nil
}

// maxQueryFile bounds the query that explain reads.
const maxQueryFile = 1 << 20

func readQuery(path string, stdin io.Reader) (string, error) {
	from := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer f.Close()
		from = f
	}
	raw, err := io.ReadAll(io.LimitReader(from, maxQueryFile))
	return string(raw), err
}

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help build deps test test-deps test-go test-e2e check-generated check-pages lint generate schema-check schema-release pages fuzz torture bench bench-overload bench-subscriptions bench-webhooks pgo clean

GO ?= go
FUZZTIME ?= 60s
PGOWINDOW ?= 8s

# The race detector looks at everything but SQLite itself, which is C carried over to Go: its locks are its own, and watching each of its
# memory accesses makes it several times slower. Nothing else may be left out: functions with type parameters are compiled in every package
# that uses them, and the linker keeps any of these copies.
RACE := -race -gcflags='modernc.org/sqlite/lib=-race=false'

# default.pgo would have tests and linters compile everything once more, for nothing that they look at.
test test-go test-e2e lint check-generated fuzz torture: export GOFLAGS := $(GOFLAGS) -pgo=off

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' Makefile

build: ## the program, as bin/tributary
	$(GO) build -o bin/tributary .

deps: ## install what the whole test needs beyond Go
	./.ci/deps install

test: lint check-generated test-deps test-go test-e2e ## everything that CI runs

test-deps: # what is missing is named; without it the tests that need it are skipped, but not in CI
	@./.ci/deps || [ "$${CI:-}" != true ]

test-go:
	ORACLE=300 TORTURE=sample $(GO) test $(RACE) -timeout 20m ./...
	ORACLE=20000 $(GO) test -run '^TestExecutorsAgree$$' -count=1 .

test-e2e: build
	@if ./.ci/deps; then $(MAKE) --no-print-directory check-pages e2e-run; \
	elif [ "$${CI:-}" = true ]; then exit 1; \
	else echo "the browser tests did not run"; fi

.PHONY: e2e-run
e2e-run:
	cd e2e && TRIBUTARY_BIN=$(CURDIR)/bin/tributary node --test --test-timeout=600000

lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "not formatted: $$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags profiled .
	$(GO) tool staticcheck ./...

generate: ## rebuild graph/, the engine's tables in it, and the resolvers' frames from schema/
	$(GO) run ./internal/engine/gen/generate

check-generated:
	@before=$$(cat graph/*.go resolvers/*.go | sha256sum); $(MAKE) --no-print-directory generate; \
	after=$$(cat graph/*.go resolvers/*.go | sha256sum); \
	if [ "$$before" != "$$after" ]; then echo "generated code does not match schema/: run make generate and commit"; exit 1; fi

schema-check: ## does the schema keep what was released of each version?
	@$(GO) run ./internal/version/check

schema-release: ## write the schema's versions to schema/released/; FORCE=1 even if that breaks clients
	@$(GO) run ./internal/version/check -release $(if $(filter 1,$(FORCE)),-force)

pages: ## rebuild the embedded pages
	cd internal/console/web && npm ci --no-audit --no-fund && npm run build

check-pages:
	cd internal/console/web && npm ci --no-audit --no-fund --silent && npm run --silent check

fuzz: ## every fuzz target for FUZZTIME each, and 200,000 operations on both executors
	ORACLE=200000 ORACLE_SEED=$$(date +%s) $(GO) test -run '^TestExecutorsAgree$$' -count=1 -timeout 60m -v .
	@$(GO) list -f '{{.Dir}}' ./... | while read -r dir; do \
	  grep -ho '^func Fuzz[A-Za-z0-9_]*' "$$dir"/*_test.go 2>/dev/null | cut -c6- | while read -r name; do \
	    echo "$$dir $$name"; (cd "$$dir" && $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x .); done; done

torture: ## long soaks and kills
	TORTURE=long $(GO) test $(RACE) -timeout 60m -run 'Soak|Torture' -v . ./internal/work

bench: ## the table of ratios of bench/README.md
	$(GO) run ./bench

bench-overload: ## what is still answered when more is asked than can be done
	$(GO) run ./bench/overload

bench-subscriptions: ## what subscribers cost: memory, processor time, latency
	$(GO) run ./bench/subscriptions

bench-webhooks: ## deliveries a second, and what the idle program costs
	$(GO) run ./bench/webhooks

pgo: ## default.pgo anew from the benchmark's load, in about two minutes; make build then uses it
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	$(GO) build -pgo=off -tags profiled -o "$$dir/tributary" .; \
	CPU_PROFILE_DIR="$$dir" $(GO) run ./bench -tributary "$$dir/tributary" -servers '^ours$$' -rounds 1 -window $(PGOWINDOW) \
	  -cells '^((timeline-100|profile)/(cold|warm)|trivial/cold)/16$$' -out "$$dir/report"; \
	$(GO) tool pprof -proto "$$dir"/cpu-*.pprof > "$$dir/merged"; mv "$$dir/merged" default.pgo; ls -l default.pgo

clean: ## remove what was built
	rm -rf bin

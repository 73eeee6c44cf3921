# Lienthong. `make help` lists what can be made.
SHELL := /bin/bash
GOFLAGS ?= -trimpath
BIN := $(CURDIR)/bin
MODULES := proto services gateway deploy
export GOBIN := $(BIN)

.PHONY: help build up test test-fuzz lint generate bench faults versions tools clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

build: ## build bin/lienthong
	@go build $(GOFLAGS) -o $(BIN)/lienthong ./deploy/lienthong

up: build ## run the whole hub with a synthetic nation (the data lies in run/)
	@$(BIN)/lienthong up $(UP)

test: ## run all tests, with the race detector, and each fuzz target for a moment
	@scripts/test

lint: ## gofmt, go vet, staticcheck, buf lint and breaking, generated files and go.mod tidy
	@scripts/lint

generate: ## generate Go from the protos
	@scripts/generate

bench: ## compare the hub with direct gRPC, nginx and HAProxy, in one run; LEDGER=1: the ledger; REVOKE=1: revocation
	@scripts/bench $(if $(LEDGER),--ledger) $(if $(REVOKE),--revoke)

faults: ## break hubs: power cuts, crashes, edits of the ledger, failing devices (as root)
	@scripts/faults

versions: ## change agreements 1,000 times under 200 calls/s; no exchange may mix two versions
	@cd deploy && go test ./hubtest -run TestNoExchangeMixesTwoVersions -count 1 -v -args -long

tools: ## install the pinned tools into bin/
	@scripts/tools

clean: ## remove what was built; run/ stays
	@rm -rf $(BIN)

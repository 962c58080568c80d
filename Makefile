# The commands of this project. Each installs what it needs (scripts/install-deps.sh) and says what it does.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help deps build release check test test-long demo format lint tidy clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## install what building and testing need (Debian 12; elsewhere: print the list)
	@scripts/install-deps.sh test

build: deps ## build everything for development: ASan, UBSan, warnings are errors (build/dev)
	@scripts/build.sh dev

release: deps ## build what ships: optimised and hardened (build/release)
	@scripts/build.sh release cloud-valkey-proxy cloud-valkey-operator

check: deps ## build, unit tests, lint: under two minutes warm
	@scripts/run-tests.sh unit lint

test: deps ## all that must pass before a change lands
	@scripts/run-tests.sh unit lint integration kubernetes chart fuzz checklist

test-long: ## the rest: TSan, the oldest API server, availability, fuzzing, mutations, Debian 13
	@scripts/install-deps.sh all
	@scripts/run-tests.sh tsan oldest availability fuzz-long mutations trixie

demo: deps ## from nothing to a SET through an injected sidecar, every claim asserted
	@scripts/demo.sh

format: deps ## format the C++ sources in place
	@scripts/format.sh

lint: deps ## formatting and layering alone
	@scripts/run-tests.sh lint

tidy: ## clang-tidy on the files changed since BASE (default: main) and not committed
	@scripts/install-deps.sh all
	@scripts/tidy.sh $(BASE)

clean: ## remove what was built here (what is cached outside the tree stays)
	rm -rf build .demo

# The commands of this project. Each installs what it needs (scripts/install-deps.sh) and says what it does.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help deps build release image dist check test test-long e2e cluster cluster-down demo bench verify-live format lint tidy clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## install what building and testing need (Debian 12; elsewhere: print the list)
	@scripts/install-deps.sh test

build: deps ## build everything for development: ASan, UBSan, warnings are errors (build/dev)
	@scripts/build.sh dev

release: deps ## build what ships: optimised and hardened (build/release)
	@scripts/build.sh release cloud-valkey-proxy cloud-valkey-operator

image: deps ## both images for ARCH (amd64), as OCI archives with their SBOMs (build/image); needs root
	@scripts/image.sh proxy $(or $(ARCH),amd64)
	@scripts/image.sh operator $(or $(ARCH),amd64)

dist: deps ## what a release consists of: archives, chart, CRD, images, SBOMs, checksums (build/dist)
	@scripts/dist.sh

check: deps ## build, unit tests, lint: under two minutes warm
	@scripts/run-tests.sh unit lint

test: deps ## all that must pass before a change lands
	@scripts/run-tests.sh unit lint integration clients chaos oracle kubernetes chart fuzz image checklist

test-long: ## the rest: TSan, the oldest API server, availability, a million commands, fuzzing, older versions, mutations, Debian 13, the images
	@scripts/install-deps.sh all
	@scripts/run-tests.sh tsan oldest removal availability oracle-long fuzz-long skew mutations image-long trixie

cluster: deps ## a one-node Kubernetes without Docker, in namespaces of its own (build/cluster); needs root
	@scripts/cluster.sh up

cluster-down: ## end it, whatever state it is in
	@scripts/cluster.sh down

e2e: deps ## the product on such a node: images, chart, pods; a line per case
	@tests/e2e/run.sh

demo: deps ## from nothing to a SET through an injected sidecar, every claim asserted
	@scripts/demo.sh

bench: ## speed, CPU and memory beside direct TLS, HAProxy and stunnel; PEERS=… adds more (a quarter of an hour)
	@scripts/install-deps.sh bench
	@scripts/bench.sh

verify-live: ## ask a live instance what we know from documents only: INSTANCE=projects/P/locations/L/instances/I
	@scripts/verify_live.py $(INSTANCE)

format: deps ## format the C++ sources in place
	@scripts/format.sh

lint: deps ## formatting and layering alone
	@scripts/run-tests.sh lint

tidy: ## clang-tidy on the files changed since BASE (default: main) and not committed
	@scripts/install-deps.sh all
	@scripts/tidy.sh $(BASE)

clean: ## remove what was built here (what is cached outside the tree stays)
	rm -rf build .demo

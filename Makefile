# The logic is in hack/; each target here is one line that anyone may type instead.
.DEFAULT_GOAL := help
.PHONY: help demo test e2e bench lint build image screenshots generate fuzz

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## install what is missing, start the inbox with sample events, and show it
	@hack/demo.sh

test: ## run every test that needs no cluster node, under the race detector
	@hack/test.sh

e2e: ## prove the whole product on a real cluster; hack/e2e.sh says which
	@hack/e2e.sh

bench: ## print the ratios of the benchmark table
	@hack/bench.sh

lint: ## run the linters and check that generated code and modules are up to date
	@hack/lint.sh

build: ## build the page and bin/socialops
	@hack/web.sh
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)' -o bin/socialops .

image: ## build the image into .cache/image/socialops.tar
	@VERSION=$(VERSION) hack/image.sh

screenshots: ## make the pictures of the console's main views anew
	@hack/browser.sh screenshots

generate: ## regenerate deep copies, CRDs and SQL bindings in place
	@hack/generate.sh

fuzz: ## run each fuzz target for FUZZTIME (20s)
	@hack/fuzz.sh

# Wardwell: `make` lists what there is. Each target calls provisioning/bootstrap.sh, which works without make too.

export DROP ROSTER PROFILE ONLY BASE
TARGETS := setup demo demo-stop demo-open test test-appliance test-vm check bench attacks house lock

.DEFAULT_GOAL := help
.PHONY: help $(TARGETS)

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

setup: ## build the environment; afterwards .venv/bin/wardwell is the command
demo: ## the demonstration agency, complete (DROP=DIR ROSTER=FILE PROFILE=NAME: with your own exports)
demo-stop: ## stop what `make demo` started
demo-open: ## a browser with a fresh profile that trusts the demonstration's CA
test: ## everything a developer must keep green
test-appliance: ## install and boot it in a container, no network (root; after `make test`)
test-vm: ## the long proof in emulated machines: own kernel, installation, Secure Boot, power cuts (root; hours)
check: ## linters, types and unit tests
bench: ## measure; writes .bench/results.json (ONLY=area)
attacks: ## attack the promises; writes .bench/attacks.json (ONLY=area)
house: ## counts of circles, long files, durable writes, duplicates, lines (BASE=REVISION: beside an older one)
lock: ## pin the newest Python packages by hash

$(TARGETS):
	@sh provisioning/bootstrap.sh $@

# Wardwell: `make` lists what there is. Each target calls provisioning/bootstrap.sh, which works without make too.

export DROP ROSTER PROFILE ONLY BASE DURATIONS
TARGETS := setup demo demo-stop demo-open quick check test test-long test-appliance test-vm bench attacks house lock

.DEFAULT_GOAL := help
.PHONY: help $(TARGETS)

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

setup: ## build the environment, for tests as well; afterwards .venv/bin/wardwell is the command
demo: ## the demonstration agency, complete (DROP=DIR ROSTER=FILE PROFILE=NAME: with your own exports)
demo-stop: ## stop what `make demo` started
demo-open: ## a browser with a fresh profile that trusts the demonstration's CA
quick: ## linters, types, and the unit tests that a change since BASE can affect: a minute
check: ## linters, types, every unit test and the space's Node tests
test: ## everything a developer must keep green, real servers and a browser included (DURATIONS=write: note its times)
test-long: ## the long campaigns, of which `make test` runs a short one
test-appliance: ## install and boot it in a container, no network (root; after `make test`)
test-vm: ## the long proof in emulated machines: own kernel, installation, Secure Boot, power cuts (root; hours)
bench: ## measure; writes .bench/results.json (ONLY=area)
attacks: ## attack the promises; writes .bench/attacks.json (ONLY=area)
house: ## counts of circles, long files, durable writes, duplicates, lines (BASE=REVISION: beside an older one)
lock: ## pin the newest Python packages by hash

$(TARGETS):
	@sh provisioning/bootstrap.sh $@

# The everyday commands. Each installs the dependencies and builds first, if that is due.
#
#   make run CONFIG=file.json          run a node (without CONFIG: config/hive.json)
#   make run-dev CONFIG=file.json      the same in development mode: clients are shown the details of errors
#   make test-config CONFIG=file.json  check a configuration
#   make demo [REDIS=1]                the distributed chat: two nodes, a back end and a page; with REDIS, killing a node loses no session.
#                                      REDIS=redis://host:port uses that Redis, REDIS=1 one on this machine
#   make simple-chat | ping            the smaller examples: a node, a back end and a page | a node and a page
#   make check                         what to run before each commit: format, lint, types, dead code, unit, supervisor and protocol tests
#   make unit-test | test              the unit tests | every check and test, each file in a process of its own
#   make build | clean

CONFIG ?= config/hive.json
REDIS ?=

INSTALLED := node_modules/.package-lock.json
HIVE := dist/bin/hive.js

.DELETE_ON_ERROR:
.PHONY: build run run-dev test-config check unit-test test demo simple-chat ping clean

build: $(HIVE)

run: $(HIVE)
	@node $(HIVE) run $(CONFIG)

run-dev: $(HIVE)
	@node $(HIVE) run $(CONFIG) --mode development

test-config: $(HIVE)
	@node $(HIVE) check $(CONFIG)

check: $(INSTALLED)
	@npm run --silent check

unit-test: $(INSTALLED)
	@npm run --silent unit

test: $(INSTALLED)
	@npm test

demo: $(HIVE)
	@REDIS='$(REDIS)' node examples/distributed-chat/demo.mjs

simple-chat ping: $(HIVE)
	@node examples/$@/demo.mjs

clean:
	rm -rf dist

# npm writes this file at the end of each installation.
$(INSTALLED): package-lock.json
	npm ci --no-audit --no-fund

$(HIVE): $(INSTALLED) package.json tsconfig.json tsconfig.build.json scripts/build.mjs $(shell find src -type f)
	@npm run --silent build

# SPDX-License-Identifier: Apache-2.0
# What people type; `make help` prints the list. How C becomes binaries is in build.mk.

KAFKA_VERSION ?= 3.9.2
export KAFKA_VERSION

.DEFAULT_GOAL := all
include build.mk

PYTHON := /usr/bin/python3
VENV   := .venv/bin
STACK  := $(PYTHON) stack/stack.py
# After `setup` make has to start anew: what it found out about libraries is from before.
AGAIN  := $(MAKE) --no-print-directory

all: binaries ## build everything
help: ## print this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile build.mk | expand -t 30

setup: ## install what is missing: Debian packages, Kafka's jars, the Python environment
	@stack/setup.sh

# The private stack ---------------------------------------------------------------------------

up: setup ## start the private stack and wait until it is ready
	@$(AGAIN) binaries
	@$(STACK) up
down: ## stop what `make up` started
	@$(STACK) down
status: ## say what runs, and where
	@$(STACK) status
wipe: ## down, and forget the private stack's data
	@$(STACK) wipe
demo: setup ## the stack, and on it runs of two real suites
	@$(AGAIN) binaries
	@$(PYTHON) stack/demo.py

# Docs ----------------------------------------------------------------------------------------

$(OUT)/docs/print: $(OUT)/obj/docs/print.o $(LIBSHARED)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) $(LDLIBS)
docs: binaries $(OUT)/docs/print ## print docs/generated from the tables in the code
	@docs/generate $(OUT)

# Tests ---------------------------------------------------------------------------------------

test: setup ## everything: lint, models, unit, service, schema, end-to-end, crash, and as an ordinary user
	@$(AGAIN) -j2 binaries
	@tests/run
lint: binaries ## check the sources without running them
	@tests/lint/run
test-service test-e2e test-crash test-ordinary-user: test-%: setup
	@$(AGAIN) -j2 binaries
	@tests/run $*
test-service: ## the tests of one service on real servers (KAFKA_VERSION=4.4.0 is tried as well)
test-e2e: ## the tests of the whole way of a run
test-crash: ## the tests that kill, stop and cut off
test-ordinary-user: ## the end-to-end tests as somebody who is not root
test-spec: ## search the models of dispatch and of streams, whole and without their safeguards
	@tests/spec/run
setup-examples: ## install what the examples of other languages need (build/examples, build/tools)
	@examples/setup.sh
test-examples: setup ## each example in Verdict, by its own tool (after make setup-examples)
	@$(AGAIN) -j2 binaries
	@$(VENV)/pytest tests/frameworks -o timeout=600
.PHONY: setup-examples test-examples
test-schema: setup ## schemathesis on the API, 100 examples of each operation
	@$(AGAIN) -j2 binaries
	@VERDICT_SCHEMA_EXAMPLES=100 $(VENV)/pytest tests/schema -s -o timeout=900
test-s3: setup ## the store of files at a real S3 server (needs Go 1.21 or newer)
	@$(AGAIN) -j2 binaries
	@server=$$(tests/support/s3-gateway.sh) && VERDICT_TEST_S3=$$server \
	  $(VENV)/pytest tests/service/blob_test.py tests/e2e/artifacts_test.py
test-bare: ## make demo and make test in a bare Debian 12 (root, debootstrap)
	@tests/support/bare-debian.sh
chaos: setup ## every promise at length, with a table (CHAOS="P6 P10" only these; "--seed N" again)
	@$(AGAIN) -j2 binaries
	@$(VENV)/python tests/chaos/run $(CHAOS)
soak: setup ## half load for MINUTES (30): the memory and the descriptors of each service stay as they are
	@$(AGAIN) -j2 binaries
	@VERDICT_SOAK_MINUTES=$(or $(MINUTES),30) $(VENV)/pytest tests/crash/leak_test.py -s
bench: setup ## measure, beside ceilings and peers; BENCH=results,status for some lines, QUICK=1 a short look, PUBLISH=1 into the docs
	@$(AGAIN) -j2 binaries
	@tests/bench/setup.sh
	@$(VENV)/python tests/bench/run.py $(if $(QUICK),--quick) $(if $(PUBLISH),--publish) $(BENCH)
fuzz: setup ## the parsers under a fuzzer, FUZZ_SECONDS each; FUZZ=tests/fuzz/x_fuzz.c for one
	@tests/fuzz/run $(FUZZ)
valgrind: units ## the unit tests under valgrind
	@tests/support/valgrind.sh $(OUT)/unit

.PHONY: all help setup up down status wipe demo docs test lint test-service test-e2e test-crash \
        test-ordinary-user test-schema test-spec test-s3 test-bare chaos soak bench fuzz valgrind

# SPDX-License-Identifier: Apache-2.0
# What people type. How things are compiled is in build.mk. `make help` lists the targets.

KAFKA_VERSION ?= 3.9.2
export KAFKA_VERSION

-include build.mk

STACK := /usr/bin/python3 stack/stack.py
VENV  := .venv/bin

.DEFAULT_GOAL := all
.PHONY: all check help setup

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

setup: ## install what is missing: Debian packages, Kafka's jars, the Python environment
	@stack/setup.sh

up: setup ## start the private stack and wait until it is ready
	@$(MAKE) --no-print-directory binaries
	@$(STACK) up

down: ## stop what `make up` started
	@$(STACK) down

status: ## say what runs, and where
	@$(STACK) status

wipe: ## down, and forget the private stack's data
	@$(STACK) wipe

# The front door. `make` lists the targets; README.md tells what they are for.

PYTHON ?= python3
CONFIG ?=
LISTEN ?= 127.0.0.1:3000
STACK ?= checkup

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
INSTALL := $(PIP) install --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help run serve test lint audit bench tools clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(VENV)/run.stamp  ## check a demo world (or CONFIG=my.json), store the results, write the page
	@$(BIN)/python -m examples.demo run $(CONFIG)

serve: $(VENV)/run.stamp  ## keep checking and show the page at LISTEN=127.0.0.1:3000
	@$(BIN)/python -m examples.demo serve --listen $(LISTEN) $(CONFIG)

lint: $(VENV)/dev.stamp  ## style, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(VENV)/dev.stamp tools  ## everything, and the time of each group
	$(BIN)/python tests/run.py

tools: $(VENV)/dev.stamp  ## the programs that the tests drive: browser, emulators, SAM
	@sh tests/tools.sh

bench: $(VENV)/dev.stamp  ## the budgets, as ratios
	@for file in bench/bench_*.py; do $(BIN)/python "$$file" || exit 1; done

clean:  ## remove everything that was made here
	rm -rf $(VENV) var .aws-sam dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@sh tests/python.sh $(PYTHON) $(VENV)

$(VENV)/run.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing Checkup into $(VENV) ..."
	@$(INSTALL) --upgrade pip
	@$(INSTALL) --editable . trustme
	@touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing Checkup and its tools into $(VENV) ..."
	@$(INSTALL) --upgrade pip
	@$(INSTALL) --editable '.[aws]' --group lint --group test
	@touch $@ $(VENV)/run.stamp

# `make` lists the targets; README.md explains what they are for.

PYTHON ?= python3
CONFIG ?=
LISTEN ?= 127.0.0.1:3000
STACK ?= checkup
ARCHITECTURE ?= arm64
PARAMETERS ?=
KEEP ?= runs
SEED ?= 1
RUNS ?= 10000
KILLS ?= 1000
BENCH ?=

VENV := .venv
BIN := $(VENV)/bin
OWN := $(if $(CONFIG),--config '$(CONFIG)')
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
INSTALL := $(PIP) install --constraint constraints.txt
# Before 0.2.0 the package was called checkup; two packages with the same files do not go together.
PREPARE := $(INSTALL) --upgrade pip && $(PIP) uninstall --yes checkup 2>/dev/null

.DEFAULT_GOAL := help
.PHONY: help run serve demo test e2e lint audit screenshots soak papers bench tools lock build deploy destroy release-check clean

help:  ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(VENV)/run.stamp  ## run the checks of a demo (or CONFIG=my.json), store the results, write the page
	@$(BIN)/python -m examples.demo run $(OWN)

serve: $(VENV)/run.stamp  ## keep running them and serve the page at LISTEN=127.0.0.1:3000
	@$(BIN)/python -m examples.demo serve --listen $(LISTEN) $(OWN)

demo: $(VENV)/run.stamp  ## build a page from a year of invented history: outages, slow days, maintenance
	@$(BIN)/python -m examples.demo.year

lint: $(VENV)/dev.stamp  ## check style, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(VENV)/dev.stamp tools  ## run all tests and print the time of each group
	$(BIN)/python tests/run.py

e2e: $(VENV)/dev.stamp  ## build the stack, deploy it into an AWS emulator and simulate a day
	@scripts/tools sam sbom ministack runtime
	$(BIN)/python -m pytest -q -n 0 tests/stack

tools: $(VENV)/dev.stamp  ## install the programs that the tests use: browser, emulators, SAM
	@sh tests/tools.sh

audit: $(VENV)/dev.stamp  ## run the slow checks: fuzzing, mutants, coverage of requirements, Lighthouse; SEED=1
	$(BIN)/python -m tests.config.fuzz 100000 $(SEED)
	$(BIN)/python -m tests.checkers.answers 100000
	@sh tests/tools.sh golang-go
	$(BIN)/python -m tests.differential.audit
	$(BIN)/python -m tests.stack.events 10000 $(SEED)
	$(BIN)/python -m tests.pipeline.mutants
	$(BIN)/python -m tests.papers --check
	$(BIN)/python -m tests.page.every_day
	$(BIN)/python -m tests.page.audit
	@sh tests/stack/checkov.sh
	@scripts/tools holes
	$(BIN)/python -m tests.project.holes

soak: $(VENV)/dev.stamp  ## simulate runs that are killed and disturbed everywhere; SEED=1 RUNS=10000 KILLS=1000
	$(BIN)/python -m tests.soak --runs $(RUNS) --kills $(KILLS) --seed $(SEED)
	ALL_STORAGES=1 $(BIN)/python -m pytest -q -n 0 tests/pipeline/test_machines.py

screenshots: $(VENV)/dev.stamp tools  ## take screenshots of the page in all its states, in var/screenshots
	$(BIN)/python -m tests.page.screenshots

papers: $(VENV)/dev.stamp  ## write docs/reference.md and docs/budgets.md
	$(BIN)/python -m tests.papers

bench: $(VENV)/dev.stamp  ## measure all budgets and print one table; BENCH="--long --keep", or names
	$(BIN)/python bench/run.py $(BENCH)

lock: $(VENV)/dev.stamp  ## pin the libraries of the layers, with hashes, to the tested versions
	@for layer in layers/core statuspage; do \
	    $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-build --upgrade --generate-hashes \
	    --constraint constraints.txt --no-annotate --custom-compile-command 'make lock' \
	    $$layer/requirements.in --output-file $$layer/requirements.txt || exit 1; done

build: $(VENV)/aws.stamp  ## build the Lambda layers and functions for ARCHITECTURE=arm64 or x86_64
	@scripts/tools sam sbom
	@scripts/build-stack $(ARCHITECTURE) $(BIN)/python

deploy: $(VENV)/aws.stamp  ## deploy STACK=checkup with your AWS credentials; PARAMETERS="MemorySize=512 ..."
	@$(BIN)/checkup -c functions/checkup.json validate --strict
	@$(MAKE) --no-print-directory build
	@scripts/deploy-stack '$(STACK)' '$(PARAMETERS)'

destroy: $(VENV)/aws.stamp  ## delete STACK=checkup; the bucket with runs and state is kept, unless KEEP=nothing
	@scripts/tools sam
	@scripts/destroy-stack '$(STACK)' $(if $(filter nothing,$(KEEP)),--with-runs)

release-check: $(VENV)/dev.stamp  ## build the wheel and the source archive, check them, install them with every extra
	@scripts/release-check

clean:  ## remove everything that make has created here
	rm -rf $(VENV) var .aws-sam dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# With PYTHON=… on the command line, replace an environment of another Python.
ifeq ($(firstword $(origin PYTHON)),command)
.PHONY: $(VENV)/bin/python
endif
$(VENV)/bin/python:
	@sh tests/python.sh $(PYTHON) $(VENV)

$(VENV)/run.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing Checkup into $(VENV) ..."
	@$(PREPARE)
	@$(INSTALL) --editable . trustme
	@touch $@

$(VENV)/aws.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing Checkup for AWS into $(VENV) ..."
	@$(PREPARE)
	@$(INSTALL) --editable '.[aws]'
	@touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing Checkup and its tools into $(VENV) ..."
	@$(PREPARE)
	@$(INSTALL) --editable '.[aws]' --group lint --group test
	@touch $@ $(VENV)/aws.stamp $(VENV)/run.stamp

# `make demo` shows the system at work; every target does the set-up it needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

BIN := .venv/bin
DEMO_SECONDS ?=
BENCH_ARGS ?=
MINUTES ?= 30
SEED ?= 0
# The longest first: what is short fills the gaps at the end.
TESTS ?= tests/acceptance tests/integration tests/migration tests/model tests/unit tests/docs
# Tests spend much of their time waiting for servers and processes, so three at a time keep two cores busy.
TEST_PROCESSES ?= 3

# Coverage of the unit tests is reported with the whole suite, not with a part of it.
COVERAGE ?= $(if $(filter file,$(origin TESTS)),--cov --cov-report=json)

.PHONY: help setup browser demo up down status test pythons lint mutation fuzz soak audit bench docs docs-site pictures lock clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Packages, Python environment, Kafka's jars, TimescaleDB; seconds when done before
	@deploy/local/bootstrap.sh
	@$(BIN)/ioc stack setup

demo: setup ## A simulated province on the real stack; Ctrl-C or DEMO_SECONDS=60 ends it with an account
	@$(BIN)/ioc demo $(if $(DEMO_SECONDS),--seconds $(DEMO_SECONDS))

up: setup ## Start the stack in the background
	@$(BIN)/ioc stack up

down: ## Stop what `make up` started
	@if [[ -x $(BIN)/ioc ]]; then $(BIN)/ioc stack down; else echo "Nothing is set up, so nothing runs."; fi

status: ## What runs, and where
	@$(BIN)/ioc stack status

browser: setup ## Debian's Chromium, in which the tests open the pages
	@deploy/local/bootstrap.sh --browser || echo "  ! no Chromium: the tests that open the pages in it are skipped"

lint: setup ## Format, lint, types and import directions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint browser ## Static checks, then all tests side by side; TESTS=tests/unit runs a part, TEST_PROCESSES=1 one by one
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(COVERAGE) $(TESTS)

pythons: ## The unit tests with each supported Python of this machine (3.11, 3.12)
	@deploy/local/pythons.sh

mutation: setup ## Break each promise on purpose and see its test fail; not part of `make test`
	@$(BIN)/python tests/mutation/run.py

fuzz: setup ## Look for inputs that crash or hang a parser (atheris); FUZZ_SECONDS=20 a format; not part of `make test`
	@$(BIN)/python -c "import atheris" 2>/dev/null || $(BIN)/pip install --quiet atheris
	@$(BIN)/python tests/fuzz.py

soak: setup ## A province under load while faults strike at random: MINUTES=30 SEED=1; not part of `make test`
	@MINUTES=$(MINUTES) SEED=$(SEED) $(BIN)/python tests/soak.py

audit: setup ## Known weaknesses of the packages in the lock (pip-audit), and their licences; asks the network
	@PYTHONPATH=.cache/audit $(BIN)/python -c "import pip_audit" 2>/dev/null \
	    || $(BIN)/pip install --quiet --target .cache/audit pip-audit || true # not among what the tests run with
	@$(BIN)/python -m deploy.documentation.licence
	@PYTHONPATH=.cache/audit $(BIN)/python -m deploy.documentation.weakness

bench: setup ## The speed of this machine's stack beside its peer's; BENCH_ARGS passes options
	@$(BIN)/ioc stack setup --peer
	@$(BIN)/python -m bench $(BENCH_ARGS)

docs: setup ## Write the reference pages that are made from the code
	@$(BIN)/python -m deploy.documentation

docs-site: setup ## The pages of docs/ as a site in .cache/site, for any web server; fails at a link that leads nowhere
	@$(BIN)/python -m deploy.documentation.site .cache/site
	@echo ".cache/site/index.html"

pictures: browser ## The pages of the simulated province as pictures in docs/pictures/; not part of `make test`
	@$(BIN)/python tests/pictures.py

lock: ## Choose versions anew (needs uv: https://docs.astral.sh/uv)
	uv pip compile pyproject.toml --group dev --group build --upgrade --generate-hashes \
	    --python-platform linux --python-version 3.11 --no-annotate --no-header \
	    --no-emit-index-url --no-emit-find-links --quiet --output-file requirements.lock

clean: ## Stop everything and remove what set-up and runs have left in the checkout
	@if [[ -x $(BIN)/ioc ]]; then $(BIN)/ioc stack down --purge; fi
	rm -rf .state .cache .venv

# The daily commands, each in .venv, which holds what constraints.txt pins.
#
# - .venv is made on the first call, and brought up to date when constraints.txt or pyproject.toml
#   has changed; nothing is installed outside it.
# - What is given to a target's run (@) is not shown: ARGS may hold a key, and a job's log keeps it.
# - make turns every failure into its own status 2. The suite's exact exit status (1: a clause is
#   broken, 4: the command line, …) is pytest's: run `.venv/bin/pytest` where it counts.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3 python3.13 python3.12 python3.11 # the first of them that is 3.11 or newer
VENV := .venv/bin/python
PYTEST := $(VENV) -m pytest
# A file stays with one process: what its tests share is made once. There are three processes for two
# processors, since many tests wait, and tests/conftest.py has the long files begin first.
TESTS := $(PYTEST) tests -n 3 --dist loadfile --no-loadscope-reorder
PIP := $(VENV) -m pip --disable-pip-version-check install --quiet
EVERYTHING := .[load,clients,dev]

# A load run against TARGET that is short, where ARGS says nothing else.
SHORT_RUN := --headless --users 5 --spawn-rate 5 --run-time 20s

export TARGET # through the environment: no quote or blank in it means anything to the shell

.PHONY: help conformance clients test test-quick thorough lint style faults hostile servers load \
  calibrate constraints clean

help: ## List these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1  /p' $(firstword $(MAKEFILE_LIST)) \
	  | awk -F '  ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

conformance: .venv/.complete ## Judge TARGET=URL, or the embedded server; ARGS="…" goes to pytest
	@$(PYTEST) $(if $(TARGET),--target-url "$$TARGET") $(ARGS)

test: style ## Everything that CI runs: lint (mypy is one of the tests), and the tests
	$(TESTS) -m "not thorough" $(ARGS)

thorough: .venv/.complete ## Trials of many whole runs: right ways in pairs, faults that come and go
	$(TESTS) -m thorough $(ARGS)

# Folders whose tests are each a run of the suite, or a browser's look at one.
RUNS := browser clients dialects hostile plugin secrets
test-quick: .venv/.complete ## The tests, without the slow ones, whole runs and the real servers
	$(TESTS) -m "not slow and not real_server and not thorough" \
	  $(RUNS:%=--ignore=tests/%) $(ARGS)

lint: style ## Ruff and mypy
	$(VENV) -m mypy

style: .venv/.complete
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check .

faults: .venv/.complete ## Judge every fault: each check must find its own; writes docs/faults.html
	$(PYTEST) tests/test_faults.py $(ARGS)
	$(if $(ARGS),,$(VENV) -m tests.faults.matrix --html docs/faults.html)

hostile: .venv/.complete ## Meet every hostile target; writes docs/hostile.md; ARGS="NAME …" for a few
	$(VENV) -m tests.hostile.table $(ARGS)

clients: .cache/clients/.complete ## Install the client libraries, and judge TARGET=URL with them alone
	@$(PYTEST) -m clients $(if $(TARGET),--target-url "$$TARGET") $(ARGS)

# Up to 8 GB and an hour the first time. CI judges llama.cpp and LiteLLM alone, as a part of the tests.
servers: .venv/.complete ## Judge every server that others wrote, and record it; ARGS="NAME …"
	$(VENV) -m tests.servers.record $(ARGS)

load: .venv/.complete ## Measure TARGET=URL, or the embedded server, under load; ARGS="…" goes to locust
	@$(VENV) -m load $(if $(TARGET),--host "$$TARGET" $(or $(ARGS),$(SHORT_RUN)),$(ARGS))

calibrate: .venv/.complete ## Measure the load generator itself, on two cores that should be idle
	$(VENV) -m benchmarks.calibrate $(ARGS)

constraints: ## Pin the newest versions that fit pyproject.toml; run make test afterwards
	@$(find_python); "$$python" -m venv --clear .cache/resolve
	.cache/resolve/bin/python -m pip install --quiet -e '$(EVERYTHING)' 'editables~=0.3'
	sed -n '/^#/p' constraints.txt > .cache/constraints.txt
	.cache/resolve/bin/python -m pip freeze --exclude-editable >> .cache/constraints.txt
	mv .cache/constraints.txt constraints.txt

clean: ## Remove all that these commands have made, reports/out included
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist reports/out
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# PIP_CONSTRAINT is split at blanks, so the path is relative: this folder's own may hold some.
# Old pips apply it to the build backend too; new ones want PIP_BUILD_CONSTRAINT for that.
.venv/.complete: constraints.txt pyproject.toml
	@$(VENV) -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || { \
	  $(find_python); echo "making .venv with $$($$python --version)"; \
	  "$$python" -m venv --clear .venv; }
	PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt $(PIP) -e '$(EVERYTHING)'
	@touch $@

# Client libraries in environments of their own: they are large, and their pins are not ours.
# Without npm the Node ones are left out. No lock file: it would hold the addresses of a registry.
PINS := conformance/clients
.cache/clients/.complete: $(PINS)/python.txt $(PINS)/openai1.txt $(PINS)/package.json .venv/.complete
	$(VENV) -m venv .cache/clients/python
	$(VENV) -m venv .cache/clients/openai1
	.cache/clients/python/bin/python -m pip --disable-pip-version-check install --quiet \
	  --requirement $(PINS)/python.txt
	.cache/clients/openai1/bin/python -m pip --disable-pip-version-check install --quiet \
	  --requirement $(PINS)/openai1.txt
	cp $(PINS)/package.json .cache/clients/package.json
	if command -v npm > /dev/null; then npm install --prefix .cache/clients --no-package-lock \
	  --no-audit --no-fund --silent; else echo "npm is missing: no Node clients" >&2; fi
	@touch $@

# Shell: leaves the name of a Python that is new enough in $python, or ends with one line.
define find_python
set -e; for python in $(PYTHON) none; do \
  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null && break; \
done; \
[ "$$python" != none ] || { \
  echo "Python 3.11 or newer is needed, and none of these is: $(strip $(PYTHON))." \
    "Name one: make PYTHON=/path/to/python3" >&2; exit 1; }
endef

# Veelocity. `make` alone prints this help; each target is one line that you could type yourself.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

HISTORIES ?= 1000
SEED ?= 1
WORKERS ?= $(shell nproc 2>/dev/null || echo 2)

.DEFAULT_GOAL := help
.PHONY: help demo test quick page golden soak faults dev refresh full-refresh check status lint audit docs evidence licences bench mutate setup lock

help: ## Print this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## The whole pipeline over a simulated GitHub and Linear: no token, no network
	@$(BIN)/veelocity demo

# a module's tests stay together, since what they share takes long to make; long ones begin first (tests/conftest.py)
test: $(READY) ## All tests, offline
	@$(BIN)/pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder

quick: $(READY) ## The tests of one's inner loop: pure functions, dbt scenarios, operations
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal -m quick

golden: $(READY) ## An organisation worked out by hand: every answer beside the computed one, and why
	@$(BIN)/python -m tests.golden

soak: $(READY) ## Random histories by the thousand: does following them give what a full refresh gives?
	@nice $(BIN)/python -m tests.histories --histories $(HISTORIES) --seed $(SEED) $(if $(SOURCE),--source $(SOURCE))

faults: $(READY) ## Every fault at several rates, kill -9 and a full disk at many points: what becomes of the marts (an hour)
	@nice $(BIN)/python -m tests.faults --day && nice $(BIN)/python -m tests.faults --markdown data/faults.md

dev: $(READY) ## Dagster's UI on http://localhost:3000, with schedules running
	@$(BIN)/veelocity dev

refresh: $(READY) ## Read what is new from the sources named in .env, rebuild, publish
	@$(BIN)/veelocity refresh

full-refresh: $(READY) ## Read everything again, and find what is gone
	@$(BIN)/veelocity refresh --full

check: $(READY) ## Can the sources be reached, and what may they read?
	@$(BIN)/veelocity check

status: $(READY) ## How fresh everything is, and what failed
	@$(BIN)/veelocity status

lint: $(READY) ## Style, types and layers
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-logo

page: ## Check the types of the report's modules and join them into report.js (needs Node 18 or later)
	@cd veelocity_pipeline/faces/report/page && { [ -d node_modules ] || npm ci --no-audit --ignore-scripts; } \
		&& npm run --silent check && npm run --silent build

docs: $(READY) ## The models' documentation as one HTML file, and docs/reference/dictionary.md
	@VEELOCITY_WORKING_FILE=:memory: $(BIN)/dbt docs generate --static --empty-catalog --project-dir dbt_project --profiles-dir dbt_project --target-path ../data/dbt/docs
	@$(BIN)/python -m veelocity_pipeline.published.dictionary data/dbt/docs docs/reference/dictionary.md
	@echo "Open data/dbt/docs/static_index.html; every published column: docs/reference/dictionary.md"

evidence: $(READY) ## Evidence's pages over the published file, on http://localhost:3000 (needs Node 18 or later)
	@cd dashboards/evidence && file="$$(../../$(BIN)/python published_file.py)" && { [ -d node_modules ] || npm ci --no-audit; } \
		&& export EVIDENCE_SOURCE__veelocity__filename="$$file" && npm run sources && npm run dev

licences: $(READY) ## docs/reference/licences.md: the licence of each dependency, from the installed packages
	@$(BIN)/python -m veelocity_pipeline.licences docs/reference/licences.md

bench: $(READY) ## How fast it is: rows, seconds and requests of a first load and of an idle one
	@$(BIN)/python -m bench

audit: $(READY) ## Is any pinned dependency known to be vulnerable? (asks pypi.org)
	@$(BIN)/pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r requirements.lock

mutate: $(READY) ## Change the metric SQL one thing at a time: do the tests notice? (MODELS="…" for some models)
	@$(BIN)/python -m tests.dbt.mutate $(MODELS)

setup: $(READY) ## Make .venv from requirements.lock (the other targets do it by themselves)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
		|| { echo "Python 3.11, 3.12 or 3.13 is needed; name it: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up $(VENV) …"
	@$(PYTHON) -m venv --clear $(VENV)
	@uv=$$(command -v uv || { $(BIN)/pip install --quiet uv >/dev/null 2>&1 && echo $(BIN)/uv; }); \
	if [ -n "$$uv" ] && "$$uv" pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock; \
	then :; else $(BIN)/pip install --quiet --require-hashes -r requirements.lock; fi
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation --no-index --editable .
	@$(BIN)/python -m veelocity_pipeline.transform.prepare
	@touch $@

lock: ## Pin every dependency anew (needs uv)
	@uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet -o requirements.lock

# Everything a developer or CI runs. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

UV_VERSION := 0.13.8
BOOT := .local/boot
VENV := .venv
EMULATOR_VENV := .local/emulator-venv
PY := $(VENV)/bin/python
LOCKS := infra/requirements
STAGE ?= dev
AS_OF ?=
VERSION ?=
PYTEST_ARGS ?=
# tests/conftest.py says which worker takes what.
WORKERS ?= 2
SIDE_BY_SIDE := -n $(WORKERS)
# For campaigns, whose length the caller chooses.
NO_LIMIT := --timeout=0 -o session_timeout=
# Branches of what runs inside pytest; functions on the emulator are other processes. Only a whole run has a floor.
COVERAGE := --cov --cov-report=term:skip-covered --cov-fail-under=88

# uv when it could be bootstrapped (seconds instead of minutes), else pip; both check the locks' hashes.
UV := $(BOOT)/bin/uv

# A machine behind a proxy of its own has its certificates in the system's store.
export UV_SYSTEM_CERTS ?= 1

# Python keeps what it compiles, whatever the environment says: importing pandas and MLflow takes a process six seconds
# without and two with it.
unexport PYTHONDONTWRITEBYTECODE

# Every target with a name of letters: none of them is a file.
.PHONY: $(shell sed -nE 's/^([a-z-]+):.*/\1/p' $(MAKEFILE_LIST))

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

# ── Environments ─────────────────────────────────────────────────────────────────────────────────────

setup: ## Virtual environments from the hashed lock files
	@bash infra/local/one_at_a_time.sh $(MAKE) --no-print-directory -j 2 environments

environments: $(VENV)/.ready $(EMULATOR_VENV)/.ready

$(BOOT)/.ready: infra/local/find_python.sh
	@python=$$(bash infra/local/find_python.sh); echo "using $$($$python --version) for the virtual environments"
	@rm -rf $(BOOT) && "$$(bash infra/local/find_python.sh)" -m venv $(BOOT)
	@$(BOOT)/bin/python -m pip install -qq --disable-pip-version-check uv==$(UV_VERSION) \
	  || echo "uv $(UV_VERSION) cannot be had here: pip is used, which takes minutes longer"
	@touch $@

$(VENV)/.ready: $(BOOT)/.ready $(LOCKS)/dev.txt
	@echo "installing the development environment into $(VENV)"
	@test -x $(PY) || $(BOOT)/bin/python -m venv --without-pip $(VENV)
	@{ test -x $(UV) && $(UV) pip install --quiet --python $(PY) --require-hashes -r $(LOCKS)/dev.txt; } \
	  || $(BOOT)/bin/python -m pip --python $(PY) install --quiet --disable-pip-version-check --require-hashes -r $(LOCKS)/dev.txt
	@$(PY) -m infra.packaging.training_native
	@touch $@

$(EMULATOR_VENV)/.ready: $(BOOT)/.ready $(LOCKS)/emulator.txt
	@echo "installing the emulator into $(EMULATOR_VENV)"
	@rm -rf $(EMULATOR_VENV) && $(BOOT)/bin/python -m venv --without-pip $(EMULATOR_VENV)
	@{ test -x $(UV) && $(UV) pip install --quiet --python $(EMULATOR_VENV)/bin/python --require-hashes -r $(LOCKS)/emulator.txt; } \
	  || $(BOOT)/bin/python -m pip --python $(EMULATOR_VENV)/bin/python install --quiet --disable-pip-version-check --require-hashes -r $(LOCKS)/emulator.txt
	@touch $@

# Linters of the templates, whose dependencies contradict ours and each other's.
SAM := .local/sam-venv
CHECKOV := .local/checkov-venv
$(SAM)/.ready: $(LOCKS)/sam.txt
$(CHECKOV)/.ready: $(LOCKS)/checkov.txt
$(SAM)/.ready $(CHECKOV)/.ready: $(BOOT)/.ready
	@rm -rf $(@D) && $(BOOT)/bin/python -m venv --without-pip $(@D)
	@{ test -x $(UV) && $(UV) pip install --quiet --python $(@D)/bin/python --require-hashes -r $(filter %.txt,$^); } \
	  || $(BOOT)/bin/python -m pip --python $(@D)/bin/python install --quiet --disable-pip-version-check --require-hashes -r $(filter %.txt,$^)
	@touch $@

# Installed once from the lock file; a machine without Node gets it from a hashed wheel.
node_modules/.ready: $(BOOT)/.ready package.json package-lock.json $(LOCKS)/node.txt infra/local/find_node.sh
	@export PATH="$$(bash infra/local/find_node.sh):$$PATH"; npm ci --silent --ignore-scripts && touch $@

# The tools that check the OpenAPI document and make TypeScript of it.
API_TOOLS := clients/typescript/node_modules/.ready
$(API_TOOLS): $(BOOT)/.ready clients/typescript/package.json clients/typescript/package-lock.json
	@export PATH="$$(bash infra/local/find_node.sh):$$PATH"; cd clients/typescript && npm ci --silent --ignore-scripts && touch node_modules/.ready

browser: setup ## A Chromium for the board's tests: an installed one, else Playwright's, else Debian's (as root); curl for examples
	@$(PY) -m tests.support.chromium
	@$(PY) -m tests.support.curl

lock: $(BOOT)/.ready ## Resolve the requirements anew into the hashed lock files (UPGRADE=1 takes newer versions)
	@test -x $(UV) || { echo "make lock needs uv"; exit 1; }
	@compile() { $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url $(if $(UPGRADE),--upgrade) "$$@"; }; \
	compile $(LOCKS)/dev.in -o $(LOCKS)/dev.txt; \
	compile $(LOCKS)/api.in -c $(LOCKS)/dev.txt -o $(LOCKS)/api.txt; \
	compile $(LOCKS)/batch.in -c $(LOCKS)/dev.txt -o $(LOCKS)/batch.txt; \
	compile $(LOCKS)/emulator.in -o $(LOCKS)/emulator.txt; \
	compile $(LOCKS)/sam.in -o $(LOCKS)/sam.txt; \
	compile $(LOCKS)/checkov.in -o $(LOCKS)/checkov.txt
	@! grep -l -- '--index-url\|--find-links\|--extra-index-url' $(LOCKS)/*.txt || { echo "a lock file names an index"; exit 1; }

# ── The system on this machine ───────────────────────────────────────────────────────────────────────

demo: setup ## Everything: start, deploy, sample, train, rebuild, one call of each kind (AS_OF=2024-05-01 moves the clock)
	@$(PY) -m infra.local demo $(if $(AS_OF),--as-of $(AS_OF))

up: setup ## Start the emulator, MLflow and the stack with the data they had
	@$(PY) -m infra.local up

down: setup ## Stop all of it; data stays in .local/
	@$(PY) -m infra.local down

status: setup ## What runs
	@$(PY) -m infra.local status

train: setup ## Train and register champion and challenger candidates
	@$(PY) -m infra.local train

promote: setup ## Move an alias to a version and mirror it (VERSION=2 [STAGE=champion|challenger] [FORCE=1 even if worse])
	@test -n "$(VERSION)" || { echo "which version? make promote VERSION=2 [STAGE=champion|challenger] [FORCE=1]"; exit 2; }
	@$(PY) -m infra.local promote --version $(VERSION) --stage $(or $(filter champion challenger,$(STAGE)),champion) $(if $(FORCE),--force)

# ── Quality ──────────────────────────────────────────────────────────────────────────────────────────

test: setup ## The gate: lint, types, every test, on an emulator and a browser of its own (BROWSER=0 without)
	@$(MAKE) --no-print-directory -j 2 --output-sync=target lint test-js browser
	@$(PY) -m pytest $(SIDE_BY_SIDE) $(if $(PYTEST_ARGS),$(PYTEST_ARGS),$(COVERAGE))

test-fast: setup ## What needs neither emulator nor browser, in under a minute
	@$(PY) -m pytest $(SIDE_BY_SIDE) -m "not emulator and not browser and not slow" $(PYTEST_ARGS)

test-iam: setup ## Each function under its own role: the end-to-end tests with rights enforced, used against granted
	@ENFORCE_IAM=1 $(PY) -m pytest -n 0 tests/security tests/e2e $(PYTEST_ARGS)

mutate-rights: setup ## Take away each right of each role in turn and see that it is missed ([FUNCTIONS="sweep ui"])
	@ENFORCE_IAM=1 MUTATE_RIGHTS="$(or $(FUNCTIONS),all)" $(PY) -m pytest $(NO_LIMIT) -n 0 -s -q tests/e2e/test_rights.py -k "taken_away" $(PYTEST_ARGS)

lint: lint-py lint-templates lint-js lint-api ## Ruff (rules and format), import contracts, mypy; ESLint, Prettier, tsc; Redocly, Spectral; cfn-lint, sam, checkov

lint-py: setup ## Ruff (rules and format), import contracts, mypy
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/lint-imports --no-logo
	@$(VENV)/bin/mypy

lint-api: $(API_TOOLS) ## Redocly and Spectral over docs/openapi.json
	@export PATH="$$(bash infra/local/find_node.sh):$$PATH"; cd clients/typescript && npm run --silent lint 2>&1 | tail -n 40

lint-templates: setup $(SAM)/.ready $(CHECKOV)/.ready ## cfn-lint, sam validate --lint and checkov over the templates that AWS gets
	@$(PY) -m infra.packaging.lint_templates --sam $(SAM)/bin/sam --checkov $(CHECKOV)/bin/checkov

lint-js: node_modules/.ready ## ESLint, Prettier and tsc --checkJs over the board's JavaScript
	@export PATH="$$(bash infra/local/find_node.sh):$$PATH"; npm run --silent lint

test-js: node_modules/.ready ## Unit tests of the board's pure modules
	@export PATH="$$(bash infra/local/find_node.sh):$$PATH"; npm run --silent test

format: setup node_modules/.ready ## Format the code
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .
	@export PATH="$$(bash infra/local/find_node.sh):$$PATH"; npm run --silent format

bench-batch: setup ## Seconds and peak memory of each rebuild step, 10 k to 1 M matches
	@$(PY) -m benchmarks.batch --record

bench-bulk: setup ## A rebuild in items on the emulator: equal to one run byte for byte? (ARGS="--leagues 10 --each 1000 --record")
	@$(PY) -m benchmarks.bulk $(ARGS)

bench-export: setup ## Peak memory of exporting a table by a scan, 2,000 to 200,000 rows
	@$(PY) -m benchmarks.export $(ARGS)

bench-backtest: setup ## Seconds and peak memory of 24 refits over 41,000 matches (ARGS="--record --recipe champion")
	@$(PY) -m benchmarks.backtest $(ARGS)

bench-matching: setup ## Rows of odds that find their match, by country, under official names
	@$(PY) -m benchmarks.matching

bench-serving: setup ## Lists and single rows of 7 k, 100 k and 1 M matches: cold, warm, reads, memory (ARGS="--sizes 7000")
	@$(PY) -m benchmarks.serving --record $(ARGS)

bench-async: setup ## The queue beside one request at a time, on the local system (ARGS="--tasks 5000 --out FILE")
	@set -a; test -f .local/demo.env && . .local/demo.env; set +a; $(PY) -m benchmarks.task_queue $(ARGS)

chaos: setup ## Thousands of tasks while workers die and services fail; 200 damages of each object (CHAOS_TASKS=5000 CHAOS_MUTATIONS=200 CHAOS_SEED=1)
	@CHAOS_TASKS=$(or $(CHAOS_TASKS),5000) CHAOS_MUTATIONS=$(or $(CHAOS_MUTATIONS),200) CHAOS_ROUNDS=$(or $(CHAOS_ROUNDS),40) $(PY) -m pytest $(NO_LIMIT) -n 0 -s tests/chaos

redrive: setup ## Run again what failed without being predicted (STACK=name for AWS; ARGS="--list", "--reopen")
	@$(if $(STACK),,set -a; test -f .local/demo.env && . .local/demo.env; set +a;) $(PY) -m infra.ops.redrive $(if $(STACK),--stack $(STACK)) $(ARGS)

doctor: setup ## Check every stored object against its checksum and repair it (STACK=name for AWS; ARGS=--check only looks)
	@$(if $(STACK),,set -a; test -f .local/demo.env && . .local/demo.env; set +a;) $(PY) -m infra.ops.doctor $(if $(STACK),--stack $(STACK)) $(ARGS)

replay: setup ## Run a day of batch again and show it (AS_OF=2024-03-20 [STACK=name for AWS])
	@test -n "$(AS_OF)" || { echo "which day? make replay AS_OF=2024-03-20 [STACK=soccer-prod]"; exit 2; }
	@$(if $(STACK),,set -a; test -f .local/demo.env && . .local/demo.env; set +a;) $(PY) -m infra.ops.replay --as-of $(AS_OF) $(if $(STACK),--stack $(STACK)) $(ARGS)

bench-cold: setup ## Cold start and warm time of every function, into infra/reference/measured.json
	@$(PY) -m benchmarks.cold --record

openapi: setup $(API_TOOLS) ## docs/openapi.json from the code, and the client packages' cores from it
	@$(PY) -m infra.reference.openapi
	@$(PY) -m infra.reference.clients
	@export PATH="$$(bash infra/local/find_node.sh):$$PATH"; cd clients/typescript && npm run --silent generate >/dev/null 2>&1

fuzz: setup ## Requests generated from the OpenAPI document against BASE_URL (default: the local system; FUZZ_EXAMPLES=400)
	@set -a; test -f .local/demo.env && . .local/demo.env; set +a; $(PY) -m tests.fuzz.run

load: setup ## Load test with a report in docs/load, against the local system or BASE_URL (USERS=8 DURATION=120)
	@set -a; test -f .local/demo.env && . .local/demo.env; set +a; $(PY) -m benchmarks.load.run --users $(or $(USERS),8) --duration $(or $(DURATION),120)

screenshots: setup lint-js browser ## Every page of the board at 390, 1280 and 1920 pixels, light and dark, into build/screenshots; axe-core on each
	@PICTURES=1 $(PY) -m pytest -q -n 0 tests/browser/test_accessibility.py $(PYTEST_ARGS)

bench-board: setup ## First content and filter changes of the board in a browser, on the local system
	@set -a; test -f .local/demo.env && . .local/demo.env; set +a; $(PY) -m benchmarks.page $(ARGS)

bench: setup ## Benchmarks that print their figures and the machine, into docs/benchmarks (ARGS="--rounds 3 --dry")
	@$(PY) -m benchmarks.bench $(ARGS)

profile: setup ## Where the time inside POST /predict/ goes, by module and by function
	@$(PY) -m benchmarks.profile_predict $(ARGS)

# ── AWS ──────────────────────────────────────────────────────────────────────────────────────────────

package: setup ## Build what AWS gets, print sizes, fail on a limit (STAGE=dev [ARCH=arm64] [RUNTIME=python3.13])
	@$(PY) -m infra.packaging.build --stage $(STAGE)
	@BARE_STAGE=$(STAGE) $(PY) -m pytest -q -n 0 tests/security/test_bare_package.py

reproducible: setup ## Build a stage twice from nothing, in two places, and compare (STAGE=dev [ARCH=arm64])
	@$(PY) -m infra.packaging.reproducible --stage $(STAGE)

deploy: setup ## Deploy to AWS with the change set shown first (STAGE=dev|prod [YES=1] [SET="Name=value ..."] [FROM_FILE=1] [ROLE=arn])
	@$(PY) -m infra.ops.deploy deploy --stage $(STAGE) $(if $(YES),--yes) $(if $(FROM_FILE),--from-file) \
	  $(if $(ROLE),--role-arn $(ROLE)) $(foreach one,$(SET),--set '$(one)')

repair: setup ## Go on with a rollback on AWS that failed, once its cause is gone (STAGE=dev|prod [ROLE=arn])
	@$(PY) -m infra.ops.deploy repair --stage $(STAGE) $(if $(ROLE),--role-arn $(ROLE))

destroy: setup ## Delete a stack on AWS; bucket and table are kept (STAGE=dev|prod [YES=1])
	@$(PY) -m infra.ops.deploy destroy --stage $(STAGE) $(if $(YES),--yes)

rotate-keys: setup ## New API keys of each level, the ones before stay valid (STAGE=dev|prod)
	@$(PY) -m infra.ops.api_keys $(or $(STACK_NAME),soccer-$(STAGE))/api-keys

# ── Supply chain and pages made from data ────────────────────────────────────────────────────────────

rights: setup ## docs/rights.md from the policy files, .chalice/config.json from the functions
	@$(PY) -m infra.reference.rights
	@$(PY) -m infra.packaging.chalice_config

cost: setup ## The tables of docs/cost.md from measured times and dated prices
	@$(PY) -m infra.reference.cost --write

licences: setup ## docs/licences.md from the lock files
	@$(PY) -m infra.reference.licences

audit: setup ## Known vulnerabilities of the locked packages (needs the internet; 3 = no service could be asked)
	@$(PY) -m infra.packaging.audit

clean: ## Remove builds and caches (the running system and its data stay)
	@rm -rf build .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis

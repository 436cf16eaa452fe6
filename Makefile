# The only entry point. `make help` lists what it can do.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
LOCK := python-service/requirements-dev.lock
# The environment is up to date when it holds the marker of this very lock file.
MARKER := .venv/.installed-$(shell sha256sum $(LOCK) | cut -c1-16)
CODE := python-service/src tests fixtures
NODE_RUN := $(BIN)/python -m kette.n8n_runtime.node_run

.PHONY: help
help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

.PHONY: setup
setup: $(MARKER)  ## Make .venv, install the pinned n8n and build the node package
	@$(BIN)/python -m kette.n8n_runtime

$(MARKER):
	@.ci/check-tools $(PYTHON)
	@echo "Making .venv with the pinned packages (about a minute) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --progress-bar off --disable-pip-version-check \
		--require-hashes -r $(LOCK)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check \
		--no-deps --no-build-isolation -e python-service
	@rm -f .venv/.installed-*
	@touch $(MARKER)

.PHONY: demo
demo: setup  ## Play real orders through service, n8n and a sandbox of the vendors
	@$(BIN)/kette demo

.PHONY: test
test: setup system-packages lint types test-nodes test-python  ## Run every test, real n8n included

.PHONY: system-packages
system-packages:
	@.ci/system-packages

.PHONY: lint
lint: setup  ## Check style and format of Python and of the node package
	$(BIN)/ruff check --config python-service/pyproject.toml $(CODE)
	$(BIN)/ruff format --config python-service/pyproject.toml --check $(CODE)
	$(NODE_RUN) lint

.PHONY: types
types: setup  ## Check the types of the service
	cd python-service && ../$(BIN)/mypy

.PHONY: test-nodes
test-nodes: setup
	$(NODE_RUN) build test

.PHONY: test-python
test-python: setup system-packages
	$(BIN)/pytest -c python-service/pyproject.toml tests

.PHONY: test-fast
test-fast: setup  ## Run the tests that need no n8n
	$(BIN)/pytest -c python-service/pyproject.toml -m "not e2e" tests

.PHONY: bench
bench: setup  ## Measure how fast the service takes orders in
	$(BIN)/python tests/load/bench.py

.PHONY: openapi
openapi: setup  ## Write the service's OpenAPI file
	$(BIN)/kette openapi > docs/openapi.json

.PHONY: workflows-manifest
workflows-manifest: setup  ## Write workflow files canonically and their digests into the manifest
	$(BIN)/python -m kette.n8n_runtime.workflow_files

.PHONY: workflows-export
workflows-export: setup  ## Write the workflows of a running n8n (KETTE_N8N_URL, KETTE_N8N_API_KEY) back
	$(BIN)/kette workflows export
	$(BIN)/python -m kette.n8n_runtime.workflow_files

.PHONY: lock
lock:  ## Pin all Python packages anew from pyproject.toml
	cd python-service && ../$(BIN)/pip-compile $(COMPILE) --output-file requirements.lock pyproject.toml
	cd python-service && ../$(BIN)/pip-compile $(COMPILE) --extra dev \
		--output-file requirements-dev.lock pyproject.toml

COMPILE := --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links

.PHONY: clean
clean:  ## Remove .venv, running state and what tools left; the cache folder stays
	rm -rf .venv .run .ruff_cache .mypy_cache .pytest_cache .hypothesis
	rm -rf python-service/.mypy_cache python-service/.pytest_cache node-specs/dist
	find python-service tests fixtures -name __pycache__ -type d -prune -exec rm -rf {} +

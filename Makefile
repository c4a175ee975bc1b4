# Saem: `make run` and `make test` need Python 3.11 or newer, make and a package index.
PYTHON ?= python3
DOCS ?= docs
HOME_DIR ?= .saem
PORT ?= 8080
VENV := .venv
BIN := $(VENV)/bin
SOURCES := rag indexer api eval tests

.PHONY: run test check lint types imports lock clean

run: $(VENV)/.local ## Install, fetch the models, index DOCS, serve
	@echo "== Models (fetched once)"
	@$(BIN)/rag models pull
	@echo "== Indexing $(DOCS) into $(HOME_DIR)"
	@$(BIN)/rag index "$(DOCS)" --home "$(HOME_DIR)" || [ $$? -eq 3 ]
	@echo "== Starting the service (Ctrl-C stops it)"
	@exec $(BIN)/rag serve --home "$(HOME_DIR)" --port $(PORT)

test: $(VENV)/.dev ## Install and run the whole test suite, with the real models
	@echo "== Models (fetched once)"
	@$(BIN)/rag models pull
	@echo "== Tests"
	@$(BIN)/python -m pytest

check: $(VENV)/.dev ## What must hold before a commit: lint, types, layers, tests
	@$(MAKE) --no-print-directory lint types imports test

lint: $(VENV)/.dev
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)

types: $(VENV)/.dev
	@$(BIN)/mypy

imports: $(VENV)/.dev
	@$(BIN)/lint-imports --no-logo

lock: $(VENV)/.dev ## Pin everything anew
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --upgrade \
		--extra local --extra dev pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --upgrade \
		--extra gpu pyproject.toml -o requirements-gpu.lock

$(VENV)/bin/python:
	@echo "== Creating $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Saem needs Python 3.11 or newer; try: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.local: pyproject.toml requirements.lock | $(VENV)/bin/python
	@echo "== Installing (a few minutes the first time)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c requirements.lock -e '.[local]'
	@touch $@

$(VENV)/.dev: $(VENV)/.local
	@echo "== Installing what the tests need"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c requirements.lock -e '.[local,dev]'
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# Saem: `make run` and `make test` need Python 3.11 or newer, make and a package index.
PYTHON ?= python3
DOCS ?= docs
HOME_DIR ?= .saem
PORT ?= 8080
DATA ?= ../shared/data
VENV := .venv
BIN := $(VENV)/bin
SOURCES := rag indexer api eval tests

.PHONY: run test test-vllm check lint types imports bench bench-data bench-report lock clean

run: $(VENV)/.local ## Install, fetch the models, index DOCS, serve
	@echo "== Models (fetched once)"
	@$(BIN)/rag models pull
	@echo "== Indexing $(DOCS) into $(HOME_DIR)"
	@$(BIN)/rag index "$(DOCS)" --home "$(HOME_DIR)" || [ $$? -eq 3 ]
	@echo "== Starting the service (Ctrl-C stops it)"
	@exec $(BIN)/rag serve --home "$(HOME_DIR)" --port $(PORT)

test: $(VENV)/.dev ## Install and run the whole test suite, with the real models
	@echo "== Models (fetched once)"
	@$(BIN)/rag models pull multilingual-e5-small smollm2
	@echo "== Tests"
	@$(BIN)/python -m pytest

VLLM := .venv-vllm

test-vllm: $(VLLM)/.done ## The clients of language models against a real vLLM on this CPU (3 GB, 10 minutes)
	@echo "== The default model, as vLLM takes it"
	@test -f $(VLLM)/smollm2/tokenizer.json || HF_HUB_OFFLINE=1 $(VLLM)/bin/python -m tests.vllm.convert $(VLLM)/smollm2
	@echo "== Tests, once vLLM has loaded it (minutes)"
	@HF_HUB_OFFLINE=1 VLLM_CPU_KVCACHE_SPACE=1 SAEM_VLLM_MODEL="$(CURDIR)/$(VLLM)/smollm2" \
		$(VLLM)/bin/python -m pytest -v tests/vllm

$(VLLM)/.done: pyproject.toml tests/vllm/requirements.txt tests/vllm/overrides.txt
	@echo "== Installing vLLM, in an environment of its own"
	@$(PYTHON) -m venv $(VLLM)
	@$(VLLM)/bin/python -m pip install -q --disable-pip-version-check uv
	@$(VLLM)/bin/uv pip install -q --python $(VLLM)/bin/python --overrides tests/vllm/overrides.txt \
		$(addprefix --find-links ,$(PIP_FIND_LINKS)) $(if $(PIP_INDEX_URL),--index-url "$(PIP_INDEX_URL)") \
		-r tests/vllm/requirements.txt -r pyproject.toml --extra local
	@touch $@

check: $(VENV)/.dev ## What must hold before a commit: lint, types, layers, tests
	@$(MAKE) --no-print-directory lint types imports test

lint: $(VENV)/.dev
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)

types: $(VENV)/.dev
	@$(BIN)/mypy

imports: $(VENV)/.dev
	@$(BIN)/lint-imports --no-logo

BENCH := eval/bench/results
RUN := PYTHONPATH=. .venv-bench/bin/python -m eval.bench

bench: bench-data .venv-bench/.done ## Measure Saem beside other systems on DATA (an hour of a quiet machine)
	@.venv-bench/bin/rag models pull
	@mkdir -p $(BENCH)
	-$(RUN).sparse --data "$(DATA)/enwiki-200k" --queries "$(DATA)/squad/dev-v1.1.json" --json $(BENCH)/sparse.json
	-$(RUN).sparse --data "$(DATA)/scifact" --sizes 5183 --questions 300 --json $(BENCH)/scifact.json
	-$(RUN).build --data "$(DATA)/enwiki-200k" --repetitions 2 --json $(BENCH)/build.json
	-$(RUN).freshness --data "$(DATA)/enwiki-200k" --repetitions 2 --json $(BENCH)/freshness.json
	-$(RUN).dense --json $(BENCH)/dense.json
	-$(RUN).encode --data "$(DATA)/scifact" --json $(BENCH)/encode.json
	-$(RUN).http --json $(BENCH)/http.json
	-$(RUN).rag_systems --data "$(DATA)/scifact" --json $(BENCH)/rag_systems.json
	-$(RUN).gpu --json $(BENCH)/gpu.json
	@$(MAKE) --no-print-directory bench-report

bench-data:
	@test -d "$(DATA)/scifact" || { echo "There is no '$(DATA)/scifact'. Name the data: make bench DATA=FOLDER, which holds"; \
		echo '  scifact/                     the data set of BEIR'; \
		echo '  enwiki-200k/corpus.jsonl.gz  paragraphs of Wikipedia, in the form of BEIR'; \
		echo '  squad/dev-v1.1.json          the questions of SQuAD 1.1'; exit 1; }

bench-report: .venv-bench/.done ## Tables and plots of what `make bench` has measured
	@$(RUN).report $(BENCH)

.venv-bench/.done: pyproject.toml requirements.lock eval/bench/requirements.in
	@echo "== Installing what is measured, in an environment of its own"
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install -q --disable-pip-version-check uv
	@.venv-bench/bin/uv pip install -q --python .venv-bench/bin/python -c requirements.lock \
		$(addprefix --find-links ,$(PIP_FIND_LINKS)) $(if $(PIP_INDEX_URL),--index-url "$(PIP_INDEX_URL)") \
		--overrides eval/bench/overrides.txt -e '.[local,torch,eval]' -r eval/bench/requirements.in
	@touch $@

lock: $(VENV)/.dev ## Pin everything anew
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --upgrade \
		--extra local --extra torch --extra eval --extra s3 --extra dev pyproject.toml -o requirements.lock
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
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c requirements.lock -e '.[local,torch,eval,s3,dev]'
	@touch $@

clean:
	rm -rf $(VENV) .venv-bench $(VLLM) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

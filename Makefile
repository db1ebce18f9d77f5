# The first call of any target makes .venv by itself. PYTHON chooses the interpreter, VENV the folder.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PACKAGES := scope_client scope_django scope_flask scope_langchain

.PHONY: install demo outage django-site flask-site langchain-chain test mutants lint format typecheck bench bench-peers profile build clean

install: $(VENV)/.installed

demo: $(VENV)/.runs
	$(BIN)/scope demo

outage: $(VENV)/.runs
	$(BIN)/python example_projects/plain_script/outage.py

django-site: $(VENV)/.installed
	$(BIN)/python example_projects/django_site/run.py $(ARGS)

flask-site: $(VENV)/.installed
	$(BIN)/python example_projects/flask_site/run.py $(ARGS)

langchain-chain: $(VENV)/.installed
	$(BIN)/python example_projects/langchain_chain/chain.py

test: $(VENV)/.installed
	$(BIN)/python -m pytest $(ARGS)

mutants: $(VENV)/.installed
	$(BIN)/python -m tests.mutation $(ARGS)

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

typecheck: $(VENV)/.installed
	$(BIN)/mypy

bench: $(VENV)/.installed
	$(BIN)/python -m compileall -q $(PACKAGES)
	$(BIN)/python -m benchmarks $(ARGS)

bench-peers: $(VENV)/.installed
	$(BIN)/python -m benchmarks.peers

profile: $(VENV)/.installed
	$(BIN)/python -m compileall -q $(PACKAGES)
	$(BIN)/python -X importtime -c "import scope_client" 2>&1 | sort -t : -k 2nr | head -n 15
	$(BIN)/python -m benchmarks.profiling

build: $(VENV)/.installed
	$(BIN)/python -m build

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

# What `make demo` needs, and no more: it is there sooner.
$(VENV)/.runs: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable ".[local]"
	$(BIN)/python -m compileall -q $(PACKAGES)
	touch $@

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable ".[all]" --group dev $(CONSTRAINTS)
	$(BIN)/python -m compileall -q $(PACKAGES)
	touch $@ $(VENV)/.runs

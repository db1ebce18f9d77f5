# The first call of any target makes .venv by itself. PYTHON chooses the interpreter, VENV the folder, and WORKERS how
# many processes run the tests: twice as many as there are cores, or 0 for none but the one that reports. SECONDS is how long
# a soak lasts, and GROUP names the dependencies that are installed beside those of the packages.
PYTHON ?= python3
VENV ?= .venv
WORKERS ?= auto
SECONDS ?= 600
GROUP ?= dev
BIN := $(VENV)/bin
PACKAGES := scope_client scope_django scope_flask scope_langchain
SHELL := bash
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal
# What `make test` leaves to `make test-all`, to take five minutes at the most: whole programs, pages, what takes long.
LONG := cli doctor field manual recipes testing together local/test_face.py otel/test_real_instrumentations.py \
	core/http/test_sizes.py core/pulling/test_crashes.py flask_ext/test_cli.py flask_ext/test_site.py \
	$(patsubst %,django_app/test_%.py,commands servers site) $(patsubst %,project/test_%.py, \
	docs examples face langchain_theirs packaging pre_commit reproducible sites soak typed_functions typing)
# Installs, and names the packages while they arrive, in one paragraph. On an old Python the newest gevent would be compiled.
PIP_INSTALL := set -o pipefail; $(BIN)/python -m pip install --prefer-binary --progress-bar off
NAMED := | awk '/^Collecting/ { sub(/[^A-Za-z0-9._-].*/, "", $$2); printf " %s", $$2; fflush() } END { print "" }'

.PHONY: help install demo outage changing pinned django-site fastapi-site flask-site langchain-chain test test-all coverage langchain-tests mutants soak fleet lint format typecheck audit docs bench bench-peers scaling profile build check-package check-install clean

help:
	@echo "make install          the packages, what they work with and the tools to develop them, into $(VENV)"
	@echo "make demo             the quick start, run against a platform on this machine"
	@echo "make outage           reads that go on while the platform is down"
	@echo "make changing         a prompt that is in use is changed, code first and prompt first"
	@echo "make pinned           a conversation keeps its version through a promotion and a deployment"
	@echo "make django-site      a Django site with prompts in its pages"
	@echo "make fastapi-site     a FastAPI site that reads prompts on its event loop, and streams answers"
	@echo "make flask-site       a Flask site with prompts in its pages"
	@echo "make langchain-chain  a LangChain chain that follows a promotion"
	@echo "make test             the packages, in a few minutes; ARGS=\"tests/cli -k token\" for any part of the whole suite"
	@echo "make test-all         the whole suite: whole programs as well, type checkers, browsers, other people's tools"
	@echo "make coverage         the whole suite, and the lines that it leaves out; exits with 1 if they are too many"
	@echo "make langchain-tests  langchain-core's own tests, with Scope's templates in place of LangChain's"
	@echo "make mutants          puts faults into the code, and fails if no test notices one"
	@echo "make soak             ten minutes of reads while everything fails in turn; SECONDS=120 for two"
	@echo "make fleet            how long many processes take over a name that nobody knows, with a store and without"
	@echo "make lint             what ruff has to say"
	@echo "make format           ruff's corrections"
	@echo "make typecheck        mypy, strict"
	@echo "make audit            what bandit and zizmor have to say about the security of the code and of the workflows"
	@echo "make docs             the manual, into docs/_build/html"
	@echo "make bench            the speed, beside the plain thing"
	@echo "make bench-peers      the speed of other clients"
	@echo "make scaling          how many requests 1, 8 and 64 processes make, without a store and with one"
	@echo "make profile          where the time goes"
	@echo "make build            the wheel and the sdist"
	@echo "make check-package    the wheel and the sdist, looked at by twine, check-wheel-contents and pyroma"
	@echo "make check-install    the wheel with each extra alone, in an environment of its own"
	@echo "make clean            removes what the others made"

install: $(VENV)/.installed

demo: $(VENV)/.runs
	$(BIN)/scope demo

outage: $(VENV)/.runs
	$(BIN)/python example_projects/plain_script/outage.py

pinned: $(VENV)/.runs
	@$(BIN)/python example_projects/plain_script/pinned.py

changing: $(VENV)/.runs
	@$(BIN)/python example_projects/plain_script/changing.py

django-site: $(VENV)/.installed
	$(BIN)/python example_projects/django_site/run.py $(ARGS)

fastapi-site: $(VENV)/.installed
	$(BIN)/python example_projects/fastapi_site/run.py $(ARGS)

flask-site: $(VENV)/.installed
	$(BIN)/python example_projects/flask_site/run.py $(ARGS)

langchain-chain: $(VENV)/.installed
	$(BIN)/python example_projects/langchain_chain/chain.py

test: $(VENV)/.installed
	$(PYTEST) $(or $(ARGS),$(LONG:%=--ignore=tests/%))

test-all: $(VENV)/.installed
	$(PYTEST) $(ARGS)

coverage: $(VENV)/.installed
	rm -f .coverage*
	$(PYTEST) -p tests.counted $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --show-missing --skip-covered

langchain-tests: $(VENV)/.installed
	$(BIN)/python -m tests.langchain_theirs $(ARGS)

mutants: $(VENV)/.installed
	$(BIN)/python -m tests.mutation $(ARGS)

soak: $(VENV)/.installed
	$(BIN)/python -m tests.soak --seconds $(SECONDS) $(ARGS)

fleet: $(VENV)/.installed
	$(BIN)/python -m tests.soak.fleet

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

typecheck: $(VENV)/.installed
	$(BIN)/mypy

audit: $(VENV)/.installed
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive $(PACKAGES)
	$(BIN)/zizmor --offline --quiet --persona pedantic .github

docs: $(VENV)/.installed
	$(BIN)/sphinx-build -E -W --keep-going -n -q -b html docs docs/_build/html
	@echo "The manual: docs/_build/html/index.html"

bench: $(VENV)/.installed
	$(BIN)/python -m compileall -q $(PACKAGES)
	$(BIN)/python -m benchmarks $(ARGS)

bench-peers: $(VENV)/.installed
	$(BIN)/python -m benchmarks.peers

scaling: $(VENV)/.installed
	$(BIN)/python -m benchmarks.scaling

profile: $(VENV)/.installed
	$(BIN)/python -m compileall -q $(PACKAGES)
	$(BIN)/python -X importtime -c "import scope_client" 2>&1 | sort -t : -k 2nr | head -n 15
	$(BIN)/python -m benchmarks.profiling

build: $(VENV)/.installed
	rm -rf dist
	$(BIN)/python -m build --no-isolation

# Of what pyroma asks for, the project has no address for mail.
check-package: build
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl
	$(BIN)/pyroma --min 10 --skip-tests AuthorEmail dist/*.tar.gz

check-install: build
	$(BIN)/python -m tests.installs dist/*.whl

clean:
	rm -rf $(VENV) build dist docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

# What `make demo` needs, and no more: it is there sooner.
$(VENV)/.runs: pyproject.toml | $(VENV)/bin/python
	@echo "Installing the client and its local platform into $(VENV), a few seconds:"
	@$(PIP_INSTALL) --editable ".[local]" $(NAMED)
	@$(BIN)/python -m compileall -q $(PACKAGES)
	@touch $@

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	@echo "Installing the packages, what they work with and the tools to develop them into $(VENV), about a minute:"
	@$(PIP_INSTALL) --editable ".[all]" --group $(GROUP) $(CONSTRAINTS) $(NAMED)
	@$(BIN)/python -m compileall -q $(PACKAGES)
	@touch $@ $(VENV)/.runs

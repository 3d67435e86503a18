# Every recipe that people and CI use. `make help` lists them.
#   make demo            a whole market day on an in-process chain; needs Python alone
#   make test            linters, types, layers, all tests that the tools found here can run
#   make test ALL=1      the same; a missing tool is a failure
#   make build           compile the contracts into capshare/artifacts (needs node)
#   make gas             measure gas into benchmarks/gas.json
#   make bench           measure the solver into benchmarks/solver.json
#   make format          rewrite the Python sources in the project's format
#   make lock            resolve requirements/*.txt anew from pyproject.toml
#   make clean           remove all that these made, .venv and node_modules included
PYTHON ?= python3
ALL ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
UV_COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-annotate --fork-strategy fewest --custom-compile-command "make lock" --upgrade

.PHONY: help demo test build gas bench format lock clean
.DELETE_ON_ERROR:

help:
	@sed -n '1,11s/^# *//p' Makefile

demo: .venv/.demo
	$(BIN)/capshare demo

test: .venv/.dev
	$(BIN)/python scripts/test.py $(if $(ALL),--all)

build: .venv/.dev node_modules/.installed
	$(BIN)/python scripts/build_artifacts.py

gas: .venv/.dev
	$(BIN)/python scripts/bench_gas.py

bench: .venv/.dev
	$(BIN)/python scripts/bench_solver.py

format: .venv/.dev
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

lock: .venv/.dev
	$(UV_COMPILE) --extra dev --output-file requirements/dev.txt
	$(UV_COMPILE) --extra demo --constraints requirements/dev.txt --output-file requirements/demo.txt

clean:
	rm -rf .venv node_modules .solcx .build contracts/.cache .mypy_cache .pytest_cache .ruff_cache \
		.hypothesis .import_linter_cache .coverage dist

# The stamps: an environment is made again only when what it is made from changed.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else \
		"capshare needs Python 3.11, 3.12 or 3.13; name one with: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv

.venv/.demo: requirements/demo.txt pyproject.toml | .venv/bin/python
	$(PIP) --require-hashes --only-binary :all: --requirement requirements/demo.txt
	$(PIP) --no-deps --editable .
	@touch $@

.venv/.dev: requirements/dev.txt pyproject.toml | .venv/bin/python
	@$(BIN)/python -c 'import sys; sys.exit(None if sys.version_info < (3, 13) else \
		"the development set needs Python 3.11 or 3.12: make clean; make PYTHON=python3.12 …")'
	$(PIP) --require-hashes --requirement requirements/dev.txt
	$(PIP) --no-deps --editable .
	@touch $@

node_modules/.installed: package-lock.json
	npm ci --ignore-scripts --silent
	@touch $@

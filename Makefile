# `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST_ARGS ?=
SOAK_MINUTES ?= 120
WORKERS ?= 2
# Real processes and pages after the rest: they are measured, and most of their time they wait. In this order, so that
# no long file stands last and keeps one worker waiting for the other.
AFTER := tests/browser tests/integration
# Thirty-one nodes at once: nothing that is measured stands beside them.
ALONE := tests/integration/test_busy_night.py

# Hundreds of nodes are started by the tests: none of them should compile the program anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help venv demo test deep soak lint fix bench docs lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(STAMP) ## make .venv and install Tomoshibi with its tools

demo: $(STAMP) ## run a hub and two terminals with an invented city
	$(BIN)/tomoshibi demo

test: $(STAMP) ## run the tests of every change (10 minutes at most)
	$(BIN)/python -m pytest -m "not deep and not soak" -n $(WORKERS) --dist loadfile $(AFTER:%=--ignore %) $(PYTEST_ARGS)
	$(BIN)/python -m pytest -m "not deep and not soak" -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(AFTER) $(PYTEST_ARGS)

deep: $(STAMP) ## run the slow tests: more seeds, kills, faults (45 minutes at most)
	$(BIN)/python -m pytest -m deep --timeout 600 -n $(WORKERS) --dist loadfile $(AFTER:%=--ignore %) $(PYTEST_ARGS)
	$(BIN)/python -m pytest -m deep --timeout 600 -n $(WORKERS) --dist loadfile $(AFTER) $(ALONE:%=--ignore %) $(PYTEST_ARGS)
	$(BIN)/python -m pytest -m deep --timeout 600 $(ALONE) $(PYTEST_ARGS)

soak: $(STAMP) ## run for hours; SOAK_MINUTES says how long
	SOAK_MINUTES=$(SOAK_MINUTES) $(BIN)/python -m pytest -m soak --timeout 0 $(PYTEST_ARGS)

lint: $(STAMP) ## check style, types (of scripts too), import directions, unsafe calls, places and pins
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit -q -ll -c pyproject.toml -r app sync maps desktop hazard_data hatch_build.py
	$(BIN)/python -m pytest -q tests/architecture/test_places.py tests/architecture/test_pins.py
	$(BIN)/python -m pytest -q -m "deep or not deep" tests/architecture/test_scripts.py

fix: $(STAMP) ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## print every benchmark figure, one JSON line each
	$(BIN)/tomoshibi bench all

docs: $(STAMP) ## check the links between the documents
	$(BIN)/python -m pytest -q tests/architecture/test_document_links.py

lock: $(STAMP) ## make requirements.lock anew from pyproject.toml and constraints.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra dev -c constraints.txt \
		--no-header --no-annotate pyproject.toml -o requirements.lock

clean: ## remove .venv and everything that was built
	rm -rf $(VENV) build dist app/static/vendor *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): pyproject.toml requirements.lock package.json package-lock.json hatch_build.py
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tomoshibi needs Python 3.11 or newer; try: make PYTHON=python3.11 venv")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	touch $@

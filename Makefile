# `make demo` and `make test` set up all they need in .venv, from the ordinary package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# The stamp names the directory it was made in: a moved checkout, or one whose Python is gone,
# is set up again, and so is one whose set-up was interrupted before the stamp was written.
$(shell { [ "$$(cat $(READY) 2>/dev/null)" = "$(CURDIR)" ] && $(BIN)/python -c '' 2>/dev/null; } \
	|| rm -f $(READY))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test bench lint types imports wheel format requirements clean

help:  ## Say what can be made
	@awk -F ':.*  ## ' '/^[a-z]+:.*  ## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY)  ## Two weeks of an account's life, without a key and without a network
	@$(BIN)/spendguard demo

test: $(READY)  ## Run the tests
	@$(BIN)/python -m pytest -n auto --dist worksteal

bench: $(READY)  ## Measure the speed aims, each beside what it is compared with
	@$(BIN)/python -m benchmarks

lint: $(READY)  ## Check style and format
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: $(READY)  ## Check types, strictly
	@$(BIN)/python -m mypy

imports: $(READY)  ## Check who imports whom
	@$(BIN)/lint-imports --no-logo

wheel: $(READY)  ## Build the wheel and try it alone in a fresh environment
	@$(BIN)/python -m pytest -m wheel tests/test_packaging.py

format: $(READY)  ## Put code into form
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

requirements:  ## Resolve the constraint files anew, with the oldest Python we support
	@$(PYTHON) -m venv build/lock
	@build/lock/bin/pip install --quiet pip-tools
	@for set in 'dev --extra=dev' 'run --constraint=requirements/dev.txt'; do set -- $$set; \
	build/lock/bin/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras \
	--no-header --no-annotate --no-emit-options --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host $$2 --output-file=requirements/$$1.txt pyproject.toml || exit 1; done

clean:  ## Remove what was built, but not .venv
	@rm -rf build dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find src tests migrations -name __pycache__ -prune -exec rm -rf {} +

# Where Python has no ensurepip, as Debian without python3-venv, its own pip installs from outside.
$(READY): pyproject.toml requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "error: $(PYTHON) is missing or older than Python 3.11" >&2; \
	echo "hint:  install it, or name another one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then with=; pip="$(BIN)/python -m pip"; \
	elif $(PYTHON) -m pip --version >/dev/null 2>&1; then \
	with=--without-pip; pip="$(PYTHON) -m pip --python $(BIN)/python"; else \
	echo "error: $(PYTHON) cannot make a virtual environment" >&2; \
	echo "hint:  as root: apt-get install python3-venv" >&2; exit 1; fi; \
	if [ -e $@ ]; then rm $@; else \
	echo "setting up $(VENV), once" >&2; $(PYTHON) -m venv --clear $$with $(VENV); fi && \
	export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 && \
	$$pip install -qq --no-deps --require-hashes -r requirements/dev.txt && \
	$$pip install -qq --no-deps --no-build-isolation -e . && \
	printf '%s\n' "$(CURDIR)" > $@

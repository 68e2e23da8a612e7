# Everything a fresh machine needs: python3 with venv, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test lint types format lock accuracy clean

demo: $(INSTALLED)  ## the whole way once: sandbox shops and tills to golden profiles to the CRM
	$(BIN)/resolver demo

test: $(INSTALLED) lint types  ## formatting, lint, types and tests
	$(BIN)/pytest -q -n 2

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(INSTALLED)
	$(BIN)/mypy

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

accuracy: $(INSTALLED)  ## the accuracy table: data sets and generated populations, peers and targets beside
	$(BIN)/python -m tests.benchmarks.accuracy

lock: $(INSTALLED)  ## pin every package, with hashes and without addresses
	$(BIN)/pip-compile --quiet --extra test --generate-hashes --allow-unsafe --strip-extras \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options --no-header --output-file requirements.lock pyproject.toml

$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

clean:
	rm -rf $(VENV) workspace build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

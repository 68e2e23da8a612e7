# Everything a fresh machine needs: python3 with venv, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
NEIGHBOUR := tests/connectors/commercetools/mock

.PHONY: demo test neighbour lint types format lock accuracy clean

demo: $(INSTALLED)  ## the whole way once: sandbox shops and tills to golden profiles to the CRM
	$(BIN)/resolver demo

test: $(INSTALLED) neighbour lint types  ## formatting, lint, types and tests
	$(BIN)/pytest -q -n 2

neighbour:  ## other people's commercetools server, for its tests; they are skipped where it cannot be installed
	@if command -v node >/dev/null && command -v npm >/dev/null; then \
		test $(NEIGHBOUR)/node_modules/.installed -nt $(NEIGHBOUR)/package-lock.json || \
		{ cd $(NEIGHBOUR) && npm ci --ignore-scripts --no-audit --no-fund --silent --fetch-retries=1 && touch node_modules/.installed; } || \
		echo "npm could not install $(NEIGHBOUR): the tests that read it are skipped"; \
	else echo "node is not on this machine: the tests that read $(NEIGHBOUR) are skipped"; fi

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
	rm -rf $(VENV) $(NEIGHBOUR)/node_modules workspace build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

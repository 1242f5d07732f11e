# Chloe's commands. Each makes what it needs: a machine with Python 3.11 to 3.14, make and a package index will do.
#   make run        one tick of every enabled asset, on paper
#   make test       lint, types, import contracts and the quick tests
#   make test-all   the same with the slow tests
#   make simulate   live trading against a simulated exchange full of faults (make simulate SEEDS=1-200 BARS=100)
#   make format     rewrite the sources in the house format
#   make lock       choose the versions in requirements/ anew (make lock UPGRADE=--upgrade: the newest)
#   make clean      remove venv/ and caches; never state/, data/ or reports/
# PYTHON=/path/to/python picks the interpreter for venv/.

BIN := venv/bin
.PHONY: help run test test-all simulate quality format lock clean install-base install-dev
.NOTPARALLEL:

help:
	@sed -n 's/^#   //p' Makefile

install-base install-dev: install-%:
	@sh requirements/install.sh $*

# Exit code 3 says: some entry of the registry was refused, the other assets ran.
run: install-base
	@code=0; $(BIN)/python -m engine_alpha.loop.multi_asset_runner || code=$$?; \
	case $$code in 0|3) ;; *) exit $$code ;; esac; \
	echo; $(BIN)/chloe status || exit $$?; \
	echo; echo "Next (source $(BIN)/activate first, or write $(BIN)/chloe):"; \
	echo "  chloe why ETHUSDT            why it did what it did on its last bar"; \
	echo "  chloe feed venue             real prices instead of simulated ones"; \
	echo "  chloe assets enable BTCUSDT  a second coin"; \
	exit $$code

quality: install-dev
	@echo "== ruff";         $(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet . || \
	  { echo "ruff: see above; for the format: make format" >&2; exit 1; }
	@echo "== mypy";         $(BIN)/mypy
	@echo "== import-linter"; $(BIN)/lint-imports --no-logo

test: quality
	@echo "== pytest";       $(BIN)/python -m pytest -q -n 4 --dist worksteal -m "not slow"

test-all: quality
	@echo "== pytest";       $(BIN)/python -m pytest -q -n 4 --dist worksteal

SEEDS := 1-200
BARS := 100
simulate: install-dev
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) --bars $(BARS)

format: install-dev
	@$(BIN)/ruff check --fix --quiet .; $(BIN)/ruff format .

# uv in an environment of its own; --no-emit-*: a lock file in this repository names no registry.
UV_COMPILE = $$work/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --only-binary :all: \
  --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(UPGRADE) pyproject.toml requirements/build.in
lock:
	@work=$$(mktemp -d); trap 'rm -rf "$$work"' EXIT; set -e; \
	$${PYTHON:-python3} -m venv "$$work"; "$$work/bin/pip" install --quiet --disable-pip-version-check uv; \
	$(UV_COMPILE) --extra dev -o requirements/dev.txt; \
	$(UV_COMPILE) -c requirements/dev.txt -o requirements/base.txt; \
	! grep -nE 'https?://' requirements/*

clean:
	rm -rf venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find engine_alpha tests -name __pycache__ -type d -prune -exec rm -rf {} +

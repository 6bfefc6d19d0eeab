# Everything runs in .venv, made from requirements.lock; a machine needs Python 3.11+, make and git.
# ARGS are passed on: make demo ARGS="--once --json", make test ARGS="tests/domain -x".

.SILENT:
.PHONY: setup demo test check bench chaos lock
.DEFAULT_GOAL := setup

ARGS ?=
BIN := .venv/bin
READY := .venv/.ready

setup: $(READY)

# The stamp is written last: a set-up that was broken off is done again.
$(READY): requirements.lock pyproject.toml deploy/setup/venv.sh
	sh deploy/setup/venv.sh .venv >&2
	touch $@

demo: $(READY)
	$(BIN)/hub demo $(ARGS)

test: $(READY)
	$(BIN)/pytest -n 2 $(ARGS)

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest tests/tidy

bench: $(READY)
	$(BIN)/python -m benchmarks $(ARGS)

chaos: $(READY)
	$(BIN)/python -m chaos $(ARGS)

# Keeps the versions that are locked, unless ARGS says --upgrade or --upgrade-package NAME.
lock: $(READY)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --group dev --group build \
		--no-header --no-annotate $(ARGS) pyproject.toml --output-file requirements.lock

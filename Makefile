# make demo and make test set up .venv by themselves; only Python 3.10 to 3.12, make and a compiler are needed.
PYTHON ?= python3
SESSION = 2026-01-31
BIN = .venv/bin

.PHONY: demo test check bench lock

demo: .venv/run
	$(BIN)/python -m td_mta.simulate --out data/demo
	$(BIN)/python -m local_runner run mta.dig --data data/demo --out out --session "$(SESSION)" \
		--set conversion_row_is_touch=false

test: .venv/dev
	$(BIN)/python -m pytest

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

bench: .venv/dev
	$(BIN)/python -m benchmarks.union_sql
	$(BIN)/python -m benchmarks.tfrecords
	$(BIN)/python -m benchmarks.shapley
	$(BIN)/python -m benchmarks.simulate
	$(BIN)/python -m benchmarks.truth
	$(BIN)/python -m benchmarks.whole_run

.venv/run: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --require-hashes -r requirements.txt
	touch $@

.venv/dev: requirements-dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --require-hashes -r requirements-dev.txt
	touch $@

# The lock files carry hashes and no registry's address.
lock:
	uv pip compile pyproject.toml --extra cpu --extra local --extra td --universal --python-version 3.10 \
		--generate-hashes --no-emit-index-url --no-annotate --no-header -q -o requirements.txt
	uv pip compile pyproject.toml --extra cpu --extra local --extra td --extra dev --universal \
		--python-version 3.10 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		-q -o requirements-dev.txt

# make demo and make test set up .venv by themselves; only Python 3.10 to 3.12, make and a compiler are needed.
PYTHON ?= python3
SESSION = 2026-01-31
BIN = .venv/bin
CHROMIUM = chromium
# On all cores; the tests of a file stay together, since they share what was expensive to set up. In
# the order of files, since xdist's own puts the files with few tests last, which are the longest.
PYTEST = $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

.PHONY: demo app chromium bundle test test-fast test-trino test-faults test-kill fuzz test-digdag conformance check \
	audit docs picture bench bench-truth lock lock-container

demo: .venv/run
	$(BIN)/python -m td_mta.simulate --out data/demo
	$(BIN)/python -m local_runner run mta.dig --data data/demo --out out --session "$(SESSION)" \
		--set conversion_row_is_touch=false

# The app in a browser, on this machine alone; APP takes a file or a run's folder, such as out.
app: .venv/app
	$(BIN)/python -m td_mta.dashboard $(APP)

# Debian's browser, for the app's tests and the pictures.
chromium:
	command -v $(CHROMIUM) >/dev/null || { apt-get update -q && apt-get install -q -y chromium; }
	$(CHROMIUM) --version

# The drawing library of the report, a part of plotly.js that is as new as the whole one.
bundle: .venv/dev
	$(BIN)/python -m td_mta.reporting.html.bundle

test: .venv/dev
	$(PYTEST)

# For every change, where `make test` is for every commit: what trains no model, within a minute.
test-fast: .venv/dev
	$(PYTEST) -m "not slow"

# Every request of a whole run on Treasure Data fails once, in several ways; FAULTS takes options.
test-faults: .venv/dev
	$(BIN)/python -m tests.end_to_end.faults $(FAULTS)

# A whole run is killed (-9) at moments spread over its time and at every rename; KILLS takes options,
# such as "--moments 10 --on files emulator"; over the emulator "--at-once 6" runs side by side.
test-kill: .venv/dev
	$(BIN)/python -m tests.end_to_end.kills $(KILLS)

# Files, parameters, workflows, templates and SQL at random, each read or refused; FUZZ takes options,
# such as "--minutes 60 --what csv"; "--what sql --seed 7" begins with the queries of that seed.
fuzz: .venv/dev
	$(BIN)/python -m tests.hostile.fuzz $(FUZZ)

# The workflows on a real Digdag, whose command DIGDAG holds, beside the local runner. On Java 17:
# DIGDAG='java --add-opens java.base/java.lang=ALL-UNNAMED -jar digdag-0.10.5.1.jar'
test-digdag: .venv/dev
	@$(BIN)/python -m tests.end_to_end.real_digdag

# The real Trino, fetched with Maven (200 MB, once) and run by a JDK 24 or newer; without them it fails.
test-trino: .venv/dev
	$(PYTEST) tests/trino

# What is not equal to the real engines, and the counts; other cases of the same form are taken too.
conformance: .venv/dev
	@$(BIN)/python -m tests.conformance_report $(if $(DIGDAG_CASES),--digdag "$(DIGDAG_CASES)") \
		$(if $(TRINO_CASES),--trino "$(TRINO_CASES)")

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MAKE) audit
	$(PYTEST)

# Faults that can be seen in the code, and versions in the lock files with known vulnerabilities: where
# no service that knows of them answers, it says so and goes on.
audit: .venv/dev
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive td_mta local_runner td_emulator benchmarks
	$(BIN)/python -m tests.audit

# The documentation as a site in site/: open index.html there. The variable silences an advertisement.
docs: .venv/dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

# The pictures of the app and of the report in README and docs, by Chromium.
picture: demo .venv/dev chromium
	$(BIN)/python -m tests.dashboard.picture docs/images/app.png
	$(CHROMIUM) --headless --no-sandbox --hide-scrollbars --window-size=1200,1490 \
		--screenshot=docs/images/report.png "file://$(CURDIR)/out/report.html"

bench: .venv/dev
	$(BIN)/python -m benchmarks.union_sql
	$(BIN)/python -m benchmarks.tfrecords
	$(BIN)/python -m benchmarks.shapley
	$(BIN)/python -m benchmarks.simulate
	$(BIN)/python -m benchmarks.methods
	$(BIN)/python -m benchmarks.truth --world hazard
	$(BIN)/python -m benchmarks.coverage --datasets 10
	$(BIN)/python -m benchmarks.bootstrap
	$(BIN)/python -m benchmarks.delta
	$(BIN)/python -m benchmarks.read_td
	$(BIN)/python -m benchmarks.whole_run
	$(BIN)/python -m benchmarks.mmm_truth --sets 5

# Every model beside the truth of all worlds, some minutes each. TRUTH takes options, such as
# "--world season --seeds 3", or --peers PYTHON with the other packages (benchmarks/peers.py).
bench-truth: .venv/dev
	@$(BIN)/python -m benchmarks.truth $(TRUTH)

.venv/run: td_mta/requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --require-hashes -r td_mta/requirements.txt
	touch $@

.venv/app: td_mta/app-requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --require-hashes -r td_mta/app-requirements.txt
	touch $@

.venv/dev: requirements-dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --require-hashes -r requirements-dev.txt
	touch $@

# The lock files carry hashes and no registry's address.
lock: lock-container
	uv pip compile pyproject.toml --extra cpu --extra local --extra pictures --extra td --extra xlsx --universal --python-version 3.10 \
		--generate-hashes --no-emit-index-url --no-annotate --no-header -q -o td_mta/requirements.txt
	uv pip compile pyproject.toml --extra app --extra cpu --extra local --extra pictures --extra td --extra xlsx --universal \
		--python-version 3.10 --constraints td_mta/requirements.txt --generate-hashes --no-emit-index-url \
		--no-annotate --no-header -q -o td_mta/app-requirements.txt
	uv pip compile pyproject.toml --extra app --extra cpu --extra local --extra pictures --extra td --extra xlsx --extra dev --extra docs \
		--universal --python-version 3.10 --constraints td_mta/requirements.txt --generate-hashes --no-emit-index-url --no-annotate --no-header \
		-q -o requirements-dev.txt

# What the workflow's Python task installs, in the versions that the tests run with, less what is
# not imported there: no page is drawn, nothing is compiled. The last list names those of the media mix.
lock-container:
	for version in 3.10 3.12; do \
		printf 'plotly\nlibclang\nwheel\n' | uv pip compile pyproject.toml --extra cpu --extra td \
		--excludes /dev/stdin --constraints td_mta/requirements.txt --python-version $$version \
		--python-platform x86_64-manylinux_2_28 --generate-hashes --no-emit-index-url --no-annotate \
		--no-header -q -o td_mta/requirements-$$version.txt || exit 1; done
	for version in 3.10 3.12; do \
		printf 'plotly\nwheel\n' | uv pip compile pyproject.toml --extra td --excludes /dev/stdin \
		--constraints td_mta/requirements.txt --python-version $$version \
		--python-platform x86_64-manylinux_2_28 --no-annotate --no-header; done \
		| sed -n 's/==.*//p' | sort -u > td_mta/mmm-packages.txt

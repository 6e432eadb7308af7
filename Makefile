# The only door: every target sets up what it needs, and says what it does. `make help` lists them.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.SUFFIXES:
.NOTPARALLEL:

STEP := scripts/step
PIP := -m pip --disable-pip-version-check --no-input --retries 2
WHEEL = $(wildcard build/wheel/*.whl)
# The engine's compression links their archives.
DEBIAN := liblz4-dev libzstd-dev
# The newest whose second API is known (V2Edition), and the one before.
DUCKDB2 := duckdb==2.0.1
DUCKDB200 := duckdb==2.0.0
DUCKDB15 := duckdb==1.5.5 duckdb-extension-spatial==1.5.5
SOURCES := Package.swift setup.py pyproject.toml scripts/swift_toolchain.py \
  $(shell find Sources python/arrow_cache -name __pycache__ -prune -o ! -name '*.so' ! -name '*.tmp' -print)
ENV := .venv/.installed
ENV15 := .venv-duckdb15/.installed
ENV200 := .venv-duckdb200/.installed

help:
	@echo "make demo           the main job on real data: put, get, slice, SQL, a spatial join"
	@echo "make test           every test: Swift and Python, DuckDB 2.0.1, 2.0.0 and 1.5.5 with its spatial extension"
	@echo "make lint           mypy --strict"
	@echo "make bench          bench-query (SQL beside DuckDB, Polars and pandas: about 20 minutes; BENCH='--quick --only tpch') and bench-convert (put and get)"
	@echo "make bench-memory   whether the memory limit holds: 8 GB through a cache of 1 GB (about 15 minutes, 21 GB of disk)"
	@echo "make bench-scale    what an operation costs among 100 000 entries, beside 1 000"
	@echo "make bench-persist  persist and load beside raw writes, Parquet, Feather and a DuckDB file (about 5 minutes, 6 GB of disk)"
	@echo "make bench-policies how many reads each eviction policy saves, beside libcachesim"
	@echo "make readme         puts the demo's output and the measured figures into README.md"
	@echo "make wheel          the wheel, in build/wheel"
	@echo "make clean          removes everything that make made"

# --- set-up ---------------------------------------------------------------------------------------------------------------

build/.machine: scripts/debian_packages scripts/swift_toolchain.py
	@scripts/debian_packages $(DEBIAN)
	@python=$$(scripts/find_python) && $$python scripts/swift_toolchain.py >/dev/null && mkdir -p build && echo "$$python" >$@

.venv/.made .venv-duckdb15/.made .venv-duckdb200/.made: | build/.machine
	@python=$$(cat build/.machine) && $(STEP) venv "Making $(@D) ($$($$python --version))" $$python -m venv --clear $(@D)
	@$(STEP) pip "Getting the build tools" $(@D)/bin/python $(PIP) install pip 'setuptools>=77'
	@touch $@

build/wheel/.built: $(SOURCES) | .venv/.made
	@rm -rf build/wheel
	@$(STEP) wheel "Compiling the engine and packing the wheel" \
	  .venv/bin/python $(PIP) wheel . --no-deps --no-build-isolation --wheel-dir build/wheel
	@touch $@

$(ENV): build/wheel/.built
	@$(STEP) install "Installing arrow_cache and what it works with into $(@D)" scripts/install_wheel $(@D) test $(DUCKDB2)
	@touch $@

$(ENV15): build/wheel/.built | .venv-duckdb15/.made
	@$(STEP) install-duckdb15 "Installing the same beside DuckDB 1.5.5 and its spatial extension" \
	  scripts/install_wheel $(@D) test,geo $(DUCKDB15)
	@touch $@

$(ENV200): build/wheel/.built | .venv-duckdb200/.made
	@$(STEP) install-duckdb200 "Installing the same beside DuckDB 2.0.0" scripts/install_wheel $(@D) test $(DUCKDB200)
	@touch $@

wheel: build/wheel/.built
	@echo $(WHEEL)

# --- what it is for -------------------------------------------------------------------------------------------------------

demo: $(ENV) $(ENV15)
	@.venv/bin/python examples/quickstart.py
	@echo
	@.venv-duckdb15/bin/python examples/quickstart.py --only spatial

# --- tests ----------------------------------------------------------------------------------------------------------------

test: test-swift test-python lint check
	@echo; echo "  All tests passed."

SWIFT_LINES := ^(✘|↳ [^TL]|✔ Test run with)|error:

# $(call swift-tests,VENV,LOG,TITLE,ARGUMENTS): the tests as they are compiled, with the Python and the DuckDB of that environment.
swift-tests = $(STEP) --show '$(SWIFT_LINES)' $(2) "$(3)" $(1)/bin/python scripts/with_duckdb.py \
  "$$(.venv/bin/python scripts/swift_toolchain.py)" test --disable-xctest --skip-build $(4) && \
  { grep -aq 'Test run with [1-9]' build/logs/$(2).log || { echo "  No Swift test ran."; exit 1; }; }

test-swift: $(ENV) $(ENV15) $(ENV200)
	@echo; $(STEP) swift-build "Compiling the Swift tests" "$$(.venv/bin/python scripts/swift_toolchain.py)" build --build-tests
	@$(call swift-tests,.venv,swift-test,Swift tests with DuckDB 2.0.1)
	@$(call swift-tests,.venv-duckdb15,swift-test-duckdb15,Swift tests with DuckDB 1.5.5,--filter 'QueryEngineTests|ArrowCacheTests')
	@$(call swift-tests,.venv-duckdb200,swift-test-duckdb200,Swift tests with DuckDB 2.0.0,--filter 'QueryEngineTests')

PYTEST_LINES := ^python/[^:]*\.py [.sxXFE]|^python/.*:[0-9]+: |^(FAILED|ERROR|SKIPPED|XFAIL|XPASS|E  )|^=+ .* in [0-9]

test-python: test-duckdb2 test-duckdb15 test-duckdb200

test-duckdb2: $(ENV)
	@echo; $(STEP) --show '$(PYTEST_LINES)' pytest "Python tests, DuckDB 2.0.1" \
	  .venv/bin/python -m pytest

test-duckdb15: $(ENV15)
	@echo; $(STEP) --show '$(PYTEST_LINES)' pytest-duckdb15 "Python tests, DuckDB 1.5.5 with its spatial extension" \
	  .venv-duckdb15/bin/python -m pytest

# What SQL does: the rest does not depend on DuckDB.
SQL_TESTS := $(addprefix python/tests/,core/test_core_query.py test_differential.py test_late_joins.py test_parameters.py test_skipping.py test_top_rows.py test_query*.py)

test-duckdb200: $(ENV200)
	@echo; $(STEP) --show '$(PYTEST_LINES)' pytest-duckdb200 "Python tests of SQL, DuckDB 2.0.0" \
	  .venv-duckdb200/bin/python -m pytest $(SQL_TESTS)

lint: $(ENV)
	@echo; $(STEP) --show '.' mypy "Types: mypy --strict" .venv/bin/python -m mypy python/arrow_cache examples benchmarks scripts

check: $(ENV)
	@echo; $(STEP) --show '.' check "The wheel" .venv/bin/python scripts/check_wheel.py $(WHEEL)

# --- benchmarks -----------------------------------------------------------------------------------------------------------

bench: bench-query bench-convert

bench-query: .venv/.bench
	@.venv/bin/python benchmarks/bench_query.py $(BENCH)

bench-convert: $(ENV)
	@.venv/bin/python benchmarks/bench_put_get.py $(BENCH)

.venv/.bench: $(ENV)
	@$(STEP) install-bench "Installing what the benchmarks need besides" scripts/install_wheel .venv bench $(DUCKDB2)
	@touch $@

bench-memory: .venv/.bench
	@.venv/bin/python benchmarks/bench_memory.py $(BENCH)

bench-scale: $(ENV)
	@.venv/bin/python benchmarks/bench_scale.py $(BENCH)

bench-persist: $(ENV)
	@.venv/bin/python benchmarks/bench_persist.py $(BENCH)

bench-policies: .venv/.bench
	@.venv/bin/python benchmarks/bench_policies.py $(BENCH)

# What README.md shows, from a run of the demo and from docs/benchmarks.
readme:
	@$(MAKE) .venv/.installed .venv-duckdb15/.installed && mkdir -p build && $(MAKE) demo >build/demo.txt
	@.venv/bin/python scripts/update_readme.py build/demo.txt

clean:
	rm -rf build .build dist .venv .venv-duckdb15 .venv-duckdb200 .mypy_cache .pytest_cache .hypothesis python/*.egg-info python/arrow_cache/_core.abi3.so

.PHONY: help wheel demo test test-swift test-python test-duckdb2 test-duckdb15 test-duckdb200 lint check bench bench-query bench-convert bench-memory bench-scale bench-persist bench-policies readme clean

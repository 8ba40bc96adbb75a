# Everything a developer types. `make` alone lists the targets.

SHELL := /bin/sh
VENV ?= .venv
PYTHON_IN := $(VENV)/bin/python
# Build output lives outside the checkout, so a fresh clone builds in minutes.
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/airssys-wasm/target
export PATH := $(HOME)/.cargo/bin:$(PATH)
# What pip installs beside the groups (the package's own needs) is pinned too.
export PIP_CONSTRAINT := requirements/constraints.txt
# maturin has pip list everything that is there already; errors still show.
export PIP_QUIET := 1
# One profile, one set of features and one set of flags for every cargo run: a
# second set would compile the engine (minutes) a second time. So crates are
# tested one by one, and never the boundary, which cannot be linked into a test.
CARGO_FLAGS := --release --locked
RUST_TESTED := airssys-host airssys-core airssys-sdk airssys-sdk-macros
DEMO_ARGS ?=
BENCH_ARGS ?=
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup guest-tools build demo test test-rust test-python soak lint fmt wheel bench notices components clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make this machine ready: Debian packages, .venv with pinned tools, Rust check
	@VENV=$(VENV) scripts/setup

guest-tools: ## make this machine ready to build guests: Rust for WebAssembly, npm
	@VENV=$(VENV) GUEST_TOOLS=1 scripts/setup

build: setup ## build the native module (release) and install the package into .venv
	@test -d $(CARGO_TARGET_DIR)/release || echo "build: the first time takes ten minutes or more on two cores" >&2
	$(PYTHON_IN) -m maturin develop $(CARGO_FLAGS)

demo: build ## run components on real text, crash an actor, attack the host and see it hold
	$(VENV)/bin/airssys-wasm demo $(DEMO_ARGS)

test: guest-tools build ## run every test (Rust and Python) and count them
	$(PYTHON_IN) scripts/count_tests.py $(RUST_TESTED:%=--crate %) --cargo "$(CARGO_FLAGS)" --pytest "$(PYTEST_ARGS)"

test-rust: setup ## run the Rust tests alone
	set -e; for crate in $(RUST_TESTED); do cargo test $(CARGO_FLAGS) --package $$crate; done

test-python: guest-tools build ## run the Python tests alone; PYTEST_ARGS narrows them
	$(PYTHON_IN) -m pytest $(PYTEST_ARGS)

soak: build ## run the long tests: many threads, many instances, minutes each
	$(PYTHON_IN) -m pytest -m soak $(PYTEST_ARGS)

lint: build ## run every check that is not a test; changes nothing
	@PYTHON_IN=$(PYTHON_IN) scripts/lint

fmt: setup ## format Python and Rust in place
	$(PYTHON_IN) -m ruff check --fix-only --quiet .
	$(PYTHON_IN) -m ruff format .
	cargo fmt --all

# For the interpreter of `build`: another one, older perhaps, may stand on PATH.
wheel: setup ## build the release wheel into dist/
	$(PYTHON_IN) -m maturin build $(CARGO_FLAGS) --interpreter $(abspath $(PYTHON_IN)) --out dist

# The peers live in an environment of their own: no test may ever import one.
bench: build ## measure against what else runs components, actors and codecs, and print one table
	@VENV=$(VENV)-bench EXTRA_GROUPS=bench scripts/setup
	@$(PYTHON_IN) scripts/share_build.py $(VENV) $(VENV)-bench
	$(VENV)-bench/bin/python benches/python/table.py $(BENCH_ARGS)

notices: setup ## rewrite the notices of third parties from Cargo.lock and licences/
	$(PYTHON_IN) scripts/third_party.py

components: guest-tools build ## rebuild the prebuilt guest components and compare their digests
	$(PYTHON_IN) -m airssys_wasm.sdk.rebuild
	$(PYTHON_IN) -m airssys_wasm.sdk.rebuild tests/components/prebuilt

clean: ## remove what was built in this checkout and in the cargo cache of this project
	rm -rf $(VENV) $(VENV)-bench dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -f python/airssys_wasm/_native*.so python/airssys_wasm/_native*.pyd
	cargo clean

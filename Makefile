# make demo             set up, then open the demo notebook in JupyterLab (HEADLESS=1: without a person)
# make test             set up, then every check and every test
# make check            the quick part of it: format, lint, types, import contract, unit tests
# make format           rewrite Python and TypeScript the way the checks want them
# make lock             renew constraints.txt and js/package-lock.json within pyproject's and package.json's bounds

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
# Python's and JavaScript's packages and checks go side by side.
MAKEFLAGS += --no-print-directory -j2

PYTHON ?= python3
PIP_VERSION := 26.3
VENV := .venv
BIN := $(VENV)/bin
PYTHON_PACKAGES := $(VENV)/.installed
JS_PACKAGES := js/node_modules/.installed
STORAGE_PACKAGES := tests/storage/node_modules/.installed
HUB_PACKAGES := tests/hub/node_modules/.installed
BUNDLE := src/blustream_widget/static/widget.js
JS_SOURCES := $(shell find js/src -type f -not -name '*.test.ts' 2>/dev/null)
GOALS := $(or $(MAKECMDGOALS),demo)
# All that the goals need from the system, so that one line can name all that is missing.
SYSTEM := venv node
ifneq (,$(filter test check,$(GOALS)))
SYSTEM += volumes
endif
ifneq (,$(filter test,$(GOALS)))
SYSTEM += network sfu firefox
endif
ifneq (,$(filter test,$(GOALS))$(and $(HEADLESS),$(filter demo,$(GOALS))))
SYSTEM += browser
endif
# Two files of tests side by side, one of them with a browser (tests/conftest.py).
BESIDE := -n 2 --dist loadfile --no-loadscope-reorder
QUICK := not browser and not gpu and not bench
export PYTHON PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check format lock setup static static-python static-js storage hub clean system

demo: setup
	@$(BIN)/blustream demo $(if $(HEADLESS),--headless)

# pytest runs once, with every test, and its summary is the last line. Browsers, servers and kernels
# share two cores there, so a test that failed is tried a second time; the summary counts such a
# test as "rerun" and its first failure is printed: something is to be mended in it.
test: setup static storage hub
	@$(BIN)/python scripts/fetch_test_data.py
	@$(BIN)/python -m pytest -q $(BESIDE) -raR --reruns 1 --rerun-show-tracebacks --durations=20 -m "not bench"

check: setup static storage
	@$(BIN)/python -m pytest -q $(BESIDE) -m "$(QUICK)"

setup: $(PYTHON_PACKAGES) $(BUNDLE)

storage: $(STORAGE_PACKAGES)

hub: $(HUB_PACKAGES)

static: static-python static-js

static-python: $(PYTHON_PACKAGES)
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo | tail -n 1

static-js: $(JS_PACKAGES)
	@npm --prefix js run --silent check
	@npm --prefix js run --silent test

format: $(PYTHON_PACKAGES) $(JS_PACKAGES)
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .
	@npm --prefix js run --silent format

lock: $(PYTHON_PACKAGES) $(JS_PACKAGES)
	@$(BIN)/pip install -q uv
	@$(BIN)/uv pip compile -q pyproject.toml --group dev --universal --python-version 3.11 --upgrade \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate -o constraints.txt
	@npm --prefix js update --package-lock-only

clean:
	rm -rf $(VENV) .cache js/node_modules tests/storage/node_modules tests/hub/node_modules src/blustream_widget/static dist build test-output

system:
	@scripts/system_packages.sh $(SYSTEM)

# The stamps lie inside what they speak of: a deleted folder is made again.
$(PYTHON_PACKAGES): pyproject.toml constraints.txt hatch_build.py | system
	@echo "Installing Python packages into $(VENV)"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q pip==$(PIP_VERSION)
	@$(BIN)/pip install -q -c constraints.txt --build-constraint constraints.txt -e . --group dev
	@touch $@

$(JS_PACKAGES): js/package.json js/package-lock.json js/.npmrc | system
	@echo "Installing JavaScript packages into js/node_modules"
	@npm --prefix js ci --silent
	@touch $@

$(STORAGE_PACKAGES): tests/storage/package.json tests/storage/package-lock.json | system
	@echo "Installing azurite into tests/storage/node_modules"
	@npm --prefix tests/storage ci --silent
	@touch $@

$(HUB_PACKAGES): tests/hub/package.json tests/hub/package-lock.json | system
	@echo "Installing JupyterHub's proxy and a login's provider into tests/hub/node_modules"
	@npm --prefix tests/hub ci --silent
	@touch $@

$(BUNDLE): $(JS_SOURCES) js/build.mjs js/looks.mjs js/workers.mjs js/tsconfig.json $(JS_PACKAGES)
	@npm --prefix js run --silent build

# The one door. `make demo` and `make test` need Python 3.11 or newer, pip and make; uv is used where it is on the PATH.
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
UV     := $(shell command -v uv 2>/dev/null)
PYTEST := $(PY) -m pytest -q -n auto
# What the programs of this project are checked with; the tests are typed as strictly as the library.
TYPED  := src tests examples tools proofs benchmarks

ifneq ($(UV),)
  MAKE_VENV = $(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
  INSTALL   = VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet
else
  MAKE_VENV = $(PYTHON) -m venv $(VENV)
  INSTALL   = $(PY) -m pip install --quiet --disable-pip-version-check
endif

.PHONY: help demo test check format lint types imports docs docs-check cover wheel bench browser distributed mutants prove faults thorough soak docs-safeguards pins clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# An environment with one set of pinned requirements on top of another; a stamp says which are in.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=…")'
	$(MAKE_VENV)

$(VENV)/.core: requirements/core.txt pyproject.toml | $(VENV)/bin/python
	$(INSTALL) --require-hashes -r requirements/core.txt
	$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test $(VENV)/.check $(VENV)/.bench $(VENV)/.mutants $(VENV)/.prove $(VENV)/.browser $(VENV)/.distributed: $(VENV)/.%: requirements/%.txt $(VENV)/.core
	$(INSTALL) --require-hashes -r requirements/$*.txt
	@touch $@

demo: $(VENV)/.core  ## tonight's plan for the account that ships with the package, and why
	@$(VENV)/bin/enrolpolicy demo

test: $(VENV)/.test  ## the specification, quickly
	$(PYTEST)

check: lint types imports docs-check cover wheel  ## all that must hold before anything lands

format: $(VENV)/.check  ## put the code into its one form
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

lint: $(VENV)/.check  ## form and habits
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	@$(PY) tools/plant_faults.py --list > /dev/null || $(PY) tools/plant_faults.py --list

types: $(VENV)/.check  ## two type checkers, and how complete the public types are
	$(PY) -m mypy $(TYPED)
	$(VENV)/bin/basedpyright
	$(PY) tools/verify_types.py

imports: $(VENV)/.check  ## one direction, a pure core
	$(VENV)/bin/lint-imports

docs: $(VENV)/.test  ## write the generated pages anew
	$(PY) tools/generate_docs.py

docs-check: $(VENV)/.test  ## the generated pages are what the code says
	$(PY) tools/generate_docs.py --check

cover: $(VENV)/.check  ## the tests again, with branch coverage
	HYPOTHESIS_PROFILE=traced $(PYTEST) --cov --cov-report=term --cov-fail-under=$(COVERED)

COVERED := 98

wheel: $(VENV)/.check  ## build the wheel, install it by itself, and test that
	sh tools/test_wheel.sh $(PY)

bench: $(VENV)/.bench  ## speed and memory, beside a plain loop and other engines; estates of PEOPLE="1000 10000"
	$(PY) benchmarks/bench.py
	$(PY) benchmarks/side_by_side.py $(if $(PEOPLE),--people $(PEOPLE))
	$(PY) benchmarks/changed_nights.py
	$(PY) benchmarks/ahead.py
	$(PY) benchmarks/nights.py

browser: $(VENV)/.browser  ## the report, looked at in Chromium
	@sh tools/install_chromium.sh $(CHROMIUM)
	ENROLPOLICY_TESTS=browser CHROMIUM=$(CHROMIUM) $(PY) -m pytest -q tests/browser

CHROMIUM ?= /usr/bin/chromium

distributed: $(VENV)/.distributed  ## estates on Spark and Ray, one of their processes killed in the middle
	@sh tools/install_java.sh
	ENROLPOLICY_TESTS=distributed $(PY) -m pytest -q tests/distributed

mutants: $(VENV)/.mutants  ## which small faults the tests do not notice
	$(PY) tools/mutants.py

prove: $(VENV)/.prove  ## the laws of the rules, over all paths
	$(PY) proofs/prove.py

faults: $(VENV)/.test  ## plant one fault at a time, and see a test turn red
	$(PY) tools/plant_faults.py

thorough: $(VENV)/.test  ## the specification with thousands of examples, different ones each time
	HYPOTHESIS_PROFILE=thorough $(PYTEST)

docs-safeguards: $(VENV)/.test  ## write the page about safeguards anew, by switching each off
	$(PY) tools/safeguards.py

soak: $(VENV)/.test  ## nights in which everything goes wrong, then processes killed, ten minutes each (MINUTES=…)
	$(PY) tools/soak.py --minutes $(or $(MINUTES),10)
	$(PY) tools/soak_processes.py --minutes $(or $(MINUTES),10)

# All sets are resolved together, so that they agree; the files hold hashes, and no address.
pins:  ## choose the requirements anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --upgrade requirements/*.in -o build/all.txt
	for set in core test check bench mutants prove browser distributed; do \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	    --no-annotate --no-strip-extras -c build/all.txt requirements/$$set.in -o requirements/$$set.txt; done

clean:  ## remove everything made here
	rm -rf $(VENV) build dist mutants .hypothesis .coverage* .mypy_cache .ruff_cache .pytest_cache

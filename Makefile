# Every target makes `.venv` first, from nothing but python3 with venv and pip. Another Python: make PYTHON=python3.12 …

PYTHON ?= python3
BOOTSTRAP = $(PYTHON) .ci/bootstrap.py
TIER = cd tests && ../.venv/bin/python -m tiers

# A home that cannot be written to holds no cache.
ifneq ($(shell test -d "$$HOME" && test -w "$$HOME" && echo yes),yes)
export UV_CACHE_DIR ?= $(CURDIR)/.venvs/cache/uv
export PIP_CACHE_DIR ?= $(CURDIR)/.venvs/cache/pip
endif

.DEFAULT_GOAL = help
.PHONY: help demo check test test-long bench docs clean

help:
	@echo "make demo       run a flow on real data and show how to look at what it kept"
	@echo "make check      ruff, mypy and the architecture tests: a minute"
	@echo "make test       everything that has to pass before a commit"
	@echo "make test-long  the same with many more examples, and the long tests"
	@echo "make bench      how long a flow takes, side by side"
	@echo "make docs       the reference, made from the code; every link checked"
	@echo "make clean      remove environments, caches and what was built"

demo:
	@$(BOOTSTRAP)
	@.venv/bin/python docs/tutorials/demo.py

check:
	@$(BOOTSTRAP)
	@$(TIER) check

test:
	@$(BOOTSTRAP) --others
	@$(TIER) test

test-long:
	@$(BOOTSTRAP) --others
	@$(TIER) test-long

bench:
	@$(BOOTSTRAP)
	@.venv/bin/python tests/perf/bench.py

docs:
	@$(BOOTSTRAP)
	@.venv/bin/python docs/build.py

clean:
	rm -rf .venv .venvs .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

PYTHON ?= python3
VENV := .venv/bin
# Terraform and its provider spend a third of a short run on collecting garbage; a larger heap saves most of that.
export GOGC ?= 400
# What was compiled once, an image's setting or not: hundreds of processes import the same.
unexport PYTHONDONTWRITEBYTECODE
CORES := $(shell nproc 2>/dev/null || echo 2)
# Of all tests many wait, a provider for its state, a job for its end: more processes than cores. The fast ones do not.
PYTEST := $(VENV)/pytest -q --dist worksteal -n

.PHONY: demo test fast toolchain browser mutants lint types synthesized synth setup clean

# The pipeline on real data, in a sandbox on this machine. `make demo KEEP=1` leaves the sandbox up.
demo: setup
	@$(VENV)/python scripts/demo.py $(if $(KEEP),--keep)

# Everything that can be checked on this machine; `make fast` is the part that needs no Terraform.
test: lint
	@$(PYTEST) $$((2 * $(CORES)))

fast: lint
	@$(PYTEST) $$((1 + $(CORES))) -m 'not plan and not apply and not slow'

# The tests that another engine or provider must pass too. SMLOPS_TERRAFORM names the engine, such as `tofu`;
# SMLOPS_AWS_PROVIDER the provider, a mirror's folder or a version. MARKS chooses other tests, such as `plan`.
MARKS := toolchain
toolchain: setup
	@$(PYTEST) $$((2 * $(CORES))) -m '$(MARKS)'

# Reports with hostile names in a real headless browser; needs chromium or Chrome on PATH.
browser: setup
	@$(VENV)/pytest -q tests/review/check_browser.py

# Whether the tests notice a change of the library: a sample of mutants, each run against the tests that could see it.
mutants:
	@$(PYTHON) scripts/setup.py mutants
	@$(VENV)/python -m tests.mutants

lint: setup
	@$(VENV)/ruff check -q . && $(VENV)/ruff format -q --check .
	@$(MAKE) --no-print-directory -j 2 types synthesized

types:
	@$(VENV)/mypy

synthesized:
	@$(VENV)/python scripts/synth.py --check

synth: setup
	@$(VENV)/python scripts/synth.py

setup:
	@$(PYTHON) scripts/setup.py

clean:
	rm -rf .venv .local out .mypy_cache .ruff_cache .pytest_cache

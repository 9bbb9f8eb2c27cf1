PYTHON ?= python3
VENV := .venv/bin
# Terraform and its provider spend a third of a short run on garbage collection; a larger heap avoids most of it.
export GOGC ?= 400
# Hundreds of processes import the same modules, so bytecode is always kept.
unexport PYTHONDONTWRITEBYTECODE
CORES := $(shell nproc 2>/dev/null || echo 2)
# Many tests wait for a provider or a job, so `make test` uses three processes for each core.
PYTEST := $(VENV)/pytest -q --dist worksteal -n

.PHONY: sandbox-tests demo test release tests fast units toolchain browser site mutants lint types synthesized synth setup clean

# A model in two accounts of a sandbox on this machine. `make demo KEEP=1` leaves the sandbox up.
demo: setup
	@$(VENV)/python -m tools.demo $(if $(KEEP),--keep)

# Every test but the long scenarios of `make release`; `make fast` is the part without Terraform.
test: setup
	@$(VENV)/ruff check -q . && $(VENV)/ruff format -q --check .
	@$(MAKE) --no-print-directory -j 3 types synthesized tests

tests:
	@$(PYTEST) $$((3 * $(CORES))) --durations 30 -m 'not toolchain_only and not release'

# Long scenarios, which `make test` leaves out. Run them before a release.
release: setup
	@$(PYTHON) scripts/setup.py moto-tests iam-simulator tflint terraform-docs
	@$(PYTEST) $(CORES) --durations 30 -m release

# Without types, whose check takes a minute; `make lint` has them.
fast: setup
	@$(VENV)/ruff check -q . && $(VENV)/ruff format -q --check .
	@$(MAKE) --no-print-directory units

units: synthesized # which caches what the tests would synthesize
	@$(PYTEST) $(CORES) --hypothesis-profile fast -m 'not plan and not apply and not slow and not release'

# The tests for another engine or provider. SMLOPS_TERRAFORM names the engine, such as `tofu`. SMLOPS_AWS_PROVIDER names
# the provider: the folder of a mirror, or a version. MARKS selects other tests, such as `plan`.
MARKS := toolchain
PROCESSES = $(shell echo $$((2 * $(CORES))))
toolchain: setup
	@$(PYTEST) $(PROCESSES) -m '($(MARKS)) and not release'

# The tests of the sandbox alone.
sandbox-tests: setup
	@$(PYTEST) $$((3 * $(CORES))) -m 'not toolchain_only and not release' tests/sandbox

# The documentation as a site, out/site. A dead link or a missing heading fails.
site: setup
	@$(VENV)/python -m tools.website

# Reports with hostile names, and the site, in a headless browser; it needs chromium or Chrome on PATH.
browser: setup
	@$(VENV)/pytest -q tests/review/check_browser.py tests/docs/check_site.py

# Mutation testing: a sample of small changes of the library, each run against the tests that could notice it.
mutants:
	@$(PYTHON) scripts/setup.py mutants
	@$(VENV)/python -m tests.mutants

lint: setup
	@$(VENV)/ruff check -q . && $(VENV)/ruff format -q --check .
	@$(MAKE) --no-print-directory -j 2 types synthesized

types:
	@$(VENV)/mypy

synthesized:
	@$(VENV)/smlops synth --check

synth: setup
	@$(VENV)/smlops synth

setup:
	@$(PYTHON) scripts/setup.py

clean:
	rm -rf .venv .local out .mypy_cache .ruff_cache .pytest_cache

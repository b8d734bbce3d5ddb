# Works with GNU make 3.81. Needs Python >= 3.11 and git; fetches uv when there is none.

DATABASE_LAYER ?= async-session
OUTPUT ?= .

UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
# The first Python that will do, for machines whose python3 is the system's old one.
FIND_PYTHON = for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	python=; \
done

.PHONY: help demo test test-all test-fast test-resilience fuzz fuzz-prompts lint bake update-readme bench-bake bench-setup-to-tests bench bench-search bench-publish sweep uv

help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

demo: uv sweep ## Make a project and run it on an embedded PostgreSQL (DATABASE_LAYER=databases, HOST, PORT).
	@"$(UV)" run --quiet python scripts/demo.py "$(DATABASE_LAYER)"

test: uv lint sweep ## Run all tests: the template's, and those of the projects that it makes.
	"$(UV)" run pytest --numprocesses 2 -m "not slow"
	"$(UV)" run pytest --numprocesses 2 --dist worksteal -m "slow and not pairwise" --verbose

test-all: test ## Run these too: any two options together, and the long form of every test.
	"$(UV)" run pytest --numprocesses 2 --dist worksteal -m pairwise --verbose
	$(MAKE) test-resilience fuzz fuzz-prompts

test-fast: uv sweep ## Run the tests that install nothing.
	"$(UV)" run pytest --numprocesses 2 -m "not slow"

test-resilience: uv sweep ## Put both layers under faults and load, at length (shorter in make test).
	RESILIENCE_PROFILE=long "$(UV)" run pytest --numprocesses 2 --dist worksteal -m "resilience and not fuzz" --verbose

fuzz: uv sweep ## Send both layers what their schema allows and forbids, at length (shorter in make test).
	RESILIENCE_PROFILE=long "$(UV)" run pytest --numprocesses 2 -m fuzz --verbose

fuzz-prompts: uv sweep ## Answer 2,000 times, with hostile text, and install 50 of the projects.
	FUZZ_PROMPTS=2000 "$(UV)" run pytest --numprocesses 2 tests/test_prompt_fuzzing.py --verbose

lint: uv ## Check style and types.
	"$(UV)" run ruff check --no-cache
	"$(UV)" run ruff format --check --no-cache
	"$(UV)" run mypy

bake: uv sweep ## Ask the questions and make a project (OUTPUT=folder).
	@"$(UV)" run --quiet cookiecutter . --output-dir "$(OUTPUT)"

update-readme: uv sweep ## Show in the README what a person sees who makes a project.
	@"$(UV)" run --quiet python scripts/update_readme.py

bench-bake: uv sweep ## Measure how long a bake takes, beside an empty template.
	@"$(UV)" run --quiet python scripts/bench_bake.py

bench-setup-to-tests: uv sweep ## Measure how long it is from cookiecutter to green tests, in both layers.
	@"$(UV)" run --quiet python scripts/bench_setup_to_tests.py

bench: uv sweep ## Measure what a request costs in both layers (QUICK=1: two routes, 2 minutes).
	@"$(UV)" run --quiet python -m benchmarks $(if $(QUICK),--quick)

bench-search: uv sweep ## Compare searches among 1,000,000 rows with those of a revision (BEFORE, ROWS, DATABASE_LAYER).
	@"$(UV)" run --quiet python -m benchmarks.search --layer "$(DATABASE_LAYER)" $(if $(BEFORE),--before "$(BEFORE)") $(if $(ROWS),--rows "$(ROWS)")

bench-publish: uv sweep ## Measure, and put the figures into benchmarks/results and the README.
	@"$(UV)" run --quiet python -m benchmarks --publish

# Cookiecutter would render what tools leave in the sources, or fail on it.
sweep:
	@if [ -e .git ]; then git clean -fdqX -- "{{cookiecutter.project_slug}}"; fi

uv:
	@if [ -x "$(UV)" ]; then exit 0; fi; \
	$(FIND_PYTHON); \
	if [ -z "$$python" ]; then \
		echo "Python 3.11 or newer is needed; python3 is $$(python3 --version 2>&1)." >&2; \
		exit 1; \
	fi; \
	echo "Fetching uv into .uv"; \
	"$$python" -m venv .uv && .uv/bin/python -m pip install --quiet "uv>=0.9,<1"

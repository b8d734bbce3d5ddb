# Works with GNU make 3.81 (macOS). Requires Python >= 3.11 and git; installs uv into .uv if it is missing.

OUTPUT ?= .

UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
# The first Python >= 3.11: on some machines, python3 is the system's older one.
FIND_PYTHON = for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	python=; \
done

SLOW = "$(UV)" run pytest --numprocesses 2 --dist worksteal --verbose

.PHONY: help bake demo check lint test-fast test test-all test-options test-versions test-forks test-benchmark test-resilience fuzz fuzz-prompts update-readme screenshot bench bench-publish bench-before bench-search bench-pages bench-jobs bench-bake bench-setup-to-tests clean clean-template uv

help: ## Show this help.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{ printf "%-26s %s\n", $$1, $$2 }'

bake: uv clean-template ## Generate a project, with prompts (OUTPUT=folder).
	@"$(UV)" run --quiet cookiecutter . --output-dir "$(OUTPUT)"

demo: uv clean-template ## Generate a project and run it on an embedded PostgreSQL (DATABASE_LAYER=databases, HOST, PORT).
	@"$(UV)" run --quiet python scripts/demo.py $(if $(DATABASE_LAYER),"$(DATABASE_LAYER)")

check: lint test-fast ## Run lint and the fast tests (about a minute).

lint: uv ## Run ruff and mypy.
	"$(UV)" run ruff check --no-cache
	"$(UV)" run ruff format --check --no-cache
	"$(UV)" run mypy

test-fast: uv clean-template ## Run the fast tests, which install no project.
	"$(UV)" run pytest --numprocesses 2 -m "not slow"

test: check ## Run lint, the fast tests, and the slow tests, which install and run projects (17 minutes).
	$(SLOW) -m "slow and not (benchmark or forks or options or thorough or versions)"

test-all: test test-options test-versions test-forks test-benchmark test-resilience fuzz fuzz-prompts ## Run all tests (hours).

test-options: uv clean-template ## Run the tests of projects with all variants and pairs of options.
	$(SLOW) -m options

test-versions: uv clean-template ## Run projects on every Python, with the lowest dependencies and with old cookiecutters.
	$(SLOW) -m versions

test-forks: uv clean-template ## Run the tests of forks, and the pages in docs/customizing.
	$(SLOW) -m forks

test-benchmark: uv clean-template ## Run the tests of the benchmark.
	$(SLOW) -m benchmark

test-resilience: uv clean-template ## Run the long resilience tests: faults and load, on both layers.
	RESILIENCE_PROFILE=long $(SLOW) -m "resilience and not fuzz"

fuzz: uv clean-template ## Fuzz the HTTP API of both layers with Schemathesis, with many examples.
	RESILIENCE_PROFILE=long "$(UV)" run pytest --numprocesses 2 -m fuzz --verbose

fuzz-prompts: uv clean-template ## Fuzz the prompts with 2,000 generated contexts, and install 50 of the projects.
	FUZZ_PROMPTS=2000 "$(UV)" run pytest --numprocesses 2 tests/test_prompt_fuzzing.py --verbose

update-readme: uv clean-template ## Update the choices and the prompt session in the documents.
	@"$(UV)" run --quiet python scripts/update_readme.py

screenshot: uv clean-template ## Update the screenshot in the README (needs Chromium).
	@"$(UV)" run --quiet python scripts/screenshot.py

bench: uv clean-template ## Benchmark the requests of both layers (QUICK=1: two routes, 2 minutes).
	@"$(UV)" run --quiet python -m benchmarks $(if $(QUICK),--quick)

bench-publish: uv clean-template ## Run the whole benchmark; write the results to benchmarks/results and the README.
	@"$(UV)" run --quiet python -m benchmarks --publish

bench-before: uv clean-template ## Compare the CPU time per request with an earlier revision (BEFORE, DATABASE_LAYER).
	@"$(UV)" run --quiet python -m benchmarks.before $(if $(DATABASE_LAYER),--layer "$(DATABASE_LAYER)") $(if $(BEFORE),--before "$(BEFORE)")

bench-search: uv clean-template ## Compare searches over 1,000,000 rows with an earlier revision (BEFORE, ROWS, DATABASE_LAYER).
	@"$(UV)" run --quiet python -m benchmarks.search $(if $(DATABASE_LAYER),--layer "$(DATABASE_LAYER)") $(if $(BEFORE),--before "$(BEFORE)") $(if $(ROWS),--rows "$(ROWS)")

bench-pages: uv clean-template ## Compare the first page of every list of articles with one in the middle of 1,000,000 rows (ROWS, DATABASE_LAYER).
	@"$(UV)" run --quiet python -m benchmarks.pages $(if $(DATABASE_LAYER),--layer "$(DATABASE_LAYER)") $(if $(ROWS),--rows "$(ROWS)")

bench-jobs: uv clean-template ## Measure enqueueing jobs, one worker, and an idle worker (DATABASE_LAYER).
	@"$(UV)" run --quiet python -m benchmarks.jobs $(if $(DATABASE_LAYER),--layer "$(DATABASE_LAYER)")

bench-bake: uv clean-template ## Measure how long generation takes, compared with an empty template.
	@"$(UV)" run --quiet python scripts/bench_bake.py

bench-setup-to-tests: uv clean-template ## Measure the time from cookiecutter to passing tests, for both layers.
	@"$(UV)" run --quiet python scripts/bench_setup_to_tests.py

clean: clean-template ## Delete caches and the benchmark's working folder; keep the environments .venv and .uv.
	rm -rf .bench .mypy_cache .pytest_cache .ruff_cache
	find benchmarks hooks scripts tests -name __pycache__ -prune -exec rm -rf {} +

# Cookiecutter would copy the caches that tools leave in the sources, and the second hook remove them.
clean-template:
	@if [ -e .git ]; then git clean -fdqX -- "{{cookiecutter.project_slug}}"; fi

uv:
	@if [ -x "$(UV)" ]; then exit 0; fi; \
	$(FIND_PYTHON); \
	if [ -z "$$python" ]; then \
		echo "Python 3.11 or newer is required; python3 is $$(python3 --version 2>&1)." >&2; \
		exit 1; \
	fi; \
	echo "Installing uv into .uv"; \
	"$$python" -m venv .uv && .uv/bin/python -m pip install --quiet "uv>=0.9,<1"

# `make` prints this help. Every verb is one line; .venv is made when it is missing or its requirements changed.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin
READY := .venv/.ready
REQUIREMENTS := requirements/run.txt requirements/airflow.txt requirements/dev.txt
export NIGHTJAR_HOME ?= $(CURDIR)/var

.PHONY: help install run test quick check format lint types demo airflow golden requirements clean \
  bench bench-full bench-peers bench-reduction bench-memory bench-growth bench-growth-full bench-history bench-limits bench-guard bench-parse bench-anomalies bench-detection

help: ## Print the verbs
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 26

install: $(READY) ## Create .venv from the hash-pinned requirement files

$(READY): requirements/uv.txt $(REQUIREMENTS) pyproject.toml
	python3 -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	$(BIN)/uv pip install --quiet --require-hashes --compile-bytecode $(REQUIREMENTS:%=-r %)
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

run: $(READY) ## Build the simulated world, run every night of it, print the report's path and what was found
	$(BIN)/nightjar demo

demo: run ## The same as run

test: $(READY) ## Run all tests, the slow ones with real Airflow and a year of real data too
	$(BIN)/pytest -n 2 --dist loadfile --ignore=tests/end_to_end --ignore=tests/performance
	$(BIN)/pytest tests/performance tests/end_to_end  # one after the other: they measure, or fill the machine themselves

quick: $(READY) ## Run the tests that need no Airflow and no year of data
	$(BIN)/pytest -m "not slow"

check: format lint types test ## Format, lint, check types, test

format: $(READY) ## Format the code
	$(BIN)/ruff format .

lint: $(READY) ## Lint the code
	$(BIN)/ruff check .

types: $(READY) ## Check the types
	$(BIN)/mypy

golden: $(READY) ## Rewrite the generated files that tests compare with, to be seen in the diff
	$(BIN)/python -m jobs.spec.schema
	$(BIN)/pytest -m "not slow" --golden

airflow: $(READY) ## Start a local Airflow with a DAG per model (PostgreSQL metadata where there is one)
	deploy/airflow/start.sh

bench: $(READY) ## Measure in small: beside the peers, the reduction against a bare scan, growth (10 minutes)
	$(BIN)/python -m benchmarks.side_by_side --rounds 1
	$(BIN)/python -m benchmarks.reduction 1000000
	$(BIN)/python -m benchmarks.growth --takes 1

bench-full: $(READY) ## Measure every goal at its full size (two hours on 2 quiet cores)
	$(BIN)/python -m benchmarks.side_by_side --full --rounds 1
	$(BIN)/python -m benchmarks.reduction
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.growth --full --takes 1
	$(BIN)/python -m benchmarks.history
	$(BIN)/python -m benchmarks.limits

bench-peers: $(READY) ## Measure: Nightjar beside Evidently, NannyML, popmon, whylogs and pandas, 10 days x 3,000 rows, 3 rounds
	$(BIN)/python -m benchmarks.side_by_side

bench-reduction: $(READY) ## Measure: 10 million rows to daily statistics, against a bare scan
	$(BIN)/python -m benchmarks.reduction

bench-memory: $(READY) ## Measure: the same under 1 GB and without a limit that matters
	$(BIN)/python -m benchmarks.memory

bench-history: $(READY) ## Measure: a night after a month and after a year, and a year as one range
	$(BIN)/python -m benchmarks.history

bench-limits: $(READY) ## Measure: report and mail of a broad model, 300 expected ranges
	$(BIN)/python -m benchmarks.limits

bench-guard: $(READY) ## Print the ratios that tests/performance holds against bounds
	$(BIN)/python -m benchmarks.guard

bench-growth: $(READY) ## Measure: how a night's cost grows with rows, features and segments
	$(BIN)/python -m benchmarks.growth

bench-growth-full: $(READY) ## The same up to 10 million rows, 1,000 segment values, 365 days and 50 models, one take (15 CPU minutes)
	$(BIN)/python -m benchmarks.growth --full --takes 1

bench-parse: $(READY) ## Measure: how long Airflow takes to parse the DAGs of 1, 10 and 50 models
	$(BIN)/python -m benchmarks.parse

bench-anomalies: $(READY) ## Measure: detectors side by side on simulated and on real labelled series
	$(BIN)/python -m benchmarks.anomalies simulated --ablations
	$(BIN)/python -m benchmarks.anomalies real

bench-detection: $(READY) ## Measure: 300 series on one night, a year of nights of 100 series as one run
	$(BIN)/python -m benchmarks.detection_cost

requirements: $(READY) ## Resolve and pin the requirement files anew
	cd requirements && for name in uv run airflow dev mlflow; do \
	  ../$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header $$name.in -o $$name.txt; done

clean: ## Remove .venv, var and caches
	rm -rf .venv var build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: bench-night
bench-night: $(READY) ## Measure: what a real Airflow adds to a night
	$(BIN)/python -m benchmarks.night

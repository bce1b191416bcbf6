# Every word that a person, a hook or CI says. `make help` lists them.
SHELL := /bin/sh
PYTHON_ENV := .venv
PARITY_ENV := .venv-parity
CONNECT_ENV := .venv-connect
RUN := $(PYTHON_ENV)/bin/python
NAME ?= training
AS_OF ?= 2013-08-01T00:00:00Z
PAIRS ?= 1

.DEFAULT_GOAL := help
.PHONY: help run job ui test test-parity test-connect bench lint clean lock

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: $(PYTHON_ENV)/local.done ## Train, judge, promote, score a week and monitor it, on this machine
	@$(RUN) -m local_workspace run

job: $(PYTHON_ENV)/local.done ## Run one job: make job NAME=training AS_OF=2013-08-01T00:00:00Z
	@$(RUN) -m local_workspace job $(NAME) --as-of $(AS_OF)

ui: $(PYTHON_ENV)/local.done ## Open the MLflow UI on what was run
	@$(RUN) -m local_workspace ui

test: $(PYTHON_ENV)/test.done ## Everything that must hold
	@$(RUN) -m pytest

test-parity: $(PARITY_ENV)/parity.done ## Our feature client against the real one, in an environment of its own
	@$(PARITY_ENV)/bin/python -m pytest --confcutdir=tests/parity tests/parity

test-connect: $(PYTHON_ENV)/local.done $(CONNECT_ENV)/connect.done ## The stages' tests through Spark Connect, here or in a workspace
	@if [ -n "$$DATABRICKS_HOST$$DATABRICKS_CONFIG_PROFILE" ]; then \
	    $(CONNECT_ENV)/bin/python -m pytest --home databricks tests/unit tests/integration; \
	else \
	    $(RUN) -m local_workspace connect $(CONNECT_ENV)/bin/python -m pytest --home connect tests/unit tests/integration; fi

bench: $(PYTHON_ENV)/local.done ## Time the main job beside one pandas script, and the stages' imports
	@$(RUN) -m benchmarks.bench --pairs $(PAIRS)

lint: $(PYTHON_ENV)/test.done ## Format, lint, types and import rules
	@$(PYTHON_ENV)/bin/ruff format --check .
	@$(PYTHON_ENV)/bin/ruff check .
	@$(PYTHON_ENV)/bin/lint-imports
	@MYPYPATH=local_workspace/site $(PYTHON_ENV)/bin/mypy

clean: ## Remove all that runs have written (the environments stay)
	@if [ -x $(RUN) ]; then $(RUN) -m local_workspace clean; fi

lock: $(PYTHON_ENV)/test.done ## Lock the versions anew
	@for name in local test parity connect; do \
	    $(PYTHON_ENV)/bin/uv pip compile --quiet --universal --python-version 3.12 --no-header --no-annotate \
	        requirements/$$name.in -o requirements/$$name.txt; done

$(PYTHON_ENV)/local.done: requirements/local.txt local_workspace/install.sh
	@sh local_workspace/install.sh $(PYTHON_ENV) requirements/local.txt
	@$(RUN) -m local_workspace jars
	@touch $@

$(PYTHON_ENV)/test.done: requirements/test.txt $(PYTHON_ENV)/local.done
	@sh local_workspace/install.sh $(PYTHON_ENV) requirements/test.txt
	@touch $@

$(PARITY_ENV)/parity.done: requirements/parity.txt local_workspace/install.sh
	@sh local_workspace/install.sh $(PARITY_ENV) requirements/parity.txt
	@touch $@

$(CONNECT_ENV)/connect.done: requirements/connect.txt local_workspace/install.sh
	@sh local_workspace/install.sh $(CONNECT_ENV) requirements/connect.txt
	@touch $@

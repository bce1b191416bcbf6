# Every word that a person, a hook or CI says. `make help` lists them.
SHELL := /bin/sh
PYTHON_ENV := .venv
PARITY_ENV := .venv-parity
RUN := $(PYTHON_ENV)/bin/python
NAME ?= training
AS_OF ?= 2013-08-01T00:00:00Z
PAIRS ?= 1
ANSWER ?= approved

.DEFAULT_GOAL := help
.PHONY: help run job rollback approve ui test test-parity bench lint clean lock

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: $(PYTHON_ENV)/local.done ## Train, judge, promote, score a week and monitor it, on this machine
	@$(RUN) -m local_workspace run

job: $(PYTHON_ENV)/local.done ## Run one job: make job NAME=training AS_OF=2013-08-01T00:00:00Z
	@$(RUN) -m local_workspace job $(NAME) --as-of $(AS_OF)

rollback: override export REASON := $(value REASON)
rollback: $(PYTHON_ENV)/local.done ## Give champion back to the version before: make rollback REASON='wrong since Monday'
	@test -n "$$REASON" || { echo "error: say why: make rollback REASON='wrong since Monday'" >&2; exit 2; }
	@$(RUN) -m local_workspace job rollback --param "reason=$$REASON"

approve: override export BY := $(value BY)
approve: $(PYTHON_ENV)/local.done ## Answer what waits for approval: make approve VERSION=2 [ANSWER=rejected] [BY=jane@example.com]
	@$(RUN) -m local_workspace approve "$(VERSION)" --answer $(ANSWER) --by "$$BY"

ui: $(PYTHON_ENV)/local.done ## Open the MLflow UI on what was run
	@$(RUN) -m local_workspace ui

test: $(PYTHON_ENV)/test.done ## Everything that must hold
	@$(RUN) -m pytest

test-parity: $(PARITY_ENV)/parity.done ## Our feature client against the real one, in an environment of its own
	@$(PARITY_ENV)/bin/python -m pytest --confcutdir=tests/parity tests/parity

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
	@for name in local test parity; do \
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

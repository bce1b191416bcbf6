# Every word that a person, a hook or CI says. `make help` lists them.
SHELL := /bin/sh
PYTHON_ENV := .venv
SPARK_ENV := .venv-spark
PARITY_ENV := .venv-parity
CONNECT_ENV := .venv-connect
RUN := $(PYTHON_ENV)/bin/python
# What runs the local workspace's Spark: sail, or spark (JVM Spark, which needs Java): make run ENGINE=spark
ENGINE ?= sail
export ENGINE
LOCAL := $(PYTHON_ENV)/local.done $(if $(filter spark,$(ENGINE)),$(SPARK_ENV)/spark.done)
TEST := $(PYTHON_ENV)/test.done $(LOCAL)
# Of tests: two processes, a file in one of them (tests/conftest.py says what is in one together).
SIDE_BY_SIDE := --numprocesses 2
NAME ?= training
# Of the jobs; empty: what the target says.
AS_OF ?=
ANSWER ?= approved
# Of the bundle's words: the target, and for bundle-run the job's key; of it and of job: 'name=value name=value', where
# a value may have spaces.
TARGET ?= dev
JOB ?= training
PARAMS ?=
# What a person writes goes to the commands as it is, also with a $ in it.
override REASON := $(value REASON)
override BY := $(value BY)
override PARAMS := $(value PARAMS)
# Another use case than use_case/: a folder that has a folder `use_case`, such as samples/small.
USE_CASE ?=
export REASON BY PARAMS USE_CASE
# The CLI that they call: ours, built from source, unless DATABRICKS_CLI names another.
DATABRICKS_CLI ?= $(CURDIR)/.tools/bin/databricks
ifeq ($(DATABRICKS_CLI),$(CURDIR)/.tools/bin/databricks)
CLI := cli
endif
BUNDLE := DATABRICKS_CLI='$(subst ','\'',$(DATABRICKS_CLI))' python3 tools/bundle.py

.DEFAULT_GOAL := help
.PHONY: help run job config dashboard rollback approve serve ui test use-case-test unit integration test-parity spark engines test-connect lint clean lock browser new pictures
.PHONY: cli bundle-test validate plan deploy destroy bundle-run bundle-rollback slice-test smoke
.PHONY: changes has-workspace plan-comment green release-branch release-tag earlier-release

# The words of what can be taken away (docs/adapt.md) stand in its folder, and go with it.
-include $(wildcard */words.mk tests/*/words.mk)

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(LOCAL) ## Train, judge, promote, score a week and monitor it, on this machine
	@$(RUN) -m local_workspace run

job: $(LOCAL) ## Run one job: make job NAME=training [AS_OF=2013-08-01T00:00:00Z] [PARAMS='name=value name=value']
	@$(RUN) -m local_workspace job $(NAME) $(if $(AS_OF),--as-of "$(AS_OF)") --params "$$PARAMS"

config: $(LOCAL) ## Print every key of use_case/config.yml: its type, its value here, what it means
	@$(RUN) -m local_workspace config

dashboard: $(LOCAL) ## Write use_case/monitoring.lvdash.json anew, as use_case/config.yml says
	@$(RUN) -m local_workspace dashboard

rollback: $(LOCAL) ## Give champion back to the version before: make rollback REASON='wrong since Monday'
	@test -n "$$REASON" || { echo "error: say why: make rollback REASON='wrong since Monday'" >&2; exit 2; }
	@$(RUN) -m local_workspace job rollback --param "reason=$$REASON"

approve: $(LOCAL) ## Answer what waits for approval: make approve VERSION=2 [ANSWER=rejected] [BY=jane@example.com]
	@$(RUN) -m local_workspace approve "$(VERSION)" --answer $(ANSWER) --by "$$BY"

serve: $(LOCAL) ## Answer scoring requests with the champion, as a serving endpoint does
	@$(RUN) -m local_workspace serve

ui: $(LOCAL) ## Open the MLflow UI on what was run
	@$(RUN) -m local_workspace ui

test: $(TEST) ## Everything that must hold
	@$(RUN) -m pytest $(SIDE_BY_SIDE)
	@$(RUN) -m pytest $(SIDE_BY_SIDE) tests/use_case

use-case-test: $(TEST) ## The tests of the use case alone
	@$(RUN) -m pytest $(SIDE_BY_SIDE) tests/use_case

unit: $(TEST) ## The unit tests alone
	@$(RUN) -m pytest $(SIDE_BY_SIDE) tests/unit

integration: $(TEST) ## The integration tests alone: whole jobs, the whole local run, and the use case's tests
	@$(RUN) -m pytest tests/integration
	@$(RUN) -m pytest $(SIDE_BY_SIDE) tests/use_case

test-parity: $(PARITY_ENV)/parity.done ## Our feature client against the real one, in an environment of its own
	@$(PARITY_ENV)/bin/python -m pytest --confcutdir=tests/parity tests/parity

spark: $(SPARK_ENV)/spark.done ## Install JVM Spark, which ENGINE=spark and test-connect use (it needs Java 17 or 21)

engines: $(TEST) $(SPARK_ENV)/spark.done ## The whole local run on both engines, every table compared row by row
	@$(RUN) -m pytest --confcutdir=tests/engines tests/engines

test-connect: $(PYTHON_ENV)/local.done $(SPARK_ENV)/spark.done $(CONNECT_ENV)/connect.done ## The stages' tests on JVM Spark, through Databricks' client
	@if [ -n "$$DATABRICKS_HOST$$DATABRICKS_CONFIG_PROFILE" ]; then \
	    $(CONNECT_ENV)/bin/python -m pytest --home databricks tests/unit tests/integration; \
	else \
	    $(RUN) -m local_workspace connect $(CONNECT_ENV)/bin/python -m pytest --home connect tests/unit tests/integration; fi

browser: ## Install the browser that looks at the reports in tests, unless there is one (Debian, Ubuntu)
	@sh tools/browser.sh

new: ## A project of its own: make new NAME=churn CATALOG=ml DIRECTORY=../churn [SAMPLE=small]
	@python3 tools/new.py --name '$(if $(filter file,$(origin NAME)),,$(NAME))' --catalog '$(CATALOG)' --directory '$(DIRECTORY)' --sample '$(SAMPLE)'

pictures: ## Make the README's pictures anew, of the newest monitoring report: make pictures [REPORT=file]
	@python3 tools/pictures.py $(if $(REPORT),"$(REPORT)")

cli: ## Build the Databricks CLI and the stand-in workspace, with Go, into .tools/bin
	@sh tests/bundle/workspace/build.sh .tools/bin

bundle-test: cli $(TEST) ## The bundle with the real CLI against a stand-in workspace
	@$(RUN) -m pytest tests/bundle

validate: $(CLI) ## Validate the bundle: make validate TARGET=prod
	@$(BUNDLE) validate --target $(TARGET)

plan: $(CLI) ## Show what a deployment would change; also in .tools/plan-TARGET.txt
	@$(BUNDLE) plan --target $(TARGET)

deploy: $(CLI) ## Deploy the bundle: make deploy TARGET=dev
	@$(BUNDLE) deploy --target $(TARGET)

destroy: $(CLI) ## Remove what was deployed (targets dev and test alone)
	@$(BUNDLE) destroy --target $(TARGET)

bundle-run: $(CLI) ## Run a deployed job: make bundle-run TARGET=dev JOB=training PARAMS='as_of=2013-08-01T00:00:00Z'
	@$(BUNDLE) run --target $(TARGET) --job $(JOB) --params "$$PARAMS"

bundle-rollback: $(CLI) ## Give champion back where it is deployed: make bundle-rollback TARGET=prod REASON='wrong since Monday'
	@test -n "$$REASON" || { echo "error: say why: make bundle-rollback TARGET=prod REASON='wrong since Monday'" >&2; exit 2; }
	@$(BUNDLE) run --target $(TARGET) --job rollback --params "reason=$$REASON"

slice-test: $(CLI) ## Run the jobs of the target test on its small slice of the sample
	@$(BUNDLE) run --target test --job training
	@$(BUNDLE) run --target test --job batch_inference
	@$(BUNDLE) run --target test --job batch_inference --params as_of=$(NEXT_DAY)
	@$(BUNDLE) run --target test --job monitoring --params as_of=$(NEXT_DAY)

smoke: $(CLI) ## After a deployment: train, if there is need, and score: make smoke TARGET=staging
	@$(BUNDLE) run --target $(TARGET) --job training --params '$(addprefix as_of=,$(AS_OF))'
	@$(BUNDLE) run --target $(TARGET) --job batch_inference --params '$(addprefix as_of=,$(AS_OF))'

lint: $(PYTHON_ENV)/test.done ## Format, lint, types, import rules, and the CI systems' own files
	@$(PYTHON_ENV)/bin/ruff format --check .
	@$(PYTHON_ENV)/bin/ruff check .
	@$(PYTHON_ENV)/bin/lint-imports
	@MYPYPATH=local_workspace/site $(PYTHON_ENV)/bin/mypy
	@for sample in $(wildcard samples/*); do ( cd $$sample && MYPYPATH=../..:../../local_workspace/site \
	    ../../$(PYTHON_ENV)/bin/mypy --config-file ../../pyproject.toml --cache-dir ../../.mypy_cache use_case ) || exit 1; done
	@sh tools/lint.sh $(PYTHON_ENV)/bin .tools/bin
	@if [ -d tests/cicd ]; then $(RUN) -m pytest --confcutdir=tests/cicd tests/cicd/test_agreement.py; fi

clean: ## Remove all that runs have written (the environments stay)
	@if [ -x $(RUN) ]; then $(RUN) -m local_workspace clean; fi

lock: $(PYTHON_ENV)/test.done ## Lock the versions anew
	@for name in local test spark parity connect; do \
	    sh local_workspace/uv.sh $(PYTHON_ENV) pip compile --quiet --universal --python-version 3.12 --no-header --no-annotate \
	        requirements/$$name.in -o requirements/$$name.txt; done
	@echo "A new pysail or pyspark must pass 'make test engines test-connect test-parity': the tests of the defects"
	@echo "(tests/unit/local_workspace/engine) say which of them are gone, and docs/engines.md names the release."

# What the CI systems say besides.

changes: ## Whether a pull request changes more than documents: true or false
	@sh tools/changes.sh

has-workspace: ## Whether an environment of the CI system has a workspace: make has-workspace FOR=staging
	@sh tools/workspace.sh $(FOR)

plan-comment: ## Post the plans of `make plan` on the pull request
	@python3 tools/plan_comment.py

green: ## Record that this commit was proved, and may be released
	@sh tools/release.sh green

release-branch: ## Move the release branch to the newest commit that was proved
	@sh tools/release.sh branch

release-tag: ## Record that this commit was deployed to prod
	@sh tools/release.sh tag

earlier-release: ## Check out the release that RELEASE names, to deploy it again
	@sh tools/release.sh earlier

$(PYTHON_ENV)/local.done: requirements/local.txt local_workspace/install.sh
	@sh local_workspace/install.sh $(PYTHON_ENV) requirements/local.txt
	@touch $@

$(SPARK_ENV)/spark.done: requirements/spark.txt local_workspace/install.sh local_workspace/jvm/java.sh
	@sh local_workspace/jvm/java.sh
	@sh local_workspace/install.sh $(SPARK_ENV) requirements/spark.txt
	@$(SPARK_ENV)/bin/python -m local_workspace.jvm.jars
	@touch $@

$(PYTHON_ENV)/test.done: requirements/test.txt $(PYTHON_ENV)/local.done
	@sh local_workspace/install.sh $(PYTHON_ENV) requirements/test.txt
	@touch $@

$(PARITY_ENV)/parity.done: requirements/parity.txt local_workspace/install.sh local_workspace/jvm/java.sh
	@sh local_workspace/jvm/java.sh
	@sh local_workspace/install.sh $(PARITY_ENV) requirements/parity.txt
	@touch $@

$(CONNECT_ENV)/connect.done: requirements/connect.txt local_workspace/install.sh
	@sh local_workspace/install.sh $(CONNECT_ENV) requirements/connect.txt
	@touch $@

"""What the job graph does about a verdict: nothing, a mail, or a mail and a training."""

from pathlib import Path
from typing import Any

import pytest

from local_workspace.bundle import Bundle, load_bundle
from local_workspace.dbutils import DBUtils
from local_workspace.notebook import run_notebook
from local_workspace.runner import Runner
from local_workspace.runs import JobRun, State, TaskRun
from local_workspace.workspace import REPOSITORY

SENTENCE = "Version 7 violates 1 of 9 checks: ROC AUC is 0.501."
# What later tasks ask of those whose notebooks are left out.
MADE_UP = {"since": "", "changed_from": "", "model_version": "8", "passed": "false"}
CAUSE = "monitoring: roc_auc since 2013-08-05"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    asked = dict.fromkeys(("catalog", "warehouse_id"), "given")
    return load_bundle(REPOSITORY, environ={f"BUNDLE_VAR_{name}": value for name, value in asked.items()})


def watched(bundle: Bundle, **verdict: str) -> JobRun:
    """A run of the job with a made-up verdict; of its notebooks only the announcement is real."""
    return run_job(bundle, "monitoring", verdict, as_of="2013-08-09T00:00:00Z")


def run_job(bundle: Bundle, job: str, verdict: dict[str, str], **parameters: str) -> JobRun:
    """The same of any job."""

    def execute(file: Path, dbutils: DBUtils, _: TaskRun) -> Any:
        if file.stem == "Announce":
            return run_notebook(file, None, dbutils, bundle.root)
        said = verdict if file.stem == "CheckViolations" else MADE_UP
        for name, value in said.items():
            dbutils.jobs.taskValues.set(name, value)
        return None

    runner = Runner(bundle, execute, sleep=lambda _: None)
    return runner.run(runner.prepare(job, parameters))


def test_where_nothing_is_violated_nobody_hears_of_it(bundle: Bundle) -> None:
    run = watched(bundle, violated="false", action="none", cause="", sentence="All is well.")
    assert not run.failed
    assert run.states["announce"] is State.EXCLUDED
    assert run.states["run_training"] is State.EXCLUDED


def test_a_violation_is_announced_and_trains_nothing_where_no_training_is_asked_for(
    bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    run = watched(bundle, violated="true", action="alert", cause="", sentence=SENTENCE)
    assert not run.failed
    assert capsys.readouterr().out.splitlines() == [SENTENCE]
    assert run.states["run_training"] is State.EXCLUDED


def test_a_training_that_is_asked_for_gets_the_moment_and_the_cause(bundle: Bundle) -> None:
    run = watched(bundle, violated="true", action="retrain", cause=CAUSE, sentence=SENTENCE)
    training = run.tasks["run_training"].nested
    assert training is not None
    assert training.key == "training"
    assert training.parameters["cause"] == CAUSE
    assert training.parameters["as_of"] == "2013-08-09T00:00:00Z"


def test_a_version_is_judged_on_the_days_that_its_training_left_out(bundle: Bundle) -> None:
    run = run_job(bundle, "training", {}, as_of="2013-08-09T00:00:00Z", validation_days="9")
    deployment = run.tasks["deploy"].nested
    assert deployment is not None
    assert deployment.key == "deployment"
    assert deployment.parameters["validation_days"] == "9"

"""What the job graph does about a verdict: nothing, or a training. The mail about one is an alert's, not the job's."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from databricks import sdk

from local_workspace.bundle import Bundle, load_bundle
from local_workspace.dbutils import DBUtils
from local_workspace.notebook import run_notebook
from local_workspace.runner import Runner
from local_workspace.runs import JobRun, State, TaskRun
from local_workspace.workspace import REPOSITORY
from monitoring import monitoring
from monitoring.verdict import Verdict
from monitoring.windows import judged_window
from project.config import load_config

AS_OF = datetime(2024, 8, 9, tzinfo=UTC)
# What later tasks ask of those whose notebooks are left out.
MADE_UP = {"model_version": "8", "passed": "false"}
CAUSE = "monitoring: roc_auc since 2024-08-05"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    asked = dict.fromkeys(("catalog", "warehouse_id"), "given")
    return load_bundle(REPOSITORY, environ={f"BUNDLE_VAR_{name}": value for name, value in asked.items()})


def watched(bundle: Bundle, action: str, cause: str = "", status: str = "violated") -> JobRun:
    """A run of the job with a made-up verdict; of its notebooks only the monitoring is real."""
    window = judged_window(AS_OF, load_config().monitoring)
    verdict = Verdict("7", AS_OF, window, status, 700, 1.0, (), action, None, cause)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(monitoring, "monitor", lambda *_: verdict)
        patch.setattr(sdk, "WorkspaceClient", lambda: None)
        return run_job(bundle, "monitoring", as_of="2024-08-09T00:00:00Z")


def run_job(bundle: Bundle, job: str, **parameters: str) -> JobRun:
    """A run of any job, in which no notebook is real but the one of the monitoring."""

    def execute(file: Path, dbutils: DBUtils, _: TaskRun) -> None:
        if file.stem == "Monitor":
            run_notebook(file, None, dbutils, bundle.root)
        else:
            for name, value in MADE_UP.items():
                dbutils.jobs.taskValues.set(name, value)

    runner = Runner(bundle, execute, sleep=lambda _: None)
    return runner.run(
        runner.prepare(job, {"volume": "/Volumes/given", **parameters} if job == "monitoring" else parameters)
    )


@pytest.mark.parametrize(("status", "action"), [("ok", "none"), ("too few labels", "none"), ("violated", "alert")])
def test_without_a_training_that_is_asked_for_the_job_ends_well_and_trains_nothing(
    bundle: Bundle, status: str, action: str
) -> None:
    run = watched(bundle, action, status=status)
    assert not run.failed
    assert run.states["monitor"] is State.SUCCESS
    assert run.states["run_training"] is State.EXCLUDED


def test_a_training_that_is_asked_for_gets_the_moment_and_the_cause(bundle: Bundle) -> None:
    run = watched(bundle, "retrain", CAUSE)
    assert not run.failed
    training = run.tasks["run_training"].nested
    assert training is not None
    assert training.key == "training"
    assert training.parameters["cause"] == CAUSE
    assert training.parameters["as_of"] == "2024-08-09T00:00:00Z"


def test_a_version_is_judged_on_the_days_that_its_training_left_out(bundle: Bundle) -> None:
    run = run_job(bundle, "training", as_of="2024-08-09T00:00:00Z", validation_days="9")
    deployment = run.tasks["deploy"].nested
    assert deployment is not None
    assert deployment.key == "deployment"
    assert deployment.parameters["validation_days"] == "9"

"""The commands that `make bench` measures: the main job, the one-file script, and the whole run twice."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.measure import Measurement, measure
from local_workspace.workspace import FOLDER_VARIABLE, Workspace

JOB, SCRIPT, FIRST_RUN, SECOND_RUN = "job training", "one-file script", "make run, from empty", "make run, again"
QUALITY = ("rows", "roc_auc", "brier", "log_loss")
_AS_OF = "2013-08-01T00:00:00Z"
_ARGUMENTS = {
    JOB: ("local_workspace", "job", "training", "--as-of", _AS_OF),
    SCRIPT: ("benchmarks.one_file", "--as-of", _AS_OF),
    FIRST_RUN: ("local_workspace", "run"),
    SECOND_RUN: ("local_workspace", "run"),
}


@dataclass(frozen=True)
class Figures:
    """What a command took and, where it made a model, how good that is on the month that it was judged on."""

    name: str
    measurement: Measurement
    quality: dict[str, float]


def run_all(folder: Path, pairs: int, starting: Callable[[str], None]) -> Iterator[Figures]:
    """Job and script in turn, so that both meet the same machine; then a run from empty, and one on what that left.

    What the last run leaves is there afterwards.

    Args:
        folder: where logs and the workspace of the measured runs go, apart from the user's own.
        pairs: how often job and script run.
        starting: is told the name of what comes next.
    """
    workspace = workspace_of(folder)

    def run(name: str) -> Measurement:
        starting(name)
        return _run(name, folder, workspace)

    for _ in range(pairs):
        empty(workspace)
        yield Figures(JOB, run(JOB), _quality_of_job(workspace))
        yield Figures(SCRIPT, run(SCRIPT), _quality_of_script(folder))
    empty(workspace)
    yield Figures(FIRST_RUN, run(FIRST_RUN), {})
    yield Figures(SECOND_RUN, run(SECOND_RUN), {})


def workspace_of(folder: Path) -> Workspace:
    """The workspace of the measured runs."""
    return Workspace(folder / "workspace")


def _run(name: str, folder: Path, workspace: Workspace) -> Measurement:
    log = _log(folder, name)
    module, *arguments = _ARGUMENTS[name]
    command = [sys.executable, "-m", module, *arguments]
    measurement = measure(command, log, {FOLDER_VARIABLE: str(workspace.root)})
    if measurement.status:
        raise click.ClickException(f"{name} failed: the reason is in {log}.")
    return measurement


def _quality_of_job(workspace: Workspace) -> dict[str, float]:
    """What the validation found, as the tags of the one model version say."""
    workspace.enter()
    # After the workspace is entered: MLflow takes its settings when it is imported.
    from mlflow import MlflowClient  # noqa: PLC0415

    (version,) = MlflowClient().search_model_versions()
    return {name: float(version.tags[f"validation_{name}"]) for name in QUALITY}


def _quality_of_script(folder: Path) -> dict[str, float]:
    """What the script has printed as its last line."""
    figures = json.loads(_log(folder, SCRIPT).read_text(encoding="utf-8").splitlines()[-1])
    return {name: figures[name] for name in QUALITY}


def _log(folder: Path, name: str) -> Path:
    return folder / f"{name.replace(',', '').replace(' ', '-')}.log"


def empty(workspace: Workspace) -> None:
    """Removes what runs have left."""
    if workspace.root.exists():
        shutil.rmtree(workspace.root)

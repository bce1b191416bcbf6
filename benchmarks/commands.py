"""The commands that `make bench` measures: the main job, the use case's one-file script if it has one, and the whole
run twice.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import click

from benchmarks.measure import Measurement, measure
from local_workspace.bundle import load_bundle
from local_workspace.cli import sample_moment
from local_workspace.workspace import FOLDER_VARIABLE, REPOSITORY, Workspace
from project.config import Config

JOB, SCRIPT, FIRST_RUN, SECOND_RUN = "job training", "one-file script", "make run, from empty", "make run, again"
# The job as one script: it takes `--as-of`, and what it prints last is a line of JSON with the figures of the label's
# `measure`.
_MODULE = "use_case.one_file"


@dataclass(frozen=True)
class Figures:
    """What a command took and, where it made a model, how good that is on the days that it was judged on."""

    name: str
    measurement: Measurement
    quality: dict[str, float]


def run_all(folder: Path, pairs: int, config: Config, starting: Callable[[str], None]) -> Iterator[Figures]:
    """Job and script in turn, so that both meet the same machine; then a run from empty, and one on what that left.

    What the last run leaves is there afterwards.

    Args:
        folder: where logs and the workspace of the measured runs go, apart from the user's own.
        pairs: how often job and script run.
        config: names the figures.
        starting: is told the name of what comes next.
    """
    workspace = workspace_of(folder)
    commands = commands_at(sample_moment(load_bundle(REPOSITORY)).isoformat())
    figures = ("rows", *compared(config))

    def run(name: str) -> Measurement:
        starting(name)
        return _run(name, commands[name], folder, workspace)

    for _ in range(pairs):
        empty(workspace)
        yield Figures(JOB, run(JOB), _quality_of_job(workspace, figures))
        if SCRIPT in commands:
            yield Figures(SCRIPT, run(SCRIPT), _quality_of_script(folder, figures))
    empty(workspace)
    yield Figures(FIRST_RUN, run(FIRST_RUN), {})
    yield Figures(SECOND_RUN, run(SECOND_RUN), {})


def commands_at(as_of: str) -> dict[str, tuple[str, ...]]:
    """Each command as a module and its arguments."""
    script = {SCRIPT: (_MODULE, "--as-of", as_of)} if find_spec(_MODULE) else {}
    whole_run = ("local_workspace", "run")
    job = ("local_workspace", "job", "training", "--as-of", as_of)
    return {JOB: job, **script, FIRST_RUN: whole_run, SECOND_RUN: whole_run}


def compared(config: Config) -> tuple[str, str]:
    """The figures by which two models are compared."""
    return config.label.quality, config.label.loss_figure


def workspace_of(folder: Path) -> Workspace:
    """The workspace of the measured runs."""
    return Workspace(folder / "workspace")


def _run(name: str, words: Sequence[str], folder: Path, workspace: Workspace) -> Measurement:
    log = _log(folder, name)
    measurement = measure([sys.executable, "-m", *words], log, {FOLDER_VARIABLE: str(workspace.root)})
    if measurement.status:
        raise click.ClickException(f"{name} failed: the reason is in {log}.")
    return measurement


def _quality_of_job(workspace: Workspace, figures: Sequence[str]) -> dict[str, float]:
    """What the validation found, as the tags of the one model version say."""
    workspace.enter()
    # After the workspace is entered: MLflow takes its settings when it is imported.
    from mlflow import MlflowClient  # noqa: PLC0415

    (version,) = MlflowClient().search_model_versions()
    return {name: float(version.tags[f"validation_{name}"]) for name in figures}


def _quality_of_script(folder: Path, figures: Sequence[str]) -> dict[str, float]:
    """What the script has printed as its last line."""
    printed = json.loads(_log(folder, SCRIPT).read_text(encoding="utf-8").splitlines()[-1])
    return {name: printed[name] for name in figures}


def _log(folder: Path, name: str) -> Path:
    return folder / f"{name.replace(',', '').replace(' ', '-')}.log"


def empty(workspace: Workspace) -> None:
    """Removes what runs have left."""
    if workspace.root.exists():
        shutil.rmtree(workspace.root)

"""The commands say in one sentence what the user can put right, and end with the right status."""

import getpass
import io
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from local_workspace import cli
from local_workspace.bundle import load_bundle
from local_workspace.errors import LocalWorkspaceError
from local_workspace.progress import Progress
from local_workspace.resources import make_mlflow_resources
from local_workspace.runner import Runner
from local_workspace.workspace import FOLDER_VARIABLE, REPOSITORY, find_workspace, open_workspace


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A local workspace's folder of this test alone; the environment is put back afterwards."""
    before = dict(os.environ)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "local"))
    yield tmp_path / "local"
    os.environ.clear()
    os.environ.update(before)


def fail(capsys, *arguments):
    """Runs a command that must end with status 2, and returns its one line on standard error."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["local_workspace", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def test_an_unknown_job_names_the_known_ones(folder, capsys):
    line = fail(capsys, "job", "trainign")
    assert "no job 'trainign'" in line
    assert "batch_inference, deployment, feature_engineering, monitoring, rollback, training" in line


def test_a_parameter_without_a_value_is_refused(folder, capsys):
    assert "'as_of' is not a parameter: write it as KEY=VALUE" in fail(capsys, "job", "training", "--param", "as_of")


def test_an_unknown_command_is_refused(folder, capsys):
    assert "No such command 'rnu'" in fail(capsys, "rnu")


def test_a_server_is_not_started_for_a_command_that_is_not_there(capsys):
    assert "Command not found: 'no-such-command'" in fail(capsys, "connect", "no-such-command", "--flag")


def test_the_ui_has_nothing_to_show_before_a_run(folder, capsys):
    assert "make run" in fail(capsys, "ui")


def test_an_answer_to_what_waits_for_approval_is_tags_on_the_version(folder, capsys, monkeypatch):
    with open_workspace() as workspace:
        from mlflow import MlflowClient  # noqa: PLC0415 (the workspace sets its path)

        make_mlflow_resources(load_bundle(REPOSITORY), workspace)
        model = load_bundle(REPOSITORY).resource("registered_models", "model")["id"]
        MlflowClient().create_model_version(model, folder.as_uri())
    for arguments in (["1", "--by", "jane@example.com"], ["1", "--answer", "rejected"]):
        monkeypatch.setattr(sys, "argv", ["local_workspace", "approve", *arguments])
        cli.main()
    tags = MlflowClient().get_model_version(model, "1").tags
    assert tags == {"approval": "rejected", "approved_by": "jane@example.com", "rejected_by": getpass.getuser()}
    assert "version '7'" in fail(capsys, "approve", "7")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--as-of", "yesterday"), "the parameter 'as_of' is 'yesterday', and must be a moment such as"),
        (("--param", "window_hours=abc"), "the parameter 'window_hours' is 'abc', and must be a number"),
        (("--params", "cause=too old now window_hours=0"), "the parameter 'window_hours' is '0', and must be above 0"),
        (("--params", "too old"), "'too old' is not a parameter"),
    ],
)
def test_a_value_that_no_task_could_read_ends_before_one_starts(folder, capsys, given, said):
    assert said in fail(capsys, "job", "batch_inference", *given)
    assert not folder.exists()


def test_a_file_in_the_way_is_named(folder, capsys):
    folder.write_text("in the way")
    line = fail(capsys, "job", "training")
    assert str(folder) in line
    assert FOLDER_VARIABLE in line


def test_a_second_run_is_told_to_wait_and_a_later_one_is_not(folder):
    with open_workspace(), pytest.raises(LocalWorkspaceError, match="Another run is using"), open_workspace():
        pass
    with open_workspace():
        pass


def test_clean_removes_the_folder_and_is_happy_without_one(folder, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["local_workspace", "clean"])
    with open_workspace():
        (folder / "warehouse").mkdir()
    cli.main()
    assert not folder.exists()
    cli.main()


def test_the_workspace_gives_the_environment(folder):
    with open_workspace() as workspace:
        assert workspace.root == folder
        assert os.environ["MLFLOW_TRACKING_URI"] == f"sqlite:///{folder}/mlflow.db"
        assert os.environ["MLFLOW_REGISTRY_URI"] == os.environ["MLFLOW_TRACKING_URI"]
        assert sys.path.index(str(REPOSITORY / "local_workspace" / "site")) < len(sys.path)
        bundle = load_bundle(REPOSITORY)
        assert bundle.resource("schemas", "schema")["catalog_name"] == "spark_catalog"
        volume = next(p.default for p in bundle.jobs["feature_engineering"].parameters if p.name == "volume")
        assert volume.startswith(f"{folder}/Volumes/spark_catalog/")


def test_the_default_folder_is_in_the_repository(monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    assert find_workspace().root == REPOSITORY / ".local"


def test_the_sequence_runs_jobs_of_the_bundle_with_their_as_of(folder):
    with open_workspace():
        bundle = load_bundle(REPOSITORY)
    sequence = cli.sequence(cli.sample_moment(bundle))
    for name, _ in sequence:
        assert "as_of" in {parameter.name for parameter in bundle.jobs[name].parameters}
    # From the moment that the target of the small use case names.
    days = [("training", 1), *(("batch_inference", day) for day in range(2, 10)), ("monitoring", 9)]
    assert sequence == [(name, f"2024-04-{day:02}T00:00:00Z") for name, day in days]


def test_where_as_of_is_the_start_of_a_run_the_sequence_ends_today(bundle):
    start = 'variables: {as_of: {default: "{{job.start_time.iso_datetime}}"}}'
    bundle.write("databricks.yml", f"bundle: {{name: shop}}\n{start}\n")
    sequence = cli.sequence(cli.sample_moment(load_bundle(bundle.root, environ={})))
    first, last = (datetime.fromisoformat(as_of) for _, as_of in (sequence[0], sequence[-1]))
    assert last - first == timedelta(days=8)
    assert timedelta(0) <= datetime.now(UTC) - last < timedelta(days=1)
    assert f"{last:%H:%M:%S}" == "00:00:00"


def test_an_interrupt_ends_the_process_with_130_while_a_notebook_is_at_work(bundle):
    bundle.notebook("Wait", "print('waiting', flush=True)\nimport time\ntime.sleep(60)")
    bundle.job("j", "- {task_key: a, notebook_task: {notebook_path: ../notebooks/Wait.py}}")
    code = f"""
import sys; sys.path.insert(0, {str(REPOSITORY)!r})
from pathlib import Path
from local_workspace import cli
from local_workspace.bundle import load_bundle
from local_workspace.notebook import run_notebook
from local_workspace.resources import make_mlflow_resources
from local_workspace.runner import Runner
bundle = load_bundle(Path({str(bundle.root)!r}))
runner = Runner(bundle, lambda file, dbutils, task: run_notebook(file, None, dbutils, bundle.root))
with cli.one_sentence_errors():
    runner.run(runner.prepare("j"))
"""
    process = subprocess.Popen(  # noqa: S603 (our own interpreter)
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in errors


@pytest.mark.parametrize("terminal", [False, True])
def test_progress_shows_nested_tasks_and_their_ends(bundle, terminal):
    bundle.notebook("Good")
    bundle.notebook("Bad", "raise ValueError('no')")
    notebook = "notebook_task: {notebook_path: ../notebooks/%s.py}"
    bundle.job(
        "child",
        f"- {{task_key: bad, {notebook % 'Bad'}}}\n"
        f"- {{task_key: later, depends_on: [{{task_key: bad}}], {notebook % 'Good'}}}",
    )
    bundle.job("parent", "- {task_key: nested, run_job_task: {job_id: '${resources.jobs.child.id}'}}")
    loaded = load_bundle(bundle.root, environ={})
    out = io.StringIO()
    progress = Progress(Console(file=out, force_terminal=terminal, color_system=None, width=100))
    runner = Runner(loaded, lambda file, *_: exec(file.read_text()), listener=progress)  # noqa: S102
    run = runner.prepare("parent")
    with progress.job(run):
        runner.run(run)
    text = out.getvalue()
    if terminal:
        assert all(key in text for key in ("nested", "bad", "later", "upstream failed"))
    else:
        lines = text.splitlines()
        assert "  parent ▸ nested ▸ bad   started" in lines
        assert any(line.startswith("  parent ▸ nested ▸ bad   FAILED   0.") for line in lines)
        assert "  parent ▸ nested ▸ later   not run: an earlier task failed" in lines
    assert "parent   FAILED" in text

"""The commands of `make run`, `job`, `config`, `dashboard`, `approve`, `serve`, `ui`, `test-connect` and `clean`."""

import getpass
import json
import os
import re
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import click

from local_workspace.bundle import Bundle, load_bundle
from local_workspace.deployed_run import run_deployed, take_standard_output
from local_workspace.engine.beside import run_beside_server
from local_workspace.errors import LocalWorkspaceError
from local_workspace.listening import listen
from local_workspace.local_jobs import run_jobs
from local_workspace.values import references
from local_workspace.workspace import REPOSITORY, find_workspace, open_workspace
from project.config import config_file, load_config
from project.parameters import ParameterError, check_given
from project.times import parse_moment

INTERRUPTED = 130
_PIPE_CLOSED = 141  # as a shell tells that SIGPIPE ended a command
_WIDTH = 160  # of a table that goes into a file
_MLFLOW_PORT = 5000
_SERVING_PORT = 5001
_DAY = timedelta(days=1)
# The days that `make run` scores after a training: a week, and one more for its last labels.
_DAYS = 8


@click.group(help="A Databricks workspace's part, on this machine.")
def commands() -> None:
    """The group of all commands."""


def sequence(as_of: datetime) -> list[tuple[str, str]]:
    """What `make run` does: a training, the days after it one by one, and a look back; each job and its as_of."""
    days = [as_of + _DAY * number for number in range(1, _DAYS + 1)]
    jobs = [("training", as_of), *(("batch_inference", day) for day in days), ("monitoring", days[-1])]
    return [(name, moment.strftime("%Y-%m-%dT%H:%M:%SZ")) for name, moment in jobs]


def sample_moment(bundle: Bundle) -> datetime:
    """The moment that the bundle's target names; where that is the start of a run, one that leaves days to score.

    The sample of a use case ends (use_case/bundle.yml); what lives goes on.
    """
    named = str(bundle.variables["as_of"])
    if any(references(named)):
        return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - _DAY * _DAYS
    return parse_moment(named)


@commands.command(help="Train, score the week after it day by day, monitor it.")
def run() -> None:
    """Runs the whole sequence in one process."""
    with open_workspace() as workspace:
        # After the workspace is entered: MLflow imports `databricks`, whose path is fixed from then on.
        from local_workspace.summary import print_summary  # noqa: PLC0415

        bundle = load_bundle(REPOSITORY)
        requests = [(name, {"as_of": as_of}) for name, as_of in sequence(sample_moment(bundle))]
        succeeded = run_jobs(bundle, workspace, requests, then=partial(print_summary, bundle, workspace))
    if not succeeded:
        sys.exit(1)


@commands.command(help="Run one job of the bundle.")
@click.argument("name")
@click.option("--as-of", help="Point in time, such as 2013-08-01T00:00:00Z; what the target says when left out.")
@click.option("--param", "params", multiple=True, metavar="KEY=VALUE", help="Another job parameter.")
@click.option(
    "--params", "several", default="", metavar="'KEY=VALUE KEY=VALUE'", help="Several; values may have spaces."
)
def job(name: str, as_of: str | None, params: tuple[str, ...], several: str) -> None:
    """Runs one job."""
    pairs = [*params, *(re.split(r"\s+(?=[\w.-]+=)", several.strip()) if several.strip() else [])]
    parameters = dict(_split(pair) for pair in pairs) | ({"as_of": as_of} if as_of else {})
    try:
        check_given(parameters)
    except ParameterError as error:
        raise LocalWorkspaceError(str(error)) from None
    with open_workspace() as workspace:
        succeeded = run_jobs(load_bundle(REPOSITORY), workspace, [(name, parameters)])
    if not succeeded:
        sys.exit(1)


@commands.command(help="Print every key of the configuration: its type, its value here, what it means.")
def config() -> None:
    """Prints the table."""
    from local_workspace.config_table import print_config  # noqa: PLC0415
    from local_workspace.console import Console  # noqa: PLC0415 (no other command needs them)

    print_config(load_config(), Console(width=None if sys.stdout.isatty() else _WIDTH))


@commands.command(help="Write the dashboard of the use case anew, as its configuration says.")
def dashboard() -> None:
    """Writes the file."""
    from monitoring.dashboard import dashboard_file, dashboard_text  # noqa: PLC0415 (no other command needs it)

    dashboard_file(config_file()).write_text(dashboard_text(load_config()), encoding="utf-8")


@commands.command(help="Run a job as it was deployed (what the stand-in workspace calls).", hidden=True)
def deployed() -> None:
    """Runs the job that standard input asks for."""
    reports = take_standard_output()
    if run_deployed(json.load(sys.stdin), reports):
        sys.exit(1)


@commands.command(help="Answer what waits for approval, as a person does on the version's page.")
@click.argument("version")
@click.option("--answer", type=click.Choice(["approved", "rejected"]), default="approved")
@click.option("--by", default="", help="Who answers; the user of this machine when left out.")
def approve(version: str, answer: str, by: str) -> None:
    """Sets the tags that the approval task reads."""
    with open_workspace():
        from mlflow import MlflowClient  # noqa: PLC0415 (as above: after the workspace is entered)
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        model = str(load_bundle(REPOSITORY).resource("registered_models", "model")["id"])
        try:
            for tag, value in ((f"{answer}_by", by or getpass.getuser()), ("approval", answer)):
                MlflowClient().set_model_version_tag(model, version, tag, value)
        except MlflowException as error:
            raise LocalWorkspaceError(
                f"version '{version}' of {model} can't be approved or rejected: {error.message}"
            ) from None
    print(f"{model} version {version}: {answer}. Run the job 'training' again.")


@commands.command(
    help="Run a command beside a Spark Connect server that it finds through its environment.",
    context_settings={"ignore_unknown_options": True},
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def connect(command: tuple[str, ...]) -> None:
    """Runs the command, and ends with its status."""
    sys.exit(run_beside_server(command))


@commands.command(help="Open the MLflow UI on the local workspace.")
def ui() -> None:
    """Becomes MLflow's server."""
    workspace = find_workspace()
    if not (workspace.root / "mlflow.db").exists():
        raise LocalWorkspaceError("There is nothing to show yet: 'make run' fills the local workspace.")
    port = str(_free_port())
    print(f"MLflow UI: http://127.0.0.1:{port} (Ctrl+C ends it)", flush=True)
    server = ["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", "1"]
    stores = [
        "--backend-store-uri",
        workspace.tracking_uri,
        "--default-artifact-root",
        workspace.artifacts.as_uri(),
    ]
    os.execv(sys.executable, [sys.executable, *server, *stores])  # noqa: S606 (our own interpreter)


@commands.command(help="Answer scoring requests with the champion, as a serving endpoint does.")
@click.option(
    "--port", default=_SERVING_PORT, show_default=True, help="Of 127.0.0.1; another that is free if it is taken."
)
def serve(port: int) -> None:
    """Serves until it is interrupted; jobs may run meanwhile, and what they deploy is served at once."""
    workspace = find_workspace()
    workspace.enter()
    from local_workspace.serving.server import serve as serve_champion  # noqa: PLC0415 (as in `run`)

    bundle = load_bundle(REPOSITORY)
    endpoint = served_endpoint(bundle)
    with _listen(port) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/serving-endpoints/{endpoint}/invocations"
        print(f"POST {address} (Ctrl+C ends it)", flush=True)
        serve_champion(workspace, endpoint, str(bundle.resource("registered_models", "model")["id"]), listening)


@commands.command(help="Remove all that local runs have written.")
def clean() -> None:
    """Removes the workspace's folder."""
    root = find_workspace().root
    if root.exists():
        with open_workspace():
            shutil.rmtree(root)
        print(f"Removed {root}")


def main() -> None:
    """Runs a command; what the user can put right is said in one sentence."""
    try:
        with one_sentence_errors():
            commands(standalone_mode=False)
    except click.ClickException as error:
        print(f"error: {error.format_message()}", file=sys.stderr)
        sys.exit(2)


@contextmanager
def one_sentence_errors() -> Iterator[None]:
    """Turns errors into a command's one sentence, and an interrupt into its status."""
    try:
        yield
    except LocalWorkspaceError as error:
        raise click.ClickException(str(error)) from None
    except (KeyboardInterrupt, click.Abort):
        print("\nInterrupted. The next run continues with the tables as they are.", file=sys.stderr, flush=True)
        # Without waiting for notebooks that are still at work in their threads.
        os._exit(INTERRUPTED)
    except BrokenPipeError:
        # Who read the output has gone, as `head` does: there is nobody to tell.
        os._exit(_PIPE_CLOSED)


def _split(param: str) -> tuple[str, str]:
    key, equals, value = param.partition("=")
    if not equals or not key:
        raise LocalWorkspaceError(f"'{param}' is not a parameter: write it as KEY=VALUE.")
    return key, value


def served_endpoint(bundle: Bundle) -> str:
    """The name that the deployment job gives the endpoint."""
    tasks = (task.notebook_task for task in bundle.jobs["deployment"].tasks if task.notebook_task)
    return next(task.base_parameters["endpoint"] for task in tasks if "endpoint" in task.base_parameters)


def _listen(wanted: int) -> socket.socket:
    """Listens on a port, or on one that is free: who calls from now on is answered once the server is up."""
    try:
        return listen(wanted)
    except OSError:
        return listen(0)


def _free_port() -> int:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", _MLFLOW_PORT))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

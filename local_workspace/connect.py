"""Spark Connect on this machine: a server over the local Spark and Delta, for as long as one command needs it."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from local_workspace.errors import LocalWorkspaceError
from local_workspace.session import build_session

_KILLED = 128  # with the signal's number: how a shell tells that a command was killed
REMOTE_VARIABLE, TOKEN_VARIABLE = "SPARK_REMOTE", "SPARK_CONNECT_AUTHENTICATE_TOKEN"
_SETTINGS = {
    "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
    "spark.connect.grpc.binding.address": "127.0.0.1",
    # Any port that is free: servers side by side do not collide.
    "spark.connect.grpc.binding.port": "0",
    # As a bare number: Spark 4.1 would tell it with a unit, which Databricks' client does not read.
    "spark.sql.session.localRelationSizeLimit": str(3 * 1024**3),
}


def run_beside_server(command: Sequence[str]) -> int:
    """Runs a command whose environment tells Spark's clients of a server that lives as long as the command.

    Its tables and files are the server's own, and go with it.

    Returns:
        The command's status, as `run` gives it.
    """
    if shutil.which(command[0]) is None:
        raise LocalWorkspaceError(f"'{command[0]}' is no command.")
    # As it is now: the server's process tells its Python workers to import what is its own.
    environment = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="spark-connect-") as folder, connect_server(Path(folder)) as variables:
        return run(command, environment | variables)


@contextmanager
def connect_server(root: Path) -> Iterator[dict[str, str]]:
    """A server that listens on this machine alone, and answers only who has its token.

    Its JVM ends with this process, however this process ends.

    Args:
        root: Where its tables and files go.

    Yields:
        The environment variables that Spark's clients take its address and token from.
    """
    os.environ.pop(REMOTE_VARIABLE, None)
    # In the environment, not a setting: what is set stands on the JVM's command line for all to see.
    os.environ[TOKEN_VARIABLE] = secrets.token_urlsafe()
    spark = build_session(root, settings=_SETTINGS)
    try:
        service = getattr(spark._jvm, "org.apache.spark.sql.connect.service.SparkConnectService$")
        port = getattr(service, "MODULE$").localPort()
        yield {REMOTE_VARIABLE: f"sc://localhost:{port}", TOKEN_VARIABLE: os.environ[TOKEN_VARIABLE]}
    finally:
        spark.stop()


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs a command to its end, also when this process is interrupted or terminated: then the command is too.

    Returns:
        The command's status, as a shell tells it.
    """
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def pass_on(number: int, _: FrameType | None) -> None:
        if child is None:
            early.append(number)
        elif number != signal.SIGINT:
            child.send_signal(number)
        # The terminal interrupted the command too: it gets the time to end in its own way. An exception here could come
        # between the command's end and the moment that its status is kept, which would lose the status.

    # Before the command starts, so that it is never left to itself. What we ignore, the command ignores too.
    heard = [one for one in (signal.SIGTERM, signal.SIGINT) if signal.getsignal(one) is not signal.SIG_IGN]
    former = {number: signal.signal(number, pass_on) for number in heard}
    try:
        child = subprocess.Popen(command, env=environment)  # noqa: S603 (what the user asked to run)
        for number in early:
            child.send_signal(number)
        status = child.wait()
        return status if status >= 0 else _KILLED - status
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)

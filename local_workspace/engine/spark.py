"""JVM Spark with Delta: a Spark Connect server in a process of its own, from an environment of its own."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql.connect.client import DefaultChannelBuilder

from local_workspace.engine.session import connected
from local_workspace.errors import LocalWorkspaceError
from local_workspace.workspace import REPOSITORY

ENVIRONMENT = REPOSITORY / ".venv-spark"
REMOTE_VARIABLE, TOKEN_VARIABLE = "SPARK_REMOTE", "SPARK_CONNECT_AUTHENTICATE_TOKEN"
# What would make the server's own Spark a client of another; Spark's clients set some of it themselves.
_OF_CLIENTS = {REMOTE_VARIABLE, "SPARK_LOCAL_REMOTE", "SPARK_CONNECT_MODE_ENABLED"}
_LOG = "spark.log"


@contextmanager
def connect(root: Path) -> Iterator[SparkSession]:
    """A session on a server of its own."""
    with server(root) as variables:
        channel = DefaultChannelBuilder(f"{variables[REMOTE_VARIABLE]}/;token={variables[TOKEN_VARIABLE]}")
        with connected(channel) as spark:
            yield spark


@contextmanager
def server(root: Path) -> Iterator[dict[str, str]]:
    """A server that listens on this machine alone, and answers only who has its token.

    It ends with this process, however this process ends: its standard input is a pipe that nobody else holds.

    Args:
        root: Where its tables and files go.

    Yields:
        The environment variables that Spark's clients take its address and token from.
    """
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        raise LocalWorkspaceError("JVM Spark is not installed: run 'make spark' (it needs Java 17 or 21).")
    # In the environment, not a setting: what is set stands on the JVM's command line for all to see.
    token = secrets.token_urlsafe()
    command = [str(python), "-m", "local_workspace.jvm.server", str(root)]
    environment = {name: value for name, value in os.environ.items() if name not in _OF_CLIENTS}
    with (root / _LOG).open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            command,
            cwd=REPOSITORY,
            # By the C locale's own names, a JVM on Linux finds no file with an accent.
            env={**environment, TOKEN_VARIABLE: token, "LC_ALL": "C.UTF-8", **_python_workers()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            # Ctrl+C is this process's to handle.
            start_new_session=True,
        )
    with process:
        assert process.stdout is not None  # noqa: S101 (a pipe, as above)
        port = process.stdout.readline().decode().strip()
        if not port:
            raise LocalWorkspaceError(f"Spark did not start: the reason is in '{(root / _LOG).resolve()}'.")
        try:
            # By this name, and not the address: the client sends a token without TLS to it alone.
            yield {REMOTE_VARIABLE: f"sc://localhost:{port}", TOKEN_VARIABLE: token}
        finally:
            process.terminate()


def _python_workers() -> dict[str, str]:
    """Spark's Python workers are this interpreter, and see what this process imports from beside its packages."""
    own = [path for path in sys.path if path and not path.startswith((sys.prefix, sys.base_prefix))]
    return {"PYSPARK_PYTHON": sys.executable, "PYTHONPATH": os.pathsep.join(own)}

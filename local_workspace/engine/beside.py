"""Runs a command beside a JVM Spark server that it finds through its environment."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from local_workspace.engine.spark import server
from local_workspace.errors import LocalWorkspaceError

_KILLED = 128  # with the signal's number: how a shell tells that a command was killed


def run_beside_server(command: Sequence[str]) -> int:
    """Runs a command whose environment tells Spark's clients of a server that lives as long as the command.

    Its tables and files are the server's own, and go with it.

    Returns:
        The command's status, as `run` gives it.
    """
    if shutil.which(command[0]) is None:
        raise LocalWorkspaceError(f"Command not found: '{command[0]}'.")
    with tempfile.TemporaryDirectory(prefix="spark-connect-") as folder, server(Path(folder)) as variables:
        return run(command, os.environ | variables)


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

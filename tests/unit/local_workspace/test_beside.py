"""A command beside a Spark Connect server: it finds the server, and the server does not outlive it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local_workspace.engine.spark import REMOTE_VARIABLE, TOKEN_VARIABLE
from local_workspace.workspace import REPOSITORY


@pytest.fixture(autouse=True)
def interrupts_are_heard() -> Iterator[None]:
    """A shell starts what runs in the background with interrupts ignored, and processes inherit that."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


def start(*arguments: str, folder: Path) -> subprocess.Popen[str]:
    """Python in a process group of its own, as a terminal starts it."""
    return subprocess.Popen(  # noqa: S603 (our own interpreter)
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(REPOSITORY)},
        text=True,
        process_group=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def beside_server(script: str, folder: Path) -> subprocess.Popen[str]:
    """A script that first tells what it was told, and waits for the end of its input."""
    announce = f'echo "${REMOTE_VARIABLE} ${TOKEN_VARIABLE} $PYTHONPATH"'
    command = f"trap 'echo interrupted; exit 3' INT; {announce}; read line; {script}"
    return start("-m", "local_workspace", "connect", "sh", "-c", command, folder=folder)


def told(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Port, token and import path."""
    remote, token, path = process.stdout.readline().strip().split(" ")
    address = urlsplit(remote)
    assert (address.scheme, address.hostname) == ("sc", "localhost")
    return address.port, token, path


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.homes("connect", reason="about the server of JVM Spark")
@pytest.mark.timeout(300)
def test_two_servers_side_by_side_end_with_a_failure_and_with_an_interrupt(tmp_path):
    """One test: a server takes seconds to start."""
    fails, waits = (beside_server("exit 7", tmp_path) for _ in range(2))
    with fails, waits:
        (port, token, path), (other_port, other_token, _) = told(fails), told(waits)
        assert path == str(REPOSITORY), "the command imports what it would without a server"
        assert len({port, other_port, token, other_token}) == 4
        assert listens(port)
        assert listens(other_port)
        _, errors = fails.communicate()
        assert fails.returncode == 7, errors
        assert not listens(port)
        assert listens(other_port)
        os.killpg(waits.pid, signal.SIGINT)
        assert waits.wait(timeout=60) == 3, waits.stderr.read()
        assert waits.stdout.read() == "interrupted\n"
        assert not listens(other_port)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "status"), [("trap 'exit 4' TERM; echo ready; read line", 4), ("echo ready; read line", 128 + 15)]
)
def test_who_ends_the_command_with_a_signal_ends_what_it_runs(tmp_path, script, status):
    code = f"""
import os, sys
from local_workspace.engine.beside import run
sys.exit(run(['sh', '-c', {script!r}], os.environ))
"""
    with start("-c", code, folder=tmp_path) as process:
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        # Its input stays open meanwhile: the signal alone ends it.
        assert process.wait(timeout=60) == status, process.stderr.read()


def test_an_interrupt_as_the_command_ends_does_not_lose_its_status(tmp_path):
    """At any moment: an exception where the status has been fetched and is not kept yet would make it 0."""
    script = "trap '' INT; kill -INT $PPID; exit 3"
    code = f"""
import os
from local_workspace.engine.beside import run
print({{run(["sh", "-c", {script!r}], os.environ) for _ in range(200)}})
"""
    with start("-c", code, folder=tmp_path) as process:
        printed, errors = process.communicate(timeout=60)
    assert printed == "{3}\n", errors


@pytest.mark.homes("connect", reason="the server is there in this home alone")
def test_the_server_answers_nobody_without_its_token(monkeypatch, spark):
    remote = pytest.importorskip("pyspark.sql.connect.session").SparkSession.builder.remote
    monkeypatch.setenv(TOKEN_VARIABLE, "another")
    with pytest.raises(Exception, match="UNAUTHENTICATED"):
        remote(os.environ[REMOTE_VARIABLE]).create().range(1).collect()

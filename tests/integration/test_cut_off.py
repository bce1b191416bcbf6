"""A job that is interrupted or killed amid its queries: it ends, its tables stay whole, the next run goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from local_workspace import delta_log
from local_workspace.workspace import FOLDER_VARIABLE, REPOSITORY

AS_OF = "2024-04-01T00:00:00Z"


@contextmanager
def job(root: Path) -> Iterator["subprocess.Popen[str]"]:
    """The feature job in a process group of its own, as a terminal starts it."""
    # A shell starts what runs in the background with interrupts ignored, and processes inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(  # noqa: S603 (our own interpreter)
        [sys.executable, "-m", "local_workspace", "job", "feature_engineering", "--as-of", AS_OF],
        cwd=REPOSITORY,
        env={**os.environ, FOLDER_VARIABLE: str(root), "PYTHONUNBUFFERED": "1"},
        process_group=0,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    signal.signal(signal.SIGINT, before)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(process: "subprocess.Popen[str]", step: str) -> None:
    """Until it has said what a step did."""
    assert process.stdout
    is_said = any(line.startswith(f"{step} ") for line in process.stdout)
    assert is_said, process.stderr.read() if process.stderr else ""


def rows(spark: SparkSession, root: Path) -> dict[str, list[str]]:
    """All rows of each table, by a reader of its own."""
    folders = sorted(folder for folder in (root / "warehouse").glob("*.db/*") if delta_log.is_table(folder))
    found = {folder.name: spark.read.format("delta").load(str(folder)).drop("ingested_as_of") for folder in folders}
    return {name: sorted(map(str, frame.collect())) for name, frame in found.items()}


@pytest.fixture(scope="module")
def unbroken(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What a run leaves that nothing has cut off."""
    root = tmp_path_factory.mktemp("unbroken")
    with job(root) as process:
        assert process.wait(timeout=300) == 0
    return rows(spark, root)


@pytest.mark.parametrize("step", ["land", "shops", "orders"])
def test_ctrl_c_ends_a_run_with_130_and_the_next_run_goes_on(
    step: str, spark: SparkSession, unbroken: dict[str, list[str]], tmp_path: Path
) -> None:
    with job(tmp_path) as process:
        wait_for(process, step)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 130
        assert errors.strip() == "Interrupted. The next run continues with the tables as they are."
    with job(tmp_path) as process:
        assert process.wait(timeout=300) == 0
    assert rows(spark, tmp_path) == unbroken


def test_a_kill_leaves_whole_tables_that_the_next_run_goes_on_with(
    spark: SparkSession, unbroken: dict[str, list[str]], tmp_path: Path
) -> None:
    with job(tmp_path) as process:
        wait_for(process, "orders")
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait(timeout=30) == -signal.SIGKILL
    left = rows(spark, tmp_path)
    assert left["orders"] == unbroken["orders"], "what was done is whole"
    with job(tmp_path) as process:
        assert process.wait(timeout=300) == 0, "and nothing is held by who is gone"
    assert rows(spark, tmp_path) == unbroken


def test_two_commands_do_not_write_at_once(tmp_path: Path) -> None:
    with job(tmp_path) as first:
        wait_for(first, "land")
        first.send_signal(signal.SIGSTOP)  # it has not ended when the second one begins
        with job(tmp_path) as second:
            printed, errors = second.communicate(timeout=60)
            assert second.returncode == 2
            assert printed == ""
            (line,) = errors.splitlines()
            assert line.startswith("error: Another run is using")
        first.send_signal(signal.SIGCONT)
        assert first.wait(timeout=300) == 0


def test_a_run_whose_output_nobody_reads_any_more_ends(tmp_path: Path) -> None:
    """As `head` does once it has its lines."""
    with job(tmp_path) as process:
        wait_for(process, "land")
        assert process.stdout
        process.stdout.close()
        assert process.wait(timeout=60) == 141

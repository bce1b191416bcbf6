"""What a command took is counted over all the processes that it started, also those that outlive it."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.measure import descendants, measure, resident_bytes

pytestmark = [
    pytest.mark.homes("local", reason="about what a benchmark measures, on this machine"),
    pytest.mark.skipif(sys.platform != "linux", reason="a benchmark reads /proc, which Linux alone has"),
]

MIB = 2**20
HELD = 100 * MIB
# Holds memory until it has used that much processor time, so that some sample sees it.
CHILD = f"held = b'x' * {HELD}; import time\nwhile time.process_time() < 1.0: pass"


def run(tmp_path: Path, code: str):
    return measure([sys.executable, "-c", code], tmp_path / "log")


def test_the_memory_and_processor_time_of_a_child_are_counted_beside_its_parent_s(tmp_path):
    parent = f"held = b'x' * {HELD}; import subprocess, sys\nsubprocess.run([sys.executable, '-c', {CHILD!r}])"
    measured = run(tmp_path, parent)
    assert 2 * HELD <= measured.peak_bytes < 3 * HELD
    assert measured.cpu_seconds >= 1.0


def test_what_outlives_the_command_is_counted(tmp_path):
    orphaning = f"import os, subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {CHILD!r}])\nos._exit(0)"
    measured = run(tmp_path, orphaning)
    assert measured.cpu_seconds >= 1.0
    assert measured.peak_bytes >= HELD


def test_the_largest_process_counts_even_if_no_sample_sees_it(tmp_path):
    assert run(tmp_path, f"b'x' * {HELD}").peak_bytes >= HELD


def test_a_small_command_is_small(tmp_path):
    assert run(tmp_path, "").peak_bytes < HELD


def test_status_and_output_are_the_command_s(tmp_path):
    assert run(tmp_path, "import sys; print('said', flush=True); sys.exit('why')").status == 1
    assert (tmp_path / "log").read_text() == "said\nwhy\n"


def test_the_command_sees_the_environment_that_it_is_given(tmp_path):
    code = "import os; print(os.environ['GIVEN'], 'PATH' in os.environ)"
    measure([sys.executable, "-c", code], tmp_path / "log", {"GIVEN": "value"})
    assert (tmp_path / "log").read_text() == "value True\n"


def test_a_command_that_is_not_there_fails(tmp_path):
    with pytest.raises(subprocess.CalledProcessError):
        measure([str(tmp_path / "missing")], tmp_path / "log")


def test_descendants_are_children_and_theirs():
    # Its name has a bracket and a blank, as the name in /proc may.
    waits = "print('ready', flush=True); input()"
    parent = (
        "import ctypes, subprocess, sys; ctypes.CDLL(None).prctl(15, b'a ) b', 0, 0, 0)\n"
        f"child = subprocess.Popen([sys.executable, '-c', {waits!r}]); print(child.pid, flush=True); child.wait()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", parent], **pipes) as started:  # noqa: S603 (our own interpreter)
        child = int(started.stdout.readline())
        assert started.stdout.readline() == b"ready\n"
        assert descendants(started.pid) == [child]
        assert resident_bytes([started.pid, child]) > resident_bytes([child]) > MIB
        started.communicate(b"\n")
    assert descendants(started.pid) == []
    assert resident_bytes([started.pid, child]) == 0

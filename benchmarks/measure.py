"""Runs a command and measures it with all the processes that it starts; Linux only, as it reads /proc.

A process of its own (`python -m benchmarks.measure RESULT COMMAND...`) stands above the command. It adopts what the
command leaves behind, such as a JVM that ends after the Python that started it, so that nothing goes uncounted.
"""

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PROC = Path("/proc")
_PR_SET_CHILD_SUBREAPER = 36
_SAMPLE_SECONDS = 0.1
_LEFT_BEHIND_SECONDS = 20


@dataclass(frozen=True)
class Measurement:
    """What a command took, with all that it started.

    Attributes:
        status: exit status of the command.
        seconds: from its start to its end.
        cpu_seconds: user and system time of every process.
        peak_bytes: the most memory that was resident at one time, summed over the processes. Pages that two of them
            share count twice, so it is an upper bound; a peak between two samples is missed.
    """

    status: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int


def measure(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Measurement:
    """Runs a command in the repository; what it prints goes to `log`."""
    with tempfile.TemporaryDirectory() as folder, log.open("wb") as output:
        result = Path(folder) / "measurement.json"
        supervisor = [sys.executable, "-m", "benchmarks.measure", str(result), *command]
        subprocess.run(  # noqa: S603 (our own interpreter and commands)
            supervisor,
            cwd=REPOSITORY,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=True,
        )
        return Measurement(**json.loads(result.read_text()))


def supervise(command: Sequence[str]) -> Measurement:
    """Runs a command as the only one of this process, and waits for all that it leaves behind."""
    _adopt_orphans()
    with _peak_of_descendants() as peak:
        began = time.perf_counter()
        child = subprocess.Popen(command)  # noqa: S603 (as above)
        status = child.wait()
        seconds = time.perf_counter() - began
        _wait_for_the_rest()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    # The system knows the peak of the largest process (in KiB) exactly, also between samples.
    return Measurement(status, seconds, used.ru_utime + used.ru_stime, max(peak[0], used.ru_maxrss * 1024))


def resident_bytes(pids: Sequence[int]) -> int:
    """Memory that the processes hold; one that has ended holds none."""
    pages = 0
    for pid in pids:
        with suppress(OSError):
            pages += int((PROC / str(pid) / "statm").read_text().split()[1])
    return pages * resource.getpagesize()


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have started."""
    children: dict[int, list[int]] = {}
    for stat in PROC.glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name, in brackets, may itself hold blanks and brackets.
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found, waiting = [], [pid]
    while waiting:
        born = children.get(waiting.pop(), [])
        found += born
        waiting += born
    return found


@contextmanager
def _peak_of_descendants() -> Iterator[list[int]]:
    """The most memory seen so far, in a list of one; it is complete when the context has ended."""
    peak, done = [0], threading.Event()

    def sample() -> None:
        while not done.wait(_SAMPLE_SECONDS):
            peak[0] = max(peak[0], resident_bytes(descendants(os.getpid())))

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield peak
    finally:
        done.set()
        sampler.join()


def _adopt_orphans() -> None:
    """Processes whose parent ends become this process's children: else their time would be nobody's."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "orphans can't be adopted")


def _wait_for_the_rest() -> None:
    """Waits for adopted processes; ends those that would stay."""
    deadline = time.monotonic() + _LEFT_BEHIND_SECONDS
    with suppress(ChildProcessError):
        while True:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid:
                continue
            if time.monotonic() > deadline:
                for left in descendants(os.getpid()):
                    with suppress(ProcessLookupError):
                        os.kill(left, signal.SIGKILL)
            time.sleep(_SAMPLE_SECONDS)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(asdict(supervise(sys.argv[2:]))))

"""How long each stage module takes to import, in an interpreter of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import REPOSITORY

STAGES = ("project", "use_case", "feature_engineering", "training", "validation", "deployment", "monitoring")
LIMIT_SECONDS = 1.0
_TIMED = "import time; began = time.perf_counter(); import {module}; print(time.perf_counter() - began)"


def stage_modules(repository: Path = REPOSITORY) -> Iterator[str]:
    """The name of each module of the stages, and of what they share; notebooks are no modules."""
    for stage in STAGES:
        for file in sorted((repository / stage).rglob("*.py")):
            parts = file.relative_to(repository).with_suffix("").parts
            if "notebooks" not in parts:
                yield ".".join(parts).removesuffix(".__init__")


def import_seconds(module: str, times: int = 3) -> float:
    """The best of some times, without the interpreter's own start."""
    return min(_import_once(module) for _ in range(times))


def _import_once(module: str) -> float:
    path = os.pathsep.join([str(REPOSITORY / "local_workspace" / "site"), str(REPOSITORY)])
    done = subprocess.run(  # noqa: S603 (our own interpreter)
        [sys.executable, "-c", _TIMED.format(module=module)],
        env={**os.environ, "PYTHONPATH": path},
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout.splitlines()[-1])

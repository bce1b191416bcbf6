"""A small bundle to write jobs into; running it needs no Spark."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent, indent

import pytest

from local_workspace.bundle import load_bundle
from local_workspace.notebook import HEADER, run_notebook
from local_workspace.runner import Runner
from local_workspace.runs import JobRun

DATABRICKS_YML = """
bundle:
  name: shop
include:
  - resources/*.yml
targets:
  dev:
    default: true
"""


def pytest_itemcollected(item: pytest.Item) -> None:
    """These tests have nothing to do with Spark Connect, but those that say so."""
    if item.get_closest_marker("homes") is None:
        item.add_marker(pytest.mark.homes("local", reason="about the local workspace, where Spark is in this process"))


class BundleFolder:
    """A bundle's folder, and what a test does with it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.namespace: dict[str, object] = {}
        self.slept: list[float] = []
        self.write("databricks.yml", DATABRICKS_YML)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip(), encoding="utf-8")
        return path

    def notebook(self, name: str, code: str = "pass") -> None:
        self.write(f"notebooks/{name}.py", f"{HEADER}\n{dedent(code).strip()}\n")

    def job(self, key: str, tasks: str, *, more: str = "") -> None:
        text = f"name: {key}\n{dedent(more).strip()}\ntasks:\n{indent(dedent(tasks).strip(), '  ')}\n"
        header = f"resources:\n  jobs:\n    {key}:\n"
        self.write(f"resources/{key}.job.yml", header + indent(text, "      "))

    def run(
        self,
        key: str,
        parameters: dict[str, str] | None = None,
        *,
        workers: int = 2,
        upkeep: Callable[[], None] = lambda: None,
    ) -> JobRun:
        """Runs a job; a notebook finds what the test put into `namespace` on `spark`."""
        bundle = load_bundle(self.root, environ={})
        spark = type("Spark", (), self.namespace)
        runner = Runner(
            bundle,
            lambda file, dbutils, _: run_notebook(file, spark, dbutils, bundle.root),
            workers=workers,
            upkeep=upkeep,
            sleep=self.slept.append,
        )
        return runner.run(runner.prepare(key, parameters))


@pytest.fixture
def bundle(tmp_path: Path) -> BundleFolder:
    return BundleFolder(tmp_path)


@pytest.fixture
def record(bundle: BundleFolder) -> list[str]:
    """What notebooks write with `spark.record(...)`, in order."""
    lines: list[str] = []
    append: Callable[[str], None] = lines.append
    bundle.namespace["record"] = staticmethod(append)
    return lines

"""The dashboard's file is what the configuration gives; tests/integration/test_dashboard.py runs its queries."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local_workspace.environment import USE_CASE_VARIABLE
from local_workspace.workspace import REPOSITORY
from monitoring.dashboard import dashboard_file, dashboard_text
from project.config import load_config

SMALL = REPOSITORY / "samples" / "small"
CONFIGURATIONS = [
    REPOSITORY / "use_case" / "config.yml",
    *sorted((REPOSITORY / "samples").glob("*/use_case/config.yml")),
]


@pytest.mark.parametrize("file", CONFIGURATIONS, ids=lambda file: str(file.parent.relative_to(REPOSITORY)))
def test_the_file_is_what_the_configuration_gives(file: Path) -> None:
    folder = file.parent.parent.relative_to(REPOSITORY)
    other = "" if folder == Path() else f" USE_CASE={folder}"
    committed = dashboard_file(file).read_text(encoding="utf-8")
    assert committed == dashboard_text(load_config(file)), f"run `make dashboard{other}`"


def test_the_command_writes_the_file_of_the_use_case_that_is_named(tmp_path: Path) -> None:
    use_case = tmp_path / "use_case"
    shutil.copytree(SMALL / "use_case", use_case)
    file, command = dashboard_file(use_case / "config.yml"), ["-m", "local_workspace", "dashboard"]
    file.unlink()
    named = {**os.environ, USE_CASE_VARIABLE: str(tmp_path)}
    subprocess.run([sys.executable, *command], cwd=REPOSITORY, env=named, check=True)  # noqa: S603 (our own module)
    assert file.read_bytes() == dashboard_file(SMALL / "use_case" / "config.yml").read_bytes()

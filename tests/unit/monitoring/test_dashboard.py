"""The dashboard's file is what the configuration gives; tests/integration/test_dashboard.py runs its queries."""

from pathlib import Path

import pytest

from local_workspace.workspace import REPOSITORY
from monitoring.dashboard import dashboard_file, dashboard_text
from project.config import load_config

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

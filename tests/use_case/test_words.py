"""The use case is in its folder: no other code, configuration, report or dashboard names what it is about."""

import re
import subprocess

import pytest

from local_workspace.workspace import REPOSITORY

WORDS = re.compile(
    r"\b(flights?|flight_id|airports?|airlines?|carriers?|delay(s|ed)?|tailnum|aircraft|planes?|sched_dep_at|departures?"
    r"|arriv(al|als|ed|es)|weather|late_minutes|dest|arr_delay|dep_delay|distance_miles|block_minutes)\b",
    re.IGNORECASE,
)
OWN = ("use_case/", "tests/", "docs/", "samples/")
TEXTS = (".py", ".yml", ".jinja", ".json", ".sh", ".toml", ".sql", "Makefile", ".mk", ".html")
# An example of a word that a configuration has, and the project's own name.
NAMED = re.compile(r"such as '(late )?flights?'|arrival[_ -]delay", re.IGNORECASE)


def other_files() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True)  # noqa: S607
    names = listed.stdout.splitlines()
    return [name for name in names if not name.startswith(OWN) and name.endswith(TEXTS)]


@pytest.mark.parametrize("name", other_files())
def test_no_other_file_names_what_it_is_about(name):
    lines = (REPOSITORY / name).read_text(encoding="utf-8").splitlines()
    found = [line.strip() for line in lines if WORDS.search(NAMED.sub("", line))]
    assert not found

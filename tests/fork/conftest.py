"""A clone of this commit, in which a stranger has put a use case of another kind in the place of this one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.browser import open_browser
from tests.engines.workspaces import find_tables, read_table

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
# What a person at a shell of her own has; all else is this test's, or this checkout's.
_KEPT = ("PATH", "HOME", "LANG", "JAVA_HOME", "TMPDIR")
_OF_THE_NETWORK = ("PIP_", "UV_", "SSL_", "GO", "HTTP", "http", "NO_PROXY", "no_proxy", "REQUESTS_")
_PERSON = ("-c", "user.name=A person", "-c", "user.email=person@example.com")
# What docs/adapt.md has a stranger bring; where it lies here.
BROUGHT = {"use_case": HERE / "use_case", "tests/use_case": HERE / "tests"}
_CHANGES = pytest.StashKey[str]()


@dataclass(frozen=True)
class Fork:
    """The clone.

    Attributes:
        folder: of its checkout.
        upstream: the commit that it began with.
    """

    folder: Path
    upstream: str

    @property
    def environ(self) -> dict[str, str]:
        """A shell's, without what this test was started with."""
        return {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_OF_THE_NETWORK)}

    def say(self, *command: str, **environ: str) -> str:
        """What a command prints; its failure is an error."""
        done = subprocess.run(  # noqa: S603 (commands of our own)
            command,
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-20_000:]}"
        return done.stdout

    def make(self, *words: str, **environ: str) -> str:
        """The same for a word of the Makefile."""
        return self.say("make", *words, **environ)

    def changed(self) -> str:
        """Of each file outside of what a stranger brings: added lines, removed lines, name."""
        others = [f":!{folder}" for folder in BROUGHT]
        return self.say("git", "diff", "--numstat", self.upstream, "--", ".", *others)

    @cached_property
    def workspace(self) -> Path:
        """Where its runs have written."""
        return self.folder / ".local"

    def table(self, name: str) -> pd.DataFrame:
        """The rows of a table that its runs have left."""
        return read_table(find_tables(self.workspace / "warehouse")[name]).to_pandas()


@pytest.fixture(scope="session")
def fork(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Fork:
    """The commit under test with another use case, by the words of docs/adapt.md."""
    folder = tmp_path_factory.mktemp("fork") / "repository"
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, folder], check=True)  # noqa: S603, S607 (whichever git there is)
    fork = Fork(folder, Fork(folder, "").say("git", "rev-parse", "HEAD").strip())
    fork.say("git", "rm", "-r", "--quiet", *BROUGHT)
    for place, brought in BROUGHT.items():
        shutil.copytree(brought, folder / place, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    (folder / ".tools").mkdir()
    # Three minutes of building, and the same sources.
    (folder / ".tools/bin").symlink_to(REPOSITORY / ".tools/bin")
    fork.make("dashboard")
    data = ("--python", ".venv/bin/python", "--no-deps", "-r", str(HERE / "requirements.txt"))
    fork.say("sh", "local_workspace/uv.sh", ".venv", "pip", "install", "--quiet", *data)
    fork.say("git", "add", "--all")
    fork.say("git", *_PERSON, "commit", "--quiet", "--message", "Our own use case")
    pytestconfig.stash[_CHANGES] = fork.changed()
    return fork


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says what a stranger had to change beside what she brought."""
    changes = config.stash.get(_CHANGES, None)
    if changes is not None:
        files, lines = len(changes.splitlines()), lines_of(changes)
        terminalreporter.write_line(f"Changed outside use_case/ and tests/use_case/: {files} files, {lines} lines")
        terminalreporter.write(changes)


def lines_of(changes: str) -> int:
    """How many lines were added or removed; a file that is no text counts as one."""
    numbers = (number for line in changes.splitlines() for number in line.split("\t")[:2])
    return sum(1 if number == "-" else int(number) for number in numbers)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser without a window."""
    with open_browser() as opened:
        yield opened

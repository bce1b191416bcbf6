"""What docs/adapt.md names can be taken away by its one command: lint, the bundle and all other tests stay whole."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bundle.standin import Deployment, StandIn, copy_of_repository

REPOSITORY = Path(__file__).resolve().parents[2]
_ROW = re.compile(r"^\| ([^|]+) \| `git rm -r ([^`]+)` \|", re.MULTILINE)
PARTS = {
    what: words.split() for what, words in _ROW.findall((REPOSITORY / "docs/adapt.md").read_text(encoding="utf-8"))
}
# A team that runs this has taken some away already.
HERE = [what for what, paths in PARTS.items() if (REPOSITORY / paths[0]).exists()]
# Another use case has them later, or never.
OF_THE_USE_CASE = (
    *("use_case/faults.py", "use_case/one_file.py"),
    *("tests/use_case/test_faults.py", "tests/use_case/test_one_file.py"),
)
WORDS = {"replay": "replay", "bench": "benchmarks", "cicd-test": "tests/cicd", "fork-test": "tests/fork"}


def without(parts: list[str], folder: Path) -> Path:
    """A copy of the checkout without some parts."""
    copy = copy_of_repository(folder / "repository")
    for what in parts:
        run(copy, "git", "rm", "-r", "--quiet", *PARTS[what])
    (copy / ".venv").symlink_to(REPOSITORY / ".venv")
    (copy / ".tools").mkdir()
    return copy


def run(folder: Path, *command: str) -> str:
    """What a command prints; its failure is an error."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(  # noqa: S603 (commands of our own)
        command,
        cwd=folder,
        # What the types of unchanged files came to, by their contents.
        env={**env, "MYPY_CACHE_DIR": str(REPOSITORY / ".mypy_cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}"
    return done.stdout


def test_parts_are_found() -> None:
    paths = {path for part in PARTS.values() for path in part}
    assert {".azure", ".github", "replay", "benchmarks", "tests/cicd"} <= paths
    assert set(OF_THE_USE_CASE) <= paths


@pytest.mark.parametrize("parts", [[what] for what in HERE] + [HERE], ids=[*HERE, "all of them"])
def test_the_rest_passes_without_an_edit(parts: list[str], workspaces: StandIn, tmp_path: Path) -> None:
    rest = without(parts, tmp_path)
    # The environment is as new as it can be, whatever the copy's files say.
    run(rest, "make", "lint", "--assume-old=.venv/test.done")
    Deployment(workspaces, rest, "dev", tmp_path.name).cli("validate", "--strict")
    if (rest / "tests/cicd").is_dir():
        documents = ("--confcutdir=tests/cicd", "tests/cicd/test_documents.py", "-k", "not the_cli_knows")
        run(rest, sys.executable, "-m", "pytest", *documents)
    said = re.findall(r"^\S+", run(rest, "make", "help"), re.MULTILINE)
    assert {word for word in WORDS if word in said} == {word for word in WORDS if (rest / WORDS[word]).is_dir()}


def test_no_other_test_needs_what_is_gone(tmp_path: Path) -> None:
    rest = without(HERE, tmp_path)
    collect = (sys.executable, "-m", "pytest", "--collect-only")
    run(rest, *collect, "tests/unit", "tests/integration", "tests/bundle")
    run(rest, *collect, "tests/use_case")
    run(rest, *collect, "--confcutdir=tests/engines", "tests/engines")


def test_replay_and_benchmarks_need_nothing_of_a_use_case_but_what_it_must_have(tmp_path: Path) -> None:
    rest = without([], tmp_path)
    run(rest, "git", "rm", "--quiet", "--ignore-unmatch", *OF_THE_USE_CASE)
    run(rest, "make", "lint", "--assume-old=.venv/test.done")
    tests = [folder for folder in ("tests/unit/replay", "tests/unit/benchmarks") if (rest / folder).is_dir()]
    run(rest, sys.executable, "-m", "pytest", *tests)


def test_the_endpoint_is_switched_off_by_one_line(cli: Path, tmp_path: Path) -> None:
    rest = without([], tmp_path)
    (rest / ".tools/bin").symlink_to(cli)
    bundle = (rest / "databricks.yml").read_text(encoding="utf-8")
    assert bundle.count('serving: "true"') == 1
    (rest / "databricks.yml").write_text(bundle.replace('serving: "true"', 'serving: "false"'), encoding="utf-8")
    # Those that look at it.
    run(rest, sys.executable, "-m", "pytest", "tests/bundle/test_names.py", "tests/unit/deployment/test_jobs.py")

"""`make new`: a project of its own, under its own name."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from local_workspace.workspace import REPOSITORY

NEW = REPOSITORY / "tools" / "new.py"
OF_USE_CASES = ("use_case/", "tests/use_case/", "samples/")


def new(directory: Path, name: str = "credit_risk", catalog: str = "ml-prod", sample: str = "small"):
    words = ["--name", name, "--catalog", catalog, "--directory", str(directory), "--sample", sample]
    return subprocess.run([sys.executable, NEW, *words], capture_output=True, text=True, check=False)  # noqa: S603


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("beside") / "risk"
    done = new(directory)
    assert done.returncode == 0, done.stderr
    assert f"{directory} is a project of its own." in done.stdout
    return directory


def files_of(folder: Path) -> set[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=folder, capture_output=True, text=True, check=True)  # noqa: S607
    return set(listed.stdout.splitlines())


def test_it_has_the_new_name_everywhere_and_nowhere_the_old(made):
    old = re.compile("arrival[_ -]delay", re.IGNORECASE)
    texts = {name: (made / name).read_bytes().decode(errors="ignore") for name in files_of(made)}
    assert not [name for name, text in texts.items() if old.search(text) and not name.startswith(OF_USE_CASES)]
    assert "  name: credit_risk\n" in texts["databricks.yml"]
    assert 'name = "credit-risk"' in texts["pyproject.toml"]
    assert texts["README.md"].startswith("# Credit risk")
    assert re.findall(r"(?m)^ +catalog: (.*)$", texts["databricks.yml"]) == ['"ml-prod"']


def test_it_has_the_files_of_this_one_and_the_samples_use_case_in_place_of_its_own(made):
    here, there = files_of(REPOSITORY), files_of(made)
    of_use_case = ("use_case/", "tests/use_case/")
    assert {name for name in here if not name.startswith(of_use_case)} | {"FIRST_STEPS.md"} == {
        name for name in there if not name.startswith(of_use_case)
    }
    sample = REPOSITORY / "samples" / "small"
    for source, goes_to in (("use_case", "use_case"), ("tests", "tests/use_case")):
        brought = {name.removeprefix(f"{goes_to}/") for name in there if name.startswith(f"{goes_to}/")}
        assert brought == {
            name.removeprefix(f"samples/small/{source}/")
            for name in here
            if name.startswith(f"samples/small/{source}/")
        }
        assert all((made / goes_to / name).read_bytes() == (sample / source / name).read_bytes() for name in brought)


def test_scripts_can_be_run_and_pictures_are_whole(made):
    assert (made / "docs/pictures/system.png").read_bytes() == (REPOSITORY / "docs/pictures/system.png").read_bytes()
    for name in files_of(REPOSITORY):
        if (made / name).exists():
            assert (made / name).stat().st_mode == (REPOSITORY / name).stat().st_mode, name


def test_a_second_run_changes_nothing(made):
    (made / "README.md").write_text("Mine.")
    done = new(made)
    assert done.returncode == 1
    assert done.stderr == f"error: {made} is there already, and stays as it is: name a DIRECTORY that is not there.\n"
    assert (made / "README.md").read_text() == "Mine."


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": "Credit"}, "NAME is 'Credit', and must be lower-case letters"),
        ({"catalog": "a.b"}, "CATALOG is 'a.b', and must be the name of a catalog"),
        ({"sample": "large"}, "there is no SAMPLE 'large'; there are small."),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(wrong, sentence, tmp_path):
    done = new(tmp_path / "there", **wrong)
    assert (done.returncode, sentence in done.stderr) == (1, True), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_it_is_not_made_inside_this_repository():
    done = new(REPOSITORY / "inner")
    assert (done.returncode, "is inside this repository" in done.stderr) == (1, True)
    assert not (REPOSITORY / "inner").exists()

"""The record of what passed and what was deployed: branches and tags of a real repository."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.cicd.repository import Origin, git

REPOSITORY = Path(__file__).resolve().parents[2]
CHANGES, RELEASE = REPOSITORY / "tools/changes.sh", REPOSITORY / "tools/release.sh"


def say(script: Path, folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 (our own scripts)
        ["/bin/sh", str(script), *words],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    """A repository of one file."""
    seed = tmp_path / "seed"
    seed.mkdir()
    git(seed, "init", "--quiet", "--initial-branch=main")
    (seed / "model.py").write_text("1\n")
    (seed / "README.md").write_text("1\n")
    git(seed, "add", "--all")
    git(seed, "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", "First")
    return Origin.of(seed, tmp_path)


@pytest.fixture
def clone(origin: Origin, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", str(origin.bare), "clone")
    return tmp_path / "clone"


def merge_main(origin: Origin, clone: Path, text: str) -> str:
    """A new commit on main, checked out in the clone."""
    commit = origin.commit(origin.head("refs/heads/main"), text, {"model.py": text})
    origin.push(commit, "refs/heads/main")
    git(clone, "fetch", "--quiet", "origin")
    git(clone, "checkout", "--quiet", "--detach", commit)
    return commit


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"README.md": "2\n"}, "false"),
        ({"docs/picture.svg": "<svg/>\n", "training/README.md": "2\n"}, "false"),
        ({"model.py": "2\n"}, "true"),
        ({"README.md": "2\n", "model.py": "2\n"}, "true"),
        ({"docs.py": "2\n"}, "true"),
    ],
)
def test_documents_are_told_from_code(origin: Origin, clone: Path, files: dict[str, str], expected: str) -> None:
    head = origin.commit(origin.head("refs/heads/main"), "A change", files)
    meanwhile = origin.commit(origin.head("refs/heads/main"), "What main got meanwhile", {"other.py": "1\n"})
    origin.push(meanwhile, "refs/heads/main")
    merge = origin.pull_request(7, head)
    git(clone, "fetch", "--quiet", "--depth", "2", origin.bare.as_uri(), merge)
    git(clone, "checkout", "--quiet", merge)
    assert say(CHANGES, clone).stdout == f"{expected}\n"


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("elsewhere/model.py", "false"),
        ("model/docs/use.svg", "false"),
        ("model/model.py", "true"),
        (".github/workflows/prod.yml", "true"),
    ],
)
def test_in_a_larger_repository_the_project_is_its_folder(
    origin: Origin, clone: Path, file: str, expected: str
) -> None:
    first = origin.commit(origin.head("refs/heads/main"), "The project", {"model/model.py": "1\n"})
    second = origin.commit(first, "A change", {file: "2\n"})
    origin.push(second, "refs/heads/main")
    git(clone, "fetch", "--quiet", "origin")
    git(clone, "checkout", "--quiet", second)
    assert say(CHANGES, clone / "model").stdout == f"{expected}\n"


def test_a_checkout_without_the_commit_before_is_no_answer(origin: Origin, clone: Path, tmp_path: Path) -> None:
    merge_main(origin, clone, "2\n")
    git(tmp_path, "clone", "--quiet", "--depth", "1", origin.bare.as_uri(), "shallow")
    done = say(CHANGES, tmp_path / "shallow")
    assert (done.returncode, done.stdout) == (1, "")
    assert "a depth of 2" in done.stderr


def test_release_follows_green_and_green_follows_staging(origin: Origin, clone: Path) -> None:
    first = merge_main(origin, clone, "2\n")
    assert say(RELEASE, clone, "green").returncode == 0
    merge_main(origin, clone, "3: staging has not proved this\n")
    assert origin.head("refs/heads/green") == first
    assert say(RELEASE, clone, "branch").stdout == "true\n"
    assert origin.head("refs/heads/release") == first


def test_a_second_time_moves_nothing(origin: Origin, clone: Path) -> None:
    merge_main(origin, clone, "2\n")
    assert say(RELEASE, clone, "green").returncode == say(RELEASE, clone, "green").returncode == 0
    assert [say(RELEASE, clone, "branch").stdout for _ in range(2)] == ["true\n", "false\n"]


def test_without_a_green_commit_there_is_no_release(origin: Origin, clone: Path) -> None:
    done = say(RELEASE, clone, "branch")
    assert (done.returncode, done.stdout) == (0, "false\n")
    assert "no commit of main has been proved" in done.stderr
    assert origin.head("refs/heads/release") == ""


@pytest.mark.parametrize("word", ["green", "branch"])
def test_a_repository_that_does_not_answer_is_not_taken_for_one_without_branches(clone: Path, word: str) -> None:
    git(clone, "remote", "set-url", "origin", str(clone / "nowhere"))
    done = say(RELEASE, clone, word)
    assert (done.returncode, done.stdout) == (1, "")
    assert "did not say where its branch green is" in done.stderr


def test_an_older_run_that_is_started_again_leaves_green_where_it_is(origin: Origin, clone: Path) -> None:
    older = merge_main(origin, clone, "2\n")
    newer = merge_main(origin, clone, "3\n")
    assert say(RELEASE, clone, "green").returncode == 0
    git(clone, "checkout", "--quiet", older)
    done = say(RELEASE, clone, "green")
    assert (done.returncode, done.stdout) == (0, f"green is at {newer}, which holds {older}.\n")
    assert origin.head("refs/heads/green") == newer


def test_green_that_holds_what_main_lacks_is_not_moved(origin: Origin, clone: Path) -> None:
    first = merge_main(origin, clone, "2\n")
    other = origin.commit(first, "By hand", {"model.py": "by hand\n"})
    origin.push(other, "refs/heads/green")
    merge_main(origin, clone, "3\n")
    done = say(RELEASE, clone, "green")
    assert done.returncode == 1
    assert "does it hold commits that main lacks?" in done.stderr
    assert origin.head("refs/heads/green") == other


def test_a_fix_on_the_release_branch_is_not_overwritten(origin: Origin, clone: Path) -> None:
    first = merge_main(origin, clone, "2\n")
    fix = origin.commit(first, "A fix that main lacks", {"model.py": "fixed\n"})
    origin.push(fix, "refs/heads/release")
    merge_main(origin, clone, "3\n")
    assert say(RELEASE, clone, "green").returncode == 0
    done = say(RELEASE, clone, "branch")
    assert done.returncode == 1
    assert "does it hold commits that main lacks?" in done.stderr
    assert origin.head("refs/heads/release") == fix


def test_a_deployed_commit_is_tagged_once(origin: Origin, clone: Path) -> None:
    commit = merge_main(origin, clone, "2\n")
    first, second = (say(RELEASE, clone, "tag").stdout.strip() for _ in range(2))
    assert re.fullmatch(rf"release-\d{{8}}-\d{{6}}-{commit[:7]}\w*", first)
    assert first == second
    assert origin.tags() == [first]
    assert git(origin.bare, "rev-parse", first) == commit


def test_an_earlier_release_is_checked_out_by_its_tag(origin: Origin, clone: Path) -> None:
    earlier = merge_main(origin, clone, "2\n")
    tag = say(RELEASE, clone, "tag").stdout.strip()
    later = merge_main(origin, clone, "3\n")
    origin.push(later, "refs/heads/release")
    git(clone, "fetch", "--quiet", "--tags", "origin")
    assert say(RELEASE, clone, "earlier", RELEASE=tag).returncode == 0
    assert git(clone, "rev-parse", "HEAD") == earlier


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "is not a release"),
        ("main", "is not a release"),
        ("release-never", "there is no tag"),
        ("release-elsewhere", "was never on the branch release"),
        ("release-$(touch harm)", "there is no tag"),
    ],
)
def test_nothing_but_a_release_is_deployed_again(origin: Origin, clone: Path, name: str, reason: str) -> None:
    released = merge_main(origin, clone, "2\n")
    origin.push(released, "refs/heads/release")
    origin.push(merge_main(origin, clone, "3\n"), "refs/tags/release-elsewhere")
    git(clone, "fetch", "--quiet", "--tags", "origin")
    before = git(clone, "rev-parse", "HEAD")
    done = say(RELEASE, clone, "earlier", RELEASE=name)
    assert done.returncode == 1
    assert reason in done.stderr
    assert git(clone, "rev-parse", "HEAD") == before
    assert not (clone / "harm").exists()

"""`make lint` sees what is wrong in the CI systems' own files: each fault is put into a copy, and named."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
WORKFLOW, PIPELINE = ".github/workflows/staging.yml", ".azure/staging.yml"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that tools/lint.sh reads, in a repository of their own."""
    for folder in (".ci", ".github", ".azure", "tools"):
        if (REPOSITORY / folder).is_dir():
            shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    scripts = ("install.sh", "uv.sh", "jvm/java.sh")
    for script in (*(f"local_workspace/{name}" for name in scripts), "tests/bundle/workspace/build.sh"):
        (tmp_path / script).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / script, tmp_path / script)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)  # noqa: S607
    return tmp_path


def lint(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 (our own script)
        ["/bin/sh", "tools/lint.sh", str(REPOSITORY / ".venv/bin"), ".tools/bin"],
        cwd=folder,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_the_files_pass(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        (WORKFLOW, "permissions: {}\n", "permissions: write-all\n", "excessive-permissions"),
        (WORKFLOW, "make green", "echo ${{ github.event.head_commit.message }}", "template-injection"),
        (WORKFLOW, "needs: [deploy,", "need: [deploy,", "need"),
        (WORKFLOW, "needs: [deploy,", "needs: [deployment,", "deployment"),
        (".github/dependabot.yml", "interval: weekly", "interval: sometimes", "sometimes"),
        (".github/dependabot.yml", "default-days: 7", "default-days: 0", "dependabot-cooldown"),
        (PIPELINE, "dependsOn: [deploy,", "dependson: [deploy,", "dependson"),
        ("tools/release.sh", 'echo "$tag"', "echo $tag", "SC2086"),
    ],
)
def test_a_fault_is_named(copy: Path, file: str, old: str, new: str, named: str) -> None:
    if not (copy / Path(file).parts[0]).is_dir():
        pytest.skip("this system was taken away")
    text = (copy / file).read_text(encoding="utf-8")
    assert old in text
    (copy / file).write_text(text.replace(old, new), encoding="utf-8")
    done = lint(copy)
    assert done.returncode != 0
    assert named in done.stdout


def test_without_go_it_says_what_it_skips(copy: Path, tmp_path: Path) -> None:
    if not (copy / ".github").is_dir():
        pytest.skip("this system was taken away")
    tools = tmp_path / "path"
    tools.mkdir()
    for name in ("sh", "git", "find"):
        (tools / name).symlink_to(str(shutil.which(name)))
    done = lint(copy, PATH=str(tools))
    assert done.returncode == 0, done.stdout
    assert "skipped: actionlint" in done.stdout

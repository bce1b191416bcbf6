"""What goes to the workspace is what the stages need, and nothing that only one machine needs."""

import subprocess
import sys
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient

from local_workspace.deployed import download
from local_workspace.workspace import REPOSITORY
from tests.bundle.standin import Deployment

NOT_FOR_A_WORKSPACE = (
    *("local_workspace", "tests", "benchmarks", "replay", "samples", "tools", "docs", "requirements"),
    "Makefile",
)
STAGES = ("project", "use_case", "feature_engineering", "training", "validation", "deployment", "monitoring")


@pytest.fixture(scope="module")
def uploaded(deployments: dict[str, Deployment], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of one target as they lie in the workspace."""
    deployed = deployments["prod"]
    (any_job, *_) = deployed.jobs().values()
    files = any_job["environments"][0]["spec"]["dependencies"][1].removeprefix("--editable ")
    folder = tmp_path_factory.mktemp("uploaded")
    download(WorkspaceClient(host=deployed.stand_in.url, token=deployed.token), files, folder)
    return folder


def modules(folder: Path) -> set[str]:
    """The stages' modules, notebooks among them."""
    return {str(file.relative_to(folder)) for stage in STAGES for file in folder.glob(f"{stage}/**/*.py")}


def test_nothing_of_the_local_workspace_or_the_tests_is_there(uploaded: Path) -> None:
    tops = {file.relative_to(uploaded).parts[0] for file in uploaded.rglob("*")}
    assert tops.isdisjoint(NOT_FOR_A_WORKSPACE)
    assert not [name for name in tops if name.startswith(".") and name != ".gitignore"]


def test_every_module_of_the_stages_is_there(uploaded: Path, clone: Path) -> None:
    assert len(modules(clone)) > 50
    assert {name for name in modules(clone) if name.startswith("use_case/")} >= {
        "use_case/model.py",
        "use_case/feed.py",
    }
    assert modules(uploaded) == modules(clone)


def test_the_package_that_jobs_install_holds_the_modules_and_their_data(
    uploaded: Path, clone: Path, tmp_path: Path
) -> None:
    build = "from setuptools.build_meta import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=uploaded, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    (wheel,) = tmp_path.glob("*.whl")
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", str(wheel)], capture_output=True, text=True, check=True
    )
    packed = {line.split()[0] for line in listed.stdout.splitlines()}
    notebooks = {name for name in modules(clone) if "/notebooks/" in name}
    assert modules(clone) - notebooks - packed == set()
    data = {
        str(file.relative_to(clone))
        for stage in STAGES
        for pattern in ("*.yml", "*.jinja")
        for file in clone.glob(f"{stage}/**/{pattern}")
    }
    assert {"use_case/config.yml", "monitoring/report.html.jinja"} <= data
    assert data - packed == set()


IMPORT_ALL = """
import importlib, sys
path, names = sys.argv[1].split(":"), sys.argv[2:]
sys.path[:0] = path
for name in names:
    importlib.import_module(name)
print(sys.modules["training"].__file__)
"""


def test_every_module_imports_from_what_was_uploaded(uploaded: Path, tmp_path: Path) -> None:
    files = [name for name in sorted(modules(uploaded)) if "/notebooks/" not in name]
    names = [name.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for name in files]
    # The feature client's stand-in with what it needs, and the stages: nothing else of the repository.
    (tmp_path / "local_workspace").symlink_to(REPOSITORY / "local_workspace")
    path = f"{REPOSITORY / 'local_workspace' / 'site'}:{tmp_path}:{uploaded}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", IMPORT_ALL, path, *names],
        cwd=uploaded,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().startswith(str(uploaded))

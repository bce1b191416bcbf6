"""What the tests of the bundle share: the built CLI, one stand-in workspace, and one deployment of each target."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_workspace.workspace import REPOSITORY
from tests.bundle.standin import BIN, TARGETS, TOKEN, Deployment, StandIn, copy_of_repository, stand_in

WHY_NOT = "Go is not installed and 'make cli' has built nothing: the real CLI is not there to test with"
SMALL = REPOSITORY / "samples" / "small" / "use_case"
RUNNER = f"{sys.executable} -m local_workspace deployed"


def can_have_cli() -> bool:
    return bool(shutil.which("go")) or (BIN / "workspace").exists()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says once why the tests of this folder were skipped."""
    if not can_have_cli():
        terminalreporter.write_line(f"tests/bundle was skipped: {WHY_NOT}.")


@pytest.fixture(scope="session", autouse=True)
def built_cli() -> None:
    """The CLI and the stand-in workspace, built if Go is there."""
    if not can_have_cli():
        pytest.skip(WHY_NOT)
    subprocess.run(["make", "--silent", "cli"], cwd=REPOSITORY, check=True)


@pytest.fixture(scope="session")
def workspaces(built_cli: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """One server; each token is a workspace of its own."""
    with stand_in(tmp_path_factory.mktemp("stand_in"), RUNNER) as server:
        yield server


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository that tests only read, but for what the CLI keeps in `.databricks`.

    It is about the small use case, as `make new` would make it: jobs take seconds, and what they do is known in a fork.
    """
    return copy_of_repository(tmp_path_factory.mktemp("clone") / "repository", SMALL)


@pytest.fixture(scope="session")
def deployments(workspaces: StandIn, clone: Path) -> dict[str, Deployment]:
    """Each target deployed, to a workspace of its own; tests only look at them."""
    made = [Deployment(workspaces, clone, target, f"{TOKEN}-{target}") for target in TARGETS]
    return {one.target: one.deployed() for one in made}


@pytest.fixture(params=TARGETS)
def deployed(request: pytest.FixtureRequest, deployments: dict[str, Deployment]) -> Deployment:
    """Each of them in turn."""
    return deployments[request.param]


@pytest.fixture(scope="session")
def trained(deployments: dict[str, Deployment]) -> Deployment:
    """The target `test` once its training job has run on its slice; `make cicd-test` runs its other jobs too."""
    deployments["test"].make("bundle-run", "JOB=training")
    return deployments["test"]


@pytest.fixture
def fresh(workspaces: StandIn, clone: Path, tmp_path: Path) -> Deployment:
    """The target `test`, not deployed yet, in a copy and a workspace that are this test's alone."""
    return Deployment(workspaces, clone, "test", f"{TOKEN}-{tmp_path.name}").copy(tmp_path / "copy")

"""What rehearsals share: a stand-in workspace, the systems' services, and a repository with a team's values in it."""

import os
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.bundle.standin import PRINCIPAL, TOKEN, Deployment, StandIn, stand_in
from tests.cicd.azure import Azure
from tests.cicd.equivalents import NO_JAVA, NOT_REHEARSED
from tests.cicd.executor import Machine, Outcome, Ran, Site, run_workflow
from tests.cicd.github import GitHub
from tests.cicd.repository import Origin
from tests.cicd.services import AZURE_AUDIENCE, Forge, Login, Policy, Service
from tests.cicd.settings import AUDIENCE, SETTINGS, VALUES, VALUES_FILE
from tests.cicd.system import Event, Position, System
from tests.cicd.workflow import Step, Workflow

REPOSITORY = Path(__file__).resolve().parents[2]
SYSTEMS: dict[str, type[System]] = {
    system.name: system for system in (GitHub, Azure) if (REPOSITORY / system.folder).is_dir()
}
# `make cicd-test` makes both where there is a Java.
JVM = all((REPOSITORY / marker).exists() for marker in (".venv-spark/spark.done", ".venv-connect/connect.done"))


@pytest.fixture(scope="session")
def cli() -> Path:
    """The folder of the CLI and the stand-in workspace."""
    folder = REPOSITORY / ".tools" / "bin"
    if not (folder / "workspace").exists():
        if shutil.which("go") is None:
            pytest.skip("the Databricks CLI is not built ('make cli'), and Go, which builds it, was not found")
        subprocess.run(["make", "cli"], cwd=REPOSITORY, check=True)  # noqa: S607 (whichever make there is)
    return folder


@pytest.fixture(scope="session")
def workspaces(cli: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """The stand-in workspaces, whose jobs run for real."""
    kept = tmp_path_factory.mktemp("runs")
    python = f"{REPOSITORY}/.venv/bin/python"
    runner = f"{python} {REPOSITORY}/tests/cicd/run_once.py {kept} {python} -m local_workspace deployed"
    with stand_in(tmp_path_factory.mktemp("workspaces"), runner) as server:
        yield server


@dataclass
class Rehearsal:
    """One system's part: its workflows are run in a repository and against workspaces of its own."""

    system: System
    site: Site
    workspaces: dict[str, Login]
    stand_in: StandIn

    @property
    def origin(self) -> Origin:
        return self.site.origin

    def workspace(self, name: str) -> Deployment:
        """What a workspace holds, as its administrator sees it."""
        return Deployment(self.stand_in, REPOSITORY, name, self.workspaces[name].token)

    def held(self) -> dict[str, dict[str, list[str]]]:
        """The names of all that both workspaces hold."""
        return {name: self.workspace(name).held() for name in self.workspaces}

    def workflow(self, file: str) -> Workflow:
        """A workflow as it stands in the commit under test."""
        (found,) = [flow for flow in self.system.workflows(self.origin.files) if flow.file == file]
        return found

    def run(
        self,
        file: str,
        event: Event,
        *,
        jobs: tuple[str, ...] = (),
        workflow: Workflow | None = None,
        cancel: Callable[[Step], bool] | None = None,
    ) -> Outcome:
        """Runs a workflow, or a changed one in its place; when `jobs` are named, the others count as passed."""
        flow = workflow or self.workflow(file)

        def run_job(position: Position, outcome: Outcome) -> str:
            if jobs and position.job.key not in jobs:
                return "success"
            return Machine(self.site, self.system, position, outcome, cancel).run()

        return run_workflow(self.system, flow, event, run_job, url=self.site.forge_url)


@pytest.fixture(scope="session", params=SYSTEMS)
def rehearsal(
    request: pytest.FixtureRequest,
    workspaces: StandIn,
    tmp_path_factory: pytest.TempPathFactory,
    done: dict[tuple[str, str], Ran],
) -> Iterator[Rehearsal]:
    """Both systems in turn, each with a team's set-up: environments, service principals, federation policies."""
    if request.param not in SYSTEMS:
        pytest.skip("this system was taken away")
    if not JVM:
        warnings.warn(NOT_REHEARSED, stacklevel=1)
    folder, forge = tmp_path_factory.mktemp(request.param), Forge()
    origin = team_repository(folder)
    logins = {name: Login(workspaces.url, f"{TOKEN}-{request.param}-{name}") for name in ("staging", "prod")}
    with ExitStack() as stack:
        forge_url = stack.enter_context(Service(forge)).url
        for login in logins.values():
            login.url = stack.enter_context(Service(login)).url
            set_up(login)
        settings = {
            name: {
                key: logins[value.removeprefix("https://").removesuffix(".invalid")].url if "HOST" in key else value
                for key, value in group.items()
            }
            for name, group in SETTINGS.items()
        }
        system = SYSTEMS[request.param](settings)
        add_policies(system, logins)
        volumes = workspaces.volumes(logins["staging"].token)
        site = Site(REPOSITORY, origin, folder, forge, forge_url, machine(folder, volumes), JVM, done)
        yield Rehearsal(system, site, logins, workspaces)


@pytest.fixture(scope="session")
def done() -> dict[tuple[str, str], Ran]:
    """Results of commands that touch no workspace, by command and tree: they are of use to both systems."""
    return {}


def team_repository(folder: Path) -> Origin:
    """A team's repository: the commit under test, and on top of it what docs/cicd.md has a team fill in."""
    origin = Origin.of(REPOSITORY, folder)
    main = origin.commit(origin.head("refs/heads/main"), "What is ours", {VALUES_FILE: VALUES})
    origin.push(main, "refs/heads/main")
    return origin


def machine(folder: Path, volumes: Path) -> dict[str, str]:
    """A machine's own environment: nothing of the person's who runs the rehearsal but where the tools are.

    And where the stand-in, whose jobs run on this machine, mounts volumes.
    """
    (folder / "home").mkdir()
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "TMPDIR") if key in os.environ}
    return {
        **kept,
        **NO_JAVA,
        **go_caches(),
        "HOME": str(folder / "home"),
        "UV_OFFLINE": "1",
        # What the types of unchanged files came to, by their contents: clones differ in few.
        "MYPY_CACHE_DIR": str(REPOSITORY / ".mypy_cache"),
        "BUNDLE_VAR_volume_root": str(volumes),
    }


def go_caches() -> dict[str, str]:
    """Where Go keeps what it has built, in place of a restored cache; nothing without Go."""
    if shutil.which("go") is None:
        return {}
    names = ("GOCACHE", "GOMODCACHE")
    found = subprocess.run(["go", "env", *names], capture_output=True, text=True, check=True)  # noqa: S603, S607
    return dict(zip(names, found.stdout.split(), strict=True))


def set_up(login: Login) -> None:
    """What a new workspace has, and the folders that docs/setup-databricks.md has people make."""
    folders = [f"/Workspace/Users/{PRINCIPAL}/.bundle/arrival_delay/{target}/files" for target in ("staging", "prod")]
    for path, body in (
        ("/api/2.0/sql/warehouses", {"name": "Serverless Starter Warehouse"}),
        *(("/api/2.0/workspace/mkdirs", {"path": folder}) for folder in folders),
    ):
        headers = {"Authorization": f"Bearer {login.token}"}
        requests.post(f"{login.behind}{path}", json=body, headers=headers, timeout=60).raise_for_status()


def add_policies(system: System, logins: dict[str, Login]) -> None:
    """The federation policies of docs/setup-*.md: each service principal trusts one environment or pipeline."""
    subjects = {
        "github": {name: f"repo:example@1/arrival-delay@2:environment:{name}" for name in SETTINGS},
        "azure": {
            "pull-request": "p://example/arrival-delay/pull_request",
            "staging": "p://example/arrival-delay/staging",
            "prod": "p://example/arrival-delay/prod",
        },
    }[system.name]
    staging, prod = logins["staging"], logins["prod"]
    for login, environment, client, writes in (
        (staging, "pull-request", "pull-request-client", True),
        (staging, "staging", "staging-client", True),
        (prod, "pull-request", "prod-reader-client", False),
        (prod, "prod", "prod-client", True),
    ):
        audiences = (AUDIENCE, f"{login.url}/oidc/v1/token", AZURE_AUDIENCE)
        login.policies.append(Policy(client, subjects[environment], audiences, writes))

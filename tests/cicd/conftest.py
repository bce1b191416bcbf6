"""What rehearsals share: a stand-in workspace, the systems' services, and a repository with a team's values in it."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.cicd.azure import Azure
from tests.cicd.executor import Machine, Outcome, Site, run_workflow
from tests.cicd.github import GitHub
from tests.cicd.repository import Origin
from tests.cicd.services import AZURE_AUDIENCE, Forge, Login, Policy, Service
from tests.cicd.settings import AUDIENCE, SERVICE_PRINCIPAL, SETTINGS, VALUES, VALUES_FILE
from tests.cicd.system import Event, Position, System
from tests.cicd.workflow import Step, Workflow

REPOSITORY = Path(__file__).resolve().parents[2]
SYSTEMS: dict[str, type[System]] = {"github": GitHub, "azure": Azure}


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
def workspace_url(cli: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The stand-in workspace, whose jobs run for real."""
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "runs").mkdir()
    python = f"{REPOSITORY}/.venv/bin/python"
    runner = f"{python} {REPOSITORY}/tests/cicd/run_once.py {folder}/runs {python} -m local_workspace deployed"
    words = [str(cli / "workspace"), "-folder", str(folder / "data"), "-runner", runner]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(words, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=log, text=True)  # noqa: S603
        assert process.stdout
        yield process.stdout.readline().strip()
        process.terminate()
        process.wait()


@dataclass(frozen=True)
class Api:
    """A workspace as its administrator sees it."""

    url: str
    token: str

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        with urlopen(Request(f"{self.url}{path}", data, headers, method=method), timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read() or b"{}")

    def jobs(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.call("GET", "/api/2.2/jobs/list").get("jobs", [])
        return listed

    def left(self) -> dict[str, Any]:
        """What is in the workspace, by kind; a kind of which nothing is there is left out."""
        found = {
            "jobs": self.jobs(),
            "schemas": self.call("GET", "/api/2.1/unity-catalog/schemas").get("schemas"),
            "volumes": self.call("GET", "/api/2.1/unity-catalog/volumes").get("volumes"),
            "models": self.call("GET", "/api/2.1/unity-catalog/models").get("registered_models"),
            "dashboards": self.call("GET", "/api/2.0/lakeview/dashboards").get("dashboards"),
            "experiments": self.call("POST", "/api/2.0/mlflow/experiments/search", {}).get("experiments"),
        }
        return {kind: listed for kind, listed in found.items() if listed}


@dataclass
class Rehearsal:
    """One system's part: its workflows are run in a repository and against workspaces of its own."""

    system: System
    site: Site
    workspaces: dict[str, Login]

    @property
    def origin(self) -> Origin:
        return self.site.origin

    def workflow(self, file: str) -> Workflow:
        """A workflow as it stands in the commit under test."""
        (found,) = [flow for flow in self.system.workflows(REPOSITORY) if flow.file == file]
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
    workspace_url: str,
    tmp_path_factory: pytest.TempPathFactory,
    done: dict[tuple[str, str], tuple[int, str]],
) -> Iterator[Rehearsal]:
    """Both systems in turn, each with a team's set-up: environments, service principals, federation policies."""
    folder, forge = tmp_path_factory.mktemp(request.param), Forge()
    origin = team_repository(folder)
    workspaces = {name: Login(workspace_url, f"dbapi1-{request.param}-{name}") for name in ("staging", "prod")}
    with ExitStack() as stack:
        forge_url = stack.enter_context(Service(forge)).url
        for login in workspaces.values():
            login.url = stack.enter_context(Service(login)).url
            set_up(Api(login.behind, login.token))
        settings = {
            name: {
                key: workspaces[value.removeprefix("https://").removesuffix(".invalid")].url if "HOST" in key else value
                for key, value in group.items()
            }
            for name, group in SETTINGS.items()
        }
        system = SYSTEMS[request.param](settings)
        add_policies(system, workspaces)
        site = Site(REPOSITORY, origin, folder, forge, forge_url, machine(folder), done)
        yield Rehearsal(system, site, workspaces)


@pytest.fixture(scope="session")
def done() -> dict[tuple[str, str], tuple[int, str]]:
    """Results of commands that touch no workspace, by command and tree: they are of use to both systems."""
    return {}


def team_repository(folder: Path) -> Origin:
    """A team's repository: the commit under test, and on top of it what docs/cicd.md has a team fill in."""
    origin = Origin.of(REPOSITORY, folder)
    main = origin.commit(origin.head("refs/heads/main"), "What is ours", {VALUES_FILE: VALUES})
    origin.push(main, "refs/heads/main")
    return origin


def machine(folder: Path) -> dict[str, str]:
    """A machine's own environment: nothing of the person's who runs the rehearsal but where the tools are."""
    (folder / "home").mkdir()
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "JAVA_HOME", "TMPDIR") if key in os.environ}
    return {**kept, **go_caches(), "HOME": str(folder / "home"), "UV_OFFLINE": "1"}


def go_caches() -> dict[str, str]:
    """Where Go keeps what it has built, in place of a restored cache; nothing without Go."""
    if shutil.which("go") is None:
        return {}
    names = ("GOCACHE", "GOMODCACHE")
    found = subprocess.run(["go", "env", *names], capture_output=True, text=True, check=True)  # noqa: S603, S607
    return dict(zip(names, found.stdout.split(), strict=True))


def set_up(workspace: Api) -> None:
    """What a new workspace has, and the folder that docs/setup-*.md has people make for those who may only read."""
    workspace.call("POST", "/api/2.0/sql/warehouses", {"name": "Serverless Starter Warehouse"})
    for target in ("staging", "prod"):
        folder = f"/Workspace/Users/{SERVICE_PRINCIPAL}/.bundle/arrival_delay/{target}/files"
        workspace.call("POST", "/api/2.0/workspace/mkdirs", {"path": folder})


def add_policies(system: System, workspaces: dict[str, Login]) -> None:
    """The federation policies of docs/setup-*.md: each service principal trusts one environment or pipeline."""
    subjects = {
        "github": {name: f"repo:example@1/arrival-delay@2:environment:{name}" for name in SETTINGS},
        "azure": {
            "pull-request": "p://example/arrival-delay/pull_request",
            "staging": "p://example/arrival-delay/staging",
            "prod": "p://example/arrival-delay/prod",
        },
    }[system.name]
    staging, prod = workspaces["staging"], workspaces["prod"]
    for login, environment, client, writes in (
        (staging, "pull-request", "pull-request-client", True),
        (staging, "staging", "staging-client", True),
        (prod, "pull-request", "prod-reader-client", False),
        (prod, "prod", "prod-client", True),
    ):
        audiences = (AUDIENCE, f"{login.url}/oidc/v1/token", AZURE_AUDIENCE)
        login.policies.append(Policy(client, subjects[environment], audiences, writes))

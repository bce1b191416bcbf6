"""The stand-in workspace, and the bundle deployed to it with the real CLI: what the tests of this folder start with."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import requests

from local_workspace.environment import USE_CASE_VARIABLE
from local_workspace.workspace import REPOSITORY

BIN = REPOSITORY / ".tools" / "bin"
# A token is a workspace; one that begins so is a service principal's, with this application id.
TOKEN, PRINCIPAL = "dbapi1", "aaaaaaaa-bbbb-4ccc-dddd-eeeeeeeeeeee"
TARGETS = ("dev", "test", "staging", "prod")
PRODUCTION = ("staging", "prod")
# What a team sets, in its targets or in the environment of its CI.
SETTINGS = {
    "catalog": "spark_catalog",
    "suffix": "pr1",
    "warehouse_id": "8ec9edc1-db0c-40df-af8d-7580020fe61e",
    "service_principal": PRINCIPAL,
    "engineers_group": "ml-engineers",
    "readers_group": "analysts",
    "notification_email": "ml@shop.test",
}
_COUNTS = re.compile(r"Plan: (\d+) to add, (\d+) to change, (\d+) to delete, (\d+) unchanged")


@dataclass(frozen=True)
class StandIn:
    """A stand-in workspace that listens, and the folder where its runs keep their data."""

    url: str
    folder: Path
    log: Path

    def volumes(self, token: str) -> Path:
        """Where the runs of a token find their volumes."""
        return self.folder / token / "Volumes"


@contextmanager
def stand_in(folder: Path, runner: str) -> Iterator[StandIn]:
    """Starts a stand-in workspace; at its end, whatever it was asked and could not answer is an error."""
    log = folder / "log"
    # A deployed run is of what was uploaded.
    environ = {name: value for name, value in os.environ.items() if name != USE_CASE_VARIABLE}
    words = [str(BIN / "workspace"), "-folder", str(folder), "-runner", runner]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=REPOSITORY, env=environ
        ) as process,
    ):
        assert process.stdout is not None
        yield StandIn(process.stdout.readline().strip(), folder, log)
        process.terminate()
    unanswered = [line for line in log.read_text().splitlines() if "ERROR" in line]
    assert unanswered == []


@dataclass(frozen=True)
class Deployment:
    """A copy of the repository, a target, and a workspace to deploy it to."""

    stand_in: StandIn
    root: Path
    target: str
    token: str
    settings: Mapping[str, str] = field(default_factory=lambda: SETTINGS)

    @property
    def environ(self) -> dict[str, str]:
        """All that the CLI sees of the environment."""
        given = {"volume_root": str(self.stand_in.volumes(self.token)), **self.settings}
        return {
            **{name: os.environ[name] for name in ("PATH", "JAVA_HOME", "LANG") if name in os.environ},
            "HOME": str(self.root.parent),
            "DATABRICKS_HOST": self.stand_in.url,
            "DATABRICKS_TOKEN": self.token,
            # No more than 15 requests a second are right for a workspace, and a wait without a reason here.
            "DATABRICKS_RATE_LIMIT": "1000",
            "DATABRICKS_CLI": str(BIN / "databricks"),
            **{f"BUNDLE_VAR_{name}": value for name, value in given.items()},
        }

    def cli(self, *words: str, ok: bool = True) -> str:
        """Runs `databricks bundle WORDS`; returns all that it printed.

        Args:
            words: the command line after `bundle`.
            ok: whether it must succeed, or fail.
        """
        command = [str(BIN / "databricks"), "bundle", *words, "--target", self.target]
        return self._run(command, ok)

    def make(self, *words: str, ok: bool = True) -> str:
        """The same for a word of the Makefile."""
        return self._run(["make", *words, f"TARGET={self.target}"], ok)

    def _run(self, command: list[str], ok: bool) -> str:
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        assert (done.returncode == 0) is ok, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def deployed(self) -> Self:
        """Deploys, and returns itself."""
        self.cli("deploy")
        return self

    def plan(self) -> tuple[int, int, int, int]:
        """How many resources a deployment would add, change, delete, and leave as they are."""
        found = _COUNTS.search(self.cli("plan"))
        assert found is not None
        add, change, delete, unchanged = map(int, found.groups())
        return add, change, delete, unchanged

    def copy(self, folder: Path) -> Self:
        """The same from a copy that a test may change, as another person's checkout would be."""
        shutil.copytree(self.root, folder, symlinks=True, ignore=shutil.ignore_patterns(".databricks"))
        return replace(self, root=folder)

    def edit(self, file: str, old: str, new: str) -> None:
        """Changes a file of the copy."""
        path = self.root / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def get(self, endpoint: str, **query: Any) -> dict[str, Any]:
        """Asks the workspace's API."""
        return self._answer(requests.get(self.stand_in.url + endpoint, params=query, headers=self._headers, timeout=60))

    def read(self, path: str) -> str:
        """The content of a file of the workspace."""
        address = f"{self.stand_in.url}/api/2.0/workspace/export"
        return requests.get(address, params={"path": path}, headers=self._headers, timeout=60).text

    def post(self, endpoint: str, **body: Any) -> dict[str, Any]:
        """Tells the workspace's API."""
        return self._answer(requests.post(self.stand_in.url + endpoint, json=body, headers=self._headers, timeout=60))

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @staticmethod
    def _answer(response: requests.Response) -> dict[str, Any]:
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    def jobs(self) -> dict[int, dict[str, Any]]:
        """The settings of each deployed job, by its id."""
        return {job["job_id"]: job["settings"] for job in self.get("/api/2.2/jobs/list").get("jobs", [])}

    def held(self) -> dict[str, list[str]]:
        """The names of all that the workspace holds, by kind."""
        catalog = "/api/2.1/unity-catalog"
        experiments = self.post("/api/2.0/mlflow/experiments/search").get("experiments", [])
        alerts = self.get("/api/2.0/alerts").get("alerts", [])
        named = {
            "jobs": [job["name"] for job in self.jobs().values()],
            "schemas": [one["full_name"] for one in self.get(f"{catalog}/schemas")["schemas"]],
            "volumes": [one["full_name"] for one in self.get(f"{catalog}/volumes")["volumes"]],
            "models": [one["full_name"] for one in self.get(f"{catalog}/models")["registered_models"]],
            "experiments": [one["name"] for one in experiments],
            "dashboards": [
                one["display_name"]
                for one in self.get("/api/2.0/lakeview/dashboards")["dashboards"]
                if one["lifecycle_state"] == "ACTIVE"
            ],
            "alerts": [one["display_name"] for one in alerts if one["lifecycle_state"] == "ACTIVE"],
            "files": sorted(self.files("/Workspace")),
        }
        return {kind: sorted(names) for kind, names in named.items()}

    def files(self, path: str) -> Iterator[str]:
        """The paths of all files and notebooks under a folder of the workspace."""
        for entry in self.get("/api/2.0/workspace/list", path=path).get("objects", []):
            if entry["object_type"] == "DIRECTORY":
                yield from self.files(entry["path"])
            else:
                yield entry["path"]


def newest_runs(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """The last run of each job, by the job's name without its prefix."""
    runs = deployment.get("/api/2.2/jobs/runs/list")["runs"]
    return {run["run_name"].rpartition(" ")[2]: run for run in reversed(runs)}


def states(run: dict[str, Any]) -> dict[str, str]:
    """How each task of a run ended; empty while it has not."""
    return {task["task_key"]: task["state"].get("result_state", "") for task in run["tasks"]}


def assert_ran_to_its_end(run: dict[str, Any]) -> None:
    """A run that has ended, and in it each task well, or excluded by a condition."""
    name, state = run["run_name"], run["state"]
    assert (state["life_cycle_state"], state["result_state"]) == ("TERMINATED", "SUCCESS"), name
    assert set(states(run).values()) <= {"SUCCESS", "EXCLUDED"}, name
    assert all(task["end_time"] >= task["start_time"] > 0 for task in run["tasks"]), name


def copy_of_repository(folder: Path, use_case: Path | None = None) -> Path:
    """The files that git knows or would know, as one commit: what a clone of this working tree would be.

    Args:
        folder: where they go; it is not there yet.
        use_case: what takes the place of use_case/.
    """
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    if use_case:
        shutil.rmtree(folder / "use_case")
        shutil.copytree(use_case, folder / "use_case", ignore=shutil.ignore_patterns("__pycache__"))
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "A copy"]):
        subprocess.run([*git, *words], cwd=folder, check=True)
    return folder

"""GitHub Actions: its files, and what a run of them sees."""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import yaml

from tests.cicd.expressions import Function, as_text, contains, evaluate
from tests.cicd.system import ORGANIZATION, REPOSITORY, Event, Position, System
from tests.cicd.workflow import Job, Step, UnknownPartError, Workflow, only, texts

_FULL_NAME = f"{ORGANIZATION}/{REPOSITORY}"


class GitHub(System):
    """GitHub Actions."""

    name = "github"
    folder = ".github/workflows"
    shell = ("bash", "-e")
    output_file = "GITHUB_OUTPUT"
    status_functions: ClassVar = {"success": "success", "failure": "failure", "cancelled": "cancelled", "always": ""}

    def read(self, file: Path) -> Workflow:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        content["on"] = content.pop(True)  # YAML 1.1 takes the word for a boolean
        only(content, "name on permissions concurrency jobs", file.name)
        if content["permissions"] != {}:
            raise UnknownPartError(f"{file.name}: permissions are given to jobs, not to the whole workflow.")
        jobs = tuple(_read_job(key, job, file.name) for key, job in content["jobs"].items())
        only(content["concurrency"], "group cancel-in-progress", file.name)
        concurrency = content["concurrency"]
        return Workflow(
            file.name, content["on"], jobs, group=concurrency["group"], cancels=concurrency["cancel-in-progress"]
        )

    def starts(self, workflow: Workflow, event: Event) -> bool:
        only(workflow.triggers, "pull_request push schedule workflow_dispatch", workflow.file)
        if event.kind in ("schedule", "dispatch"):
            return {"schedule": "schedule", "dispatch": "workflow_dispatch"}[event.kind] in workflow.triggers
        trigger = workflow.triggers.get(event.kind)
        if trigger is None:
            return False
        only(trigger, "branches", workflow.file)
        return event.branch in trigger["branches"]

    def names(self, position: Position) -> Mapping[str, Any]:
        event = position.event
        github: dict[str, Any] = {"repository": _FULL_NAME, "token": position.token, "event": {}}
        if event.kind == "pull_request":
            head = {"repo": {"full_name": "stranger/fork" if event.fork else _FULL_NAME}}
            github["event"]["pull_request"] = {"number": event.number, "head": head}
        steps = {key: {"outputs": outputs} for key, outputs in position.steps.items()}
        return {
            "github": github,
            "inputs": defaultdict(str, event.inputs),
            # A variable that nobody set is empty.
            "vars": defaultdict(str, self.settings.get(position.job.environment, {})),
            "needs": {
                key: {"result": position.results[key], "outputs": position.outputs[key]} for key in position.job.needs
            },
            "steps": defaultdict(lambda: {"outputs": defaultdict(str)}, steps),
        }

    def functions(self, position: Position) -> Mapping[str, Function]:
        return {"contains": contains}

    def complete(self, condition: str) -> str:
        # Without a status function of its own a condition asks for success besides.
        if any(f"{function}()" in condition for function in self.status_functions):
            return condition
        return f"success() && ({condition})" if condition else "success()"

    def expand(self, text: str, position: Position) -> str:
        names, functions = self.names(position), self.functions(position)
        return re.sub(r"\$\{\{(.*?)\}\}", lambda found: as_text(evaluate(found[1], names, functions)), text)

    def environment(self, step: Step, position: Position) -> dict[str, str]:
        written = {**position.job.env, **step.env}
        return {key: self.expand(value, position) for key, value in written.items()}

    def predefined(self, position: Position) -> dict[str, str]:
        event = position.event
        given = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": position.url,
            "GITHUB_EVENT_NAME": "workflow_dispatch" if event.kind == "dispatch" else event.kind,
            "GITHUB_JOB": position.job.key,
            "GITHUB_REF": event.ref,
            "GITHUB_REF_NAME": event.ref.removeprefix("refs/heads/").removeprefix("refs/pull/"),
            "GITHUB_REPOSITORY": _FULL_NAME,
            "GITHUB_SHA": event.commit,
            "RUNNER_OS": "Linux",
        }
        if self.subject(position):
            given["ACTIONS_ID_TOKEN_REQUEST_URL"] = f"{position.url}/oidc/github?api-version=2.0"
            given["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = position.identity
        return given

    def step_outputs(self, step: Step, printed: str, written: str) -> dict[str, str]:
        return dict(line.split("=", 1) for line in written.splitlines())

    def job_outputs(self, position: Position) -> dict[str, str]:
        return {key: self.expand(text, position) for key, text in position.job.outputs.items()}

    def subject(self, position: Position) -> str:
        allowed = position.job.permissions.get("id-token") == "write" and not position.event.fork
        # As repositories have it that were made since July 2026: with the numbers of owner and repository.
        return f"repo:{ORGANIZATION}@1/{REPOSITORY}@2:environment:{position.job.environment}" if allowed else ""

    def rights(self, position: Position) -> set[str]:
        rights = {"contents": "push", "pull-requests": "comment", "actions": "dispatch"}
        asked = {rights[key] for key, level in position.job.permissions.items() if level == "write" and key in rights}
        return set() if position.event.fork else asked


def _read_job(key: str, job: Mapping[str, Any], file: str) -> Job:
    where = f"{file}, {key}"
    only(job, "name runs-on timeout-minutes needs if environment permissions env outputs steps", where)
    needs = job.get("needs", [])
    return Job(
        key=key,
        steps=tuple(_read_step(number, step, where) for number, step in enumerate(job["steps"])),
        needs=(needs,) if isinstance(needs, str) else tuple(needs),
        condition=texts({"if": job.get("if")})["if"],
        env=texts(job.get("env")),
        environment=job.get("environment", ""),
        permissions=job.get("permissions", {}),
        outputs=texts(job.get("outputs")),
    )


def _read_step(number: int, step: Mapping[str, Any], where: str) -> Step:
    only(step, "id name uses with run env if", where)
    return Step(
        name=step.get("id", str(number)),
        run=step.get("run", ""),
        uses=step.get("uses", ""),
        inputs=texts(step.get("with")),
        env=texts(step.get("env")),
        condition=texts({"if": step.get("if")})["if"],
    )

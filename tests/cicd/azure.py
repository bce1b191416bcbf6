"""Azure Pipelines: its files, and what a run of them sees."""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import yaml

from tests.cicd.expressions import Function, equal, evaluate, truth
from tests.cicd.system import ORGANIZATION, REPOSITORY, Event, Position, System
from tests.cicd.workflow import Job, Step, UnknownPartError, Workflow, only, texts

# A branch policy starts this one (docs/setup-azure.md): for Azure's own repositories no file can say it.
BUILD_VALIDATION = "pull_request.yml"
_SET_OUTPUT = re.compile(r"^##vso\[task\.setvariable variable=(\w+);isOutput=true\](.*)$", re.MULTILINE)
_WARNING = "##vso[task.logissue type=warning]"


class Azure(System):
    """Azure Pipelines."""

    name = "azure"
    folder = ".azure"
    shell = ("bash", "--noprofile", "--norc")
    status_functions: ClassVar = {"succeeded": "success", "failed": "failure", "canceled": "cancelled", "always": ""}

    def is_workflow(self, file: Path) -> bool:
        """Templates have no trigger."""
        return "trigger" in yaml.safe_load(file.read_text(encoding="utf-8"))

    def read(self, file: Path) -> Workflow:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        only(content, "trigger pr schedules parameters variables pool lockBehavior jobs", file.name)
        triggers = {key: content[key] for key in ("trigger", "pr", "schedules", "parameters") if key in content}
        defaults = {parameter["name"]: parameter["default"] for parameter in content.get("parameters", [])}
        jobs = tuple(_read_job(job, file) for job in content["jobs"])
        # Azure's lock belongs to the environment; runs wait for it in their order.
        locked = content.get("lockBehavior") == "sequential"
        return Workflow(
            file.name,
            {**triggers, "defaults": defaults},
            jobs,
            env=_variables(content.get("variables", []), file.name),
            group=",".join(sorted({job.environment for job in jobs if job.environment})) if locked else "",
        )

    def starts(self, workflow: Workflow, event: Event) -> bool:
        match event.kind:
            case "pull_request":
                return workflow.file == BUILD_VALIDATION
            case "push":
                return workflow.triggers["trigger"] != "none" and _includes(workflow.triggers["trigger"], event.branch)
            case "schedule":
                return any(_includes(schedule, event.branch) for schedule in workflow.triggers.get("schedules", []))
        return True

    def names(self, position: Position) -> Mapping[str, Any]:
        parameters = {**position.workflow.triggers["defaults"], **position.event.inputs}
        # A variable that nobody set is empty in a condition.
        variables = defaultdict(str, _predefined(position.event))
        for name, value in {**position.workflow.env, **position.job.env}.items():
            variables |= self.settings[value] if name == "group" else {name: _compile(value, parameters)}
        dependencies = {
            key: {"result": position.results[key], "outputs": position.outputs[key]} for key in position.job.needs
        }
        return {"variables": variables, "dependencies": dependencies}

    def functions(self, position: Position) -> Mapping[str, Function]:
        return {
            "and": lambda *values: all(map(truth, values)),
            "eq": equal,
            "ne": lambda left, right: not equal(left, right),
        }

    def complete(self, condition: str) -> str:
        return condition or "succeeded()"

    def expand(self, text: str, position: Position) -> str:
        variables = {**self.names(position)["variables"], "System.AccessToken": position.token}
        # What is no variable stays as it is; in a script bash takes it for a command.
        return re.sub(r"\$\(([\w.]+)\)", lambda found: str(variables.get(found[1], found[0])), text)

    def environment(self, step: Step, position: Position) -> dict[str, str]:
        """All variables, in capitals and with underscores, and what the step itself sets, as it is written."""
        variables = self.names(position)["variables"]
        written = {name.upper().replace(".", "_"): value for name, value in variables.items()} | dict(step.env)
        expanded = {key: self.expand(value, position) for key, value in written.items()}
        for key, value in expanded.items():
            if "$(" in value:
                raise UnknownPartError(f"{position.workflow.file}, {position.job.key}: nobody set {value} for {key}.")
        return expanded

    def predefined(self, position: Position) -> dict[str, str]:
        return {
            "TF_BUILD": "True",
            "BUILD_REPOSITORY_ID": "repository-id",
            "SYSTEM_COLLECTIONURI": f"{position.url}/{ORGANIZATION}/",
            "SYSTEM_HOSTTYPE": "build",
            "SYSTEM_JOBID": position.identity,
            "SYSTEM_PLANID": "plan-id",
            "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI": f"{position.url}/{ORGANIZATION}/",
            "SYSTEM_TEAMPROJECT": REPOSITORY,
            "SYSTEM_TEAMPROJECTID": "project-id",
        }

    def step_outputs(self, step: Step, printed: str, written: str) -> dict[str, str]:
        known = _SET_OUTPUT.findall(printed)
        if printed.count("##vso[") != len(known) + printed.count(_WARNING):
            raise UnknownPartError(f"{step.run}: the rehearsal knows no logging command but a variable and a warning.")
        return dict(known)

    def job_outputs(self, position: Position) -> dict[str, str]:
        return {f"{step}.{key}": value for step, outputs in position.steps.items() for key, value in outputs.items()}

    def subject(self, position: Position) -> str:
        return f"p://{ORGANIZATION}/{REPOSITORY}/{position.workflow.file.removesuffix('.yml')}"

    def rights(self, position: Position) -> set[str]:
        # Azure has one identity for all jobs (the build service); whether git may use it, a checkout says.
        pushes = any(step.inputs.get("persistCredentials") == "true" for step in position.job.steps)
        return {"comment"} | ({"push"} if pushes else set())


def _predefined(event: Event) -> dict[str, str]:
    reasons = {"pull_request": "PullRequest", "push": "IndividualCI", "schedule": "Schedule", "dispatch": "Manual"}
    variables = {
        "Agent.OS": "Linux",
        "Build.Reason": reasons[event.kind],
        "Build.SourceBranch": event.ref,
        "Build.SourceVersion": event.commit,
        "Pipeline.Workspace": "/nowhere",
    }
    if event.kind == "pull_request":
        variables |= {
            "System.PullRequest.PullRequestId": str(event.number),
            "System.PullRequest.IsFork": str(event.fork),
            "System.PullRequest.TargetBranch": f"refs/heads/{event.branch}",
        }
    return variables


def _includes(trigger: Mapping[str, Any], branch: str) -> bool:
    only(trigger, "branches cron displayName always batch", "a trigger")
    only(trigger["branches"], "include", "a trigger")
    return branch in trigger["branches"]["include"]


def _compile(text: str, parameters: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: evaluate(found[1], {"parameters": parameters}, {}), text)


def _variables(entries: list[Mapping[str, str]], where: str) -> dict[str, str]:
    """Name and value of each; a group's name under `group`."""
    found: dict[str, str] = {}
    for entry in entries:
        only(entry, "name value group", where)
        found |= {"group": entry["group"]} if "group" in entry else {entry["name"]: entry["value"]}
    return found


def _read_job(job: Mapping[str, Any], file: Path) -> Job:
    key = job.get("job") or job["deployment"]
    where = f"{file.name}, {key}"
    common = "displayName dependsOn condition timeoutInMinutes variables"
    only(
        job,
        f"{common} job steps" if "job" in job else f"{common} deployment environment strategy cancelTimeoutInMinutes",
        where,
    )
    steps = job["steps"] if "job" in job else job["strategy"]["runOnce"]["deploy"]["steps"]
    needs = job.get("dependsOn", [])
    return Job(
        key=key,
        steps=tuple(_read_step(number, step, where) for number, step in enumerate(_inlined(steps, file))),
        needs=(needs,) if isinstance(needs, str) else tuple(needs),
        condition=job.get("condition", ""),
        env=_variables(job.get("variables", []), where),
        environment=_environment(job, where),
    )


def _environment(job: Mapping[str, Any], where: str) -> str:
    """Whose credentials the job has: its variable group says it. A deployment waits for the one of that name."""
    group = _variables(job.get("variables", []), where).get("group", "")
    if job.get("environment", group) != group:
        raise UnknownPartError(f"{where}: the environment and the variable group have different names.")
    return group


def _inlined(steps: list[Mapping[str, Any]], file: Path) -> list[Mapping[str, Any]]:
    """The steps, with those of templates in their places."""
    found: list[Mapping[str, Any]] = []
    for step in steps:
        if "template" in step:
            only(step, "template", file.name)
            found += yaml.safe_load((file.parent / step["template"]).read_text(encoding="utf-8"))["steps"]
        else:
            found.append(step)
    return found


def _read_step(number: int, step: Mapping[str, Any], where: str) -> Step:
    only(step, "script name env condition task inputs checkout fetchDepth fetchTags persistCredentials", where)
    checkout = {key: step[key] for key in ("fetchDepth", "fetchTags", "persistCredentials") if key in step}
    return Step(
        name=step.get("name", str(number)),
        run=step.get("script", ""),
        uses=step.get("task", "") or ("checkout" if step.get("checkout") == "self" else ""),
        inputs=texts(step.get("inputs", checkout)),
        env=texts(step.get("env")),
        condition=step.get("condition", ""),
    )

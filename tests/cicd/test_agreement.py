"""Both systems have the same steps, and the documents name what they use. `make lint` runs it.

Where a team has taken one system away, what can be said of the other still holds.
"""

import re
from pathlib import Path

import pytest
import yaml

from tests.cicd.azure import BUILD_VALIDATION, Azure
from tests.cicd.equivalents import JVM_WORDS
from tests.cicd.executor import Outcome, run_workflow
from tests.cicd.github import GitHub
from tests.cicd.settings import SETTINGS
from tests.cicd.system import Event, Position, System
from tests.cicd.workflow import Job, Workflow

REPOSITORY = Path(__file__).resolve().parents[2]
BOTH: tuple[System, ...] = (GitHub(SETTINGS), Azure(SETTINGS))
SYSTEMS = tuple(system for system in BOTH if (REPOSITORY / system.folder).is_dir())
KEPT = {system.name for system in SYSTEMS}
of_both = pytest.mark.skipif(len(SYSTEMS) < len(BOTH), reason="one system was taken away")
of_github = pytest.mark.skipif("github" not in KEPT, reason="GitHub's files were taken away")
of_azure = pytest.mark.skipif("azure" not in KEPT, reason="Azure's files were taken away")
FILES = ("prod.yml", "pull_request.yml", "release.yml", "staging.yml")

# What happens in a repository, what `make changes` would print then, and the file that both systems start.
EVENTS = {
    "a pull request": (Event("pull_request", "c0ffee", number=7), "true", "pull_request.yml"),
    "a pull request of documents": (Event("pull_request", "c0ffee", number=7), "false", "pull_request.yml"),
    "a fork's pull request": (Event("pull_request", "c0ffee", number=7, fork=True), "true", "pull_request.yml"),
    "a merge to main": (Event("push", "c0ffee"), "", "staging.yml"),
    "the weekly schedule": (Event("schedule", "c0ffee"), "", "release.yml"),
    "a push to release": (Event("push", "c0ffee", branch="release"), "", "prod.yml"),
    "an earlier release": (
        Event("dispatch", "c0ffee", branch="release", inputs={"release": "release-1"}),
        "",
        "prod.yml",
    ),
}
# Commands of one system alone: how it lets git push, starts the deploy, and says that all jobs passed.
OF_ONE_SYSTEM = ("gh auth setup-git", "gh workflow run prod.yml --ref release", 'test "$UNFINISHED" = false')
# Words that read what concerns the bundle from their environment.
OF_THE_BUNDLE = ("validate", "plan", "deploy", "destroy", "slice-test", "smoke", "earlier-release", "has-workspace")
# The same log-in by another name.
LOG_IN = {"github-oidc": "oidc", "azure-devops-oidc": "oidc"}


def make_words(command: str) -> str:
    """What a command asks of make; empty for what only one system needs."""
    if command in OF_ONE_SYSTEM:
        return ""
    found = re.search(r"make (?:--silent )?([^)\"]+)", command)
    assert found, f"no make word: {command}"
    assert "\n" not in command.strip(), f"more than one line: {command}"
    return found[1].strip()


def steps_of(system: System, event: Event, changed: str) -> list[tuple[str, str, dict[str, str]]]:
    """Job, make words and the environment that concerns the bundle, of each step that the event leads to."""
    found: list[tuple[str, str, dict[str, str]]] = []

    def record(position: Position, outcome: Outcome) -> str:
        for step in position.job.steps:
            if not step.run or not system.holds(step.condition, position):
                continue
            words = make_words(step.run)
            if words:
                env = system.environment(step, position)
                ours = {key: LOG_IN.get(value, value) for key, value in env.items() if concerns_the_bundle(key)}
                found.append((position.job.key, words, ours if words.split()[0] in OF_THE_BUNDLE else {}))
            if words in ("changes", "release-branch"):
                output = changed or "true"
                position.steps[step.name] |= {"code": output, "moved": output}
        return "success"

    (workflow,) = [workflow for workflow in system.workflows(REPOSITORY) if starts(system, workflow, event)]
    run_workflow(system, workflow, event, record)
    return found


def starts(system: System, workflow: Workflow, event: Event) -> bool:
    """A person starts prod.yml by its name; all else starts by itself."""
    return workflow.file == "prod.yml" if event.kind == "dispatch" else system.starts(workflow, event)


def concerns_the_bundle(variable: str) -> bool:
    return variable.startswith(("DATABRICKS_", "BUNDLE_VAR_", "RELEASE"))


@of_both
@pytest.mark.parametrize("name", EVENTS)
def test_an_event_leads_to_the_same_steps(name: str) -> None:
    event, changed, _ = EVENTS[name]
    github, azure = (steps_of(system, event, changed) for system in SYSTEMS)
    assert github
    # Azure's groups hand everything to every step; what a step doesn't need must at least not differ.
    assert [(job, words, env) for job, words, env in github] == [
        (job, words, {key: value for key, value in env.items() if key in expected})
        for (job, words, env), (_, _, expected) in zip(azure, github, strict=True)
    ]


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_starts_one_workflow(name: str) -> None:
    event, _, file = EVENTS[name]
    for system in SYSTEMS:
        assert [flow.file for flow in system.workflows(REPOSITORY) if starts(system, flow, event)] == [file]


@of_both
def test_both_have_the_same_jobs_in_the_same_order() -> None:
    github, azure = ({flow.file: flow for flow in system.workflows(REPOSITORY)} for system in SYSTEMS)
    assert tuple(github) == tuple(azure) == FILES
    for file in FILES:
        jobs = [{job.key: (job.needs, job.environment) for job in flow.jobs} for flow in (github[file], azure[file])]
        # Azure's own check of a pull request is the whole run's result.
        jobs[0].pop("required", None)
        assert jobs[0] == jobs[1], file


def test_documents_alone_start_neither_tests_nor_the_workspace() -> None:
    for system in SYSTEMS:
        steps = steps_of(system, Event("pull_request", "c0ffee", number=7), "false")
        assert [words for _, words, _ in steps] == ["changes", "lint"]


def test_when_nobody_knows_what_changed_everything_runs() -> None:
    """A step that failed within an echo sets an empty output."""
    for system in SYSTEMS:
        (workflow,) = [flow for flow in system.workflows(REPOSITORY) if flow.file == "pull_request.yml"]
        waiting = [job for job in workflow.jobs if job.needs == ("changes",)]
        assert len(waiting) > 3
        for job in waiting:
            position = Position(Event("pull_request", "c0ffee", number=7), workflow, job, passed(job))
            assert system.holds(job.condition, position), job.key


def test_a_fork_gets_tests_and_no_credentials() -> None:
    for system in SYSTEMS:
        steps = steps_of(system, Event("pull_request", "c0ffee", number=7, fork=True), "true")
        assert "unit" in [words for _, words, _ in steps]
        assert not any(env for _, _, env in steps)


def test_what_was_deployed_is_destroyed_whatever_happens() -> None:
    for system in SYSTEMS:
        (workflow,) = [flow for flow in system.workflows(REPOSITORY) if flow.file == "pull_request.yml"]
        (job,) = [job for job in workflow.jobs if job.key == "workspace"]
        destroy = job.steps[-1]
        assert make_words(destroy.run) == "destroy TARGET=test"
        for status in ("success", "failure", "cancelled"):
            position = Position(Event("pull_request", "c0ffee", number=7), workflow, job, passed(job), status=status)
            assert system.holds(destroy.condition, position), (system.name, status)


def passed(job: Job) -> dict[str, str]:
    return dict.fromkeys(job.needs, "success")


@pytest.mark.parametrize("red", ["deploy", "engines", "connect"])
def test_a_commit_is_green_when_all_other_jobs_of_its_merge_passed(red: str) -> None:
    for system in SYSTEMS:
        (workflow,) = [flow for flow in system.workflows(REPOSITORY) if flow.file == "staging.yml"]
        assert [job.key for job in workflow.jobs] == ["has_workspace", "deploy", "engines", "connect", "green"]
        outcome = run_workflow(
            system,
            workflow,
            Event("push", "c0ffee"),
            lambda position, _: "failure" if position.job.key == red else "success",
        )
        # The others do not wait for it: all are under way at once.
        others = dict.fromkeys(("has_workspace", "deploy", "engines", "connect"), "success")
        assert outcome.results == others | {red: "failure", "green": "skipped"}, system.name


def test_java_is_set_up_for_jvm_spark_alone() -> None:
    found = []
    for job in all_jobs():
        uses = [step.uses.split("@")[0] for step in job.steps]
        judged = any(step.run in JVM_WORDS for step in job.steps)
        assert judged == bool({"actions/setup-java", "JavaToolInstaller"} & set(uses)), job.key
        found += [job.key] * judged
    assert found == ["engines", "connect"] * len(SYSTEMS)


def test_deploys_wait_for_each_other_and_are_not_cancelled() -> None:
    for system in SYSTEMS:
        deploying = [flow for flow in system.workflows(REPOSITORY) if flow.file in ("staging.yml", "prod.yml")]
        assert len(deploying) == 2
        assert len({flow.group for flow in deploying if flow.group}) == 2, system.name
        assert not any(flow.cancels for flow in deploying)


@of_github
def test_required_reports_always_and_waits_for_every_job() -> None:
    (workflow,) = [flow for flow in BOTH[0].workflows(REPOSITORY) if flow.file == "pull_request.yml"]
    required = workflow.jobs[-1]
    assert required.key == "required"
    assert set(required.needs) == {job.key for job in workflow.jobs[:-1]}


@of_github
@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (["success", "success"], "false"),
        (["success", "skipped"], "false"),
        (["success", "failure", "skipped"], "true"),
        (["cancelled", "skipped"], "true"),
    ],
)
def test_required_passes_when_no_job_failed(results: list[str], expected: str) -> None:
    (workflow,) = [flow for flow in BOTH[0].workflows(REPOSITORY) if flow.file == "pull_request.yml"]
    required = workflow.jobs[-1]
    keys = [str(number) for number in range(len(results))]
    job = Job("required", required.steps, tuple(keys), required.condition)
    position = Position(EVENTS["a pull request"][0], workflow, job, dict(zip(keys, results, strict=True)))
    position.status = "success" if set(results) == {"success"} else "failure"
    assert BOTH[0].holds(job.condition, position)
    assert BOTH[0].environment(required.steps[0], position) == {"UNFINISHED": expected}


@of_github
def test_actions_are_pinned_by_commit_with_the_version_beside() -> None:
    uses = [
        line.strip()
        for file in (REPOSITORY / ".github/workflows").glob("*.yml")
        for line in file.read_text(encoding="utf-8").splitlines()
        if "uses:" in line
    ]
    assert len(uses) > 5
    for line in uses:
        assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_every_make_word_is_in_the_makefile() -> None:
    known = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    commands = [step.run for job in all_jobs() for step in job.steps if step.run]
    used = {word for command in commands for word in make_words(command).split() if "=" not in word}
    assert len(used) > 10
    assert used <= known


def all_jobs() -> list[Job]:
    return [job for system in SYSTEMS for flow in system.workflows(REPOSITORY) for job in flow.jobs]


@of_azure
def test_python_is_one_version_everywhere() -> None:
    version = (REPOSITORY / ".python-version").read_text(encoding="utf-8").strip()
    azure = yaml.safe_load((REPOSITORY / ".azure/python.yml").read_text(encoding="utf-8"))
    found = [step["inputs"]["versionSpec"] for step in azure["steps"] if step.get("task") == "UsePythonVersion@0"]
    assert found == [version]


@of_azure
def test_go_is_one_version_everywhere() -> None:
    modules = [REPOSITORY / "tests/bundle/workspace/go.mod", *REPOSITORY.glob("tools/actionlint/go.mod")]
    versions = {re.search(r"^go (\S+)$", file.read_text(encoding="utf-8"), re.MULTILINE)[1] for file in modules}  # type: ignore[index]
    used = [step.inputs["version"] for job in all_jobs() for step in job.steps if step.uses.startswith("GoTool")]
    assert used
    assert versions == set(used)


@of_github
def test_the_set_up_of_github_names_what_the_workflows_use() -> None:
    document = (REPOSITORY / "docs/setup-github.md").read_text(encoding="utf-8")
    files = "".join(file.read_text(encoding="utf-8") for file in (REPOSITORY / ".github/workflows").glob("*.yml"))
    variables = set(re.findall(r"vars\.(\w+)", files))
    assert variables
    environments = {job.environment for job in all_jobs() if job.environment}
    assert environments == {"pull-request", "staging", "prod"}
    for name in (*variables, *environments, *(f"environment:{name}" for name in environments), "Required"):
        assert name in document, name


@of_azure
def test_the_set_up_of_azure_names_what_the_pipelines_use() -> None:
    document = (REPOSITORY / "docs/setup-azure.md").read_text(encoding="utf-8")
    names = {name for group in SETTINGS.values() for name in group}
    pipelines = [f".azure/{file}" for file in FILES]
    for name in (*names, *pipelines, *SETTINGS, f".azure/{BUILD_VALIDATION}"):
        assert name in document, name


def test_the_settings_are_those_that_the_files_use() -> None:
    """The rehearsal sets nothing that people are not told to set."""
    for system in SYSTEMS:
        text = "".join(file.read_text(encoding="utf-8") for file in (REPOSITORY / system.folder).glob("*.yml"))
        for group in SETTINGS.values():
            for name in group:
                if system.name == "github" or name.startswith("PROD_"):
                    assert name in text, (system.name, name)


@of_github
def test_nothing_runs_in_the_context_of_a_stranger() -> None:
    """The trigger that hands a fork's code the repository's own rights is nowhere."""
    files = [*(REPOSITORY / ".github/workflows").glob("*.yml")]
    assert files
    assert not any("pull_request_target" in file.read_text(encoding="utf-8") for file in files)
